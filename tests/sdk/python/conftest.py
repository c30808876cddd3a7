from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[2]
SDK = REPO / "clients/python"
os.environ.setdefault("MYPY_CACHE_DIR", str(REPO / ".cache/mypy"))
sys.path[:0] = [str(HERE), str(REPO / "tests"), str(SDK)]

from support.gateway import Gateway  # noqa: E402

import prism  # noqa: E402


@pytest.fixture(scope="session")
def gateway():
    # the simulator's faults count, and one test's are nothing to the next
    with Gateway({"providers": {"simulator": {}}, "routing": {"circuit_breaker": {"enabled": False}}}) as running:
        yield running


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("PRISM_API_KEY", "PRISM_BASE_URL", "PRISM_CONTROL_PLANE_URL", "PRISM_LOG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """Backoff in milliseconds; its real numbers have a test of their own."""
    from prism import _retries

    monkeypatch.setattr(_retries, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(_retries, "LONGEST_WAIT", 0.008)


@pytest.fixture
def client(gateway):
    with prism.Prism(base_url=gateway.url, max_retries=0) as each:
        yield each
