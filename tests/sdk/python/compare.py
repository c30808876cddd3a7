"""Prism's SDK beside OpenAI's, against one server, in one run: `python tests/sdk/python/compare.py` prints a table.

Both talk to the gateway's simulator, or with `--canned` to a server that sends the same bytes without thinking.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
SDK = REPO / "clients/python"
sys.path[:0] = [str(REPO / "tests"), str(SDK)]

MESSAGES = [{"role": "user", "content": "Hello"}]
PACKAGES = {"prism": ["futureagi-prism", str(SDK)], "openai": ["openai", "openai==3.54.0"]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--canned", action="store_true", help="the server that does not think")
    options.add_argument("--no-install", action="store_true", help="leave out the size of an installation")
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    rows: list[tuple[str, str, float, float, int]] = []

    def add(what: str, unit: str, measure: Callable[[str], float], digits: int = 1) -> None:
        rows.append((what, unit, measure("prism"), measure("openai"), digits))

    add("import and client", "ms", lambda name: 1000 * started(name, "client.chat.completions", given.rounds))
    with canned() if given.canned else simulator() as url:
        call = f"client.chat.completions.create(model='{MODEL}', messages={MESSAGES!r})"
        add("import, client and first answer", "ms", lambda name: 1000 * started(name, call, given.rounds, url))
        # Turn about, so that neither has the quieter machine.
        for what, unit, scale, measure in (
            ("one call", "ms", 1000, calls),
            ("one call, async", "ms", 1000, async_calls),
            ("a stream of 10,000 chunks", "s", 1, stream),
            ("a stream of 10,000 chunks, async", "s", 1, async_stream),
        ):
            taken: dict[str, list[float]] = {"prism": [], "openai": []}
            for _ in range(given.rounds):
                for name, times in taken.items():
                    times.append(scale * measure(name, url))
            prism, openai = (statistics.median(taken[name]) for name in ("prism", "openai"))
            rows.append((what, unit, prism, openai, 2))
    if not given.no_install:
        add("installed, dependencies included", "MB", installed)

    print("| | | prism | openai | prism / openai |\n|---|---|---:|---:|---:|")
    for what, unit, prism, openai, digits in rows:
        print(f"| {what} | {unit} | {prism:.{digits}f} | {openai:.{digits}f} | {prism / openai:.2f} |")


MODEL = "simulator/lorem?tokens=10000"


@contextmanager
def simulator() -> Iterator[str]:
    from support.gateway import Gateway

    with Gateway() as gateway:
        yield gateway.url


@contextmanager
def canned() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("canned.py"))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def client(name: str, url: str, *, asynchronous: bool = False):
    """Either, with the same settings."""
    if name == "prism":
        import prism

        return (prism.AsyncPrism if asynchronous else prism.Prism)(api_key="unused", base_url=url)
    import openai

    return (openai.AsyncOpenAI if asynchronous else openai.OpenAI)(api_key="unused", base_url=f"{url}/v1")


def started(name: str, code: str, rounds: int, url: str = "http://127.0.0.1:9") -> float:
    """A process that does this, less one that does nothing."""
    kind = "Prism" if name == "prism" else "OpenAI"
    script = f"from {name} import {kind}\nclient = {kind}()\n{code.replace('?tokens=10000', '?tokens=1')}"
    prefix = {
        "PRISM_BASE_URL": url,
        "PRISM_API_KEY": "unused",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "unused",
    }
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), **prefix}

    def once(script: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
        return time.perf_counter() - began

    once(script)
    nothing = statistics.median(once("pass") for _ in range(rounds))
    return statistics.median(once(script) for _ in range(rounds)) - nothing


def calls(name: str, url: str, count: int = 200) -> float:
    with client(name, url) as each:
        create = each.chat.completions.create
        create(model="simulator/echo", messages=MESSAGES)
        began = time.perf_counter()
        for _ in range(count):
            create(model="simulator/echo", messages=MESSAGES)
        return (time.perf_counter() - began) / count


def async_calls(name: str, url: str, count: int = 200) -> float:
    async def run() -> float:
        async with client(name, url, asynchronous=True) as each:
            create = each.chat.completions.create
            await create(model="simulator/echo", messages=MESSAGES)
            began = time.perf_counter()
            for _ in range(count):
                await create(model="simulator/echo", messages=MESSAGES)
            return (time.perf_counter() - began) / count

    return asyncio.run(run())


def stream(name: str, url: str) -> float:
    with client(name, url) as each:
        each.chat.completions.create(model="simulator/echo", messages=MESSAGES)
        began = time.perf_counter()
        chunks = sum(1 for _ in each.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))
        assert chunks >= 10_000, chunks
        return time.perf_counter() - began


def async_stream(name: str, url: str) -> float:
    async def run() -> float:
        async with client(name, url, asynchronous=True) as each:
            await each.chat.completions.create(model="simulator/echo", messages=MESSAGES)
            began = time.perf_counter()
            chunks = 0
            async for _ in await each.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
                chunks += 1
            assert chunks >= 10_000, chunks
            return time.perf_counter() - began

    return asyncio.run(run())


def installed(name: str) -> float:
    """Everything that pip puts there for one of them, without compiled bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
            "--target",
            folder,
        ]
        subprocess.run([*pip, PACKAGES[name][1]], check=True)
        files = [path for path in Path(folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return sum(path.stat().st_size for path in files) / 1e6


if __name__ == "__main__":
    main()
