"""The logger `prism`: methods, paths, statuses and times. Never headers, bodies, queries or credentials."""

from __future__ import annotations

import os
from typing import Optional


def configure() -> None:
    """`PRISM_LOG=debug` (or `info`) shows what the client does."""
    level = os.environ.get("PRISM_LOG", "").upper()
    if level in ("DEBUG", "INFO"):
        import logging

        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("prism").setLevel(level)


def answered(method: str, path: str, status: int, seconds: float, request_id: Optional[str]) -> None:
    import logging

    log = logging.getLogger("prism")
    log.debug("%s %s: %d after %.0f ms (%s)", method, path, status, seconds * 1000, request_id or "no request id")


def waiting(method: str, path: str, why: str, seconds: float, retries: int) -> None:
    import logging

    logging.getLogger("prism").info("%s %s: %s, retry %d in %.1f s", method, path, why, retries, seconds)
