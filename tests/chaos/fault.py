"""What a fault is, and what the faults share: scales, clients, figures."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.gateway import Gateway, ask
from support.http1 import Reply, request_bytes
from support.upstream import EVENT_STREAM, Exchange, Script, Upstream, stream_frames


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    requests: int
    streams: int
    idle_streams: int
    drained_streams: int
    large_bodies: int
    restarts: int
    rounds: int  # with a trouble and without it
    window: int  # requests to each side in one
    strict: bool  # figures of time are held to their bars, for which the machine has to be quiet

    @classmethod
    def full(cls) -> Scale:
        return cls(requests=400, streams=100, idle_streams=1000, drained_streams=500, large_bodies=200, restarts=6,
                   rounds=40, window=600, strict=True)

    @classmethod
    def short(cls) -> Scale:
        return cls(requests=60, streams=20, idle_streams=100, drained_streams=50, large_bodies=40, restarts=2,
                   rounds=2, window=60, strict=False)


@dataclass
class Finding:
    fault: str
    promise: str
    figure: str
    passed: bool
    seconds: float


@dataclass
class Fault:
    name: str
    promise: str
    run: Callable[[Scale], tuple[str, bool]]


FAULTS: list[Fault] = []


def fault(name: str, promise: str):
    """The function answers with a figure and whether the promise held."""

    def listed(run):
        FAULTS.append(Fault(name, promise, run))
        return run

    return listed


@contextmanager
def upstreams(count: int) -> Iterator[list[Upstream]]:
    all_of_them = [Upstream() for _ in range(count)]
    for one in all_of_them:
        one.__enter__()
    try:
        yield all_of_them
    finally:
        for one in all_of_them:
            one.__exit__()


@dataclass
class Timed:
    reply: Reply
    seconds: float


def timed(gateway: Gateway, body: dict, headers=()) -> Timed:
    began = time.monotonic()
    reply = gateway.chat(body, headers, timeout=60)
    return Timed(reply, time.monotonic() - began)


def calls(gateway: Gateway, count: int, at_once: int = 4, body: dict | None = None, headers=()) -> list[Timed]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: timed(gateway, body or ask(), headers), range(count)))


def quantile(samples: list[float], share: float) -> float:
    return sorted(samples)[min(int(len(samples) * share), len(samples) - 1)]


def answered(replies: list[Timed]) -> str:
    return f"{sum(one.reply.status == 200 for one in replies)} of {len(replies)} answered"


def all_answered(replies: list[Timed]) -> bool:
    return all(one.reply.status == 200 for one in replies)


class Gate:
    """A stream's script: one frame, then nothing until the gate is opened, then the rest."""

    def __init__(self, upstream: Upstream):
        self.upstream = upstream
        self.frames = stream_frames("first", "last")
        self.opened = asyncio.Event()

    async def script(self, x: Exchange) -> None:
        await x.head(200, EVENT_STREAM)
        await x.chunk(self.frames[0])
        await self.opened.wait()
        for frame in self.frames[1:]:
            await x.chunk(frame)
        await x.end()

    def open(self) -> None:
        self.upstream.call_soon(self.opened.set)


@dataclass
class Streams:
    """Many clients, each reading one stream, in a thread of their own."""

    port: int
    count: int
    model: str = "acme-large"
    begun: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Streams:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="streams", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 120
        while self.begun < self.count:
            assert time.monotonic() < deadline and self._thread.is_alive(), f"{self.begun} of {self.count} streams began"
            time.sleep(0.02)
        return self

    def __exit__(self, *_) -> None:
        self._thread.join(60)

    async def _all(self) -> None:
        turn = asyncio.Semaphore(50)  # the listener's queue is not what is tested here
        self.bodies = await asyncio.gather(*(self._one(turn) for _ in range(self.count)))

    async def _one(self, turn: asyncio.Semaphore) -> bytes:
        async with turn:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            body = ask(self.model, stream=True)
            writer.write(request_bytes("POST", "/v1/chat/completions", body, [("connection", "close")]))
            received = await reader.readuntil(b"data: ")
            self.begun += 1
        try:
            while piece := await reader.read(1 << 16):
                received += piece
        except ConnectionError:
            pass
        writer.close()
        return received

    @property
    def whole(self) -> int:
        """How many ended as a stream ends."""
        return sum(b"[DONE]" in body and body.endswith(b"0\r\n\r\n") for body in self.bodies)


def then(*scripts: Script) -> Script:
    """One after the other, round and round."""
    turn = [0]

    async def script(x: Exchange) -> None:
        turn[0] += 1
        await scripts[(turn[0] - 1) % len(scripts)](x)

    return script
