"""Clients that keep the gateway busy and remember what they were promised."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field

WHOLE = json.dumps({"model": "simulator/echo", "messages": [{"role": "user", "content": "hello"}]}).encode()
STREAM = json.dumps({"model": "simulator/lorem?tokens=40&pace=2ms", "stream": True,
                     "messages": [{"role": "user", "content": "hello"}]}).encode()


@dataclass
class Tally:
    """What clients have seen. A request whose answer's head has arrived with 200 was admitted; one whose connection broke before may
    have been."""

    sent: int = 0
    admitted: list[str] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    left: int = 0
    seconds: float = 0

    @property
    def rate(self) -> float:
        return len(self.admitted) / self.seconds if self.seconds else 0


class Load:
    """`with Load(port) as load:` asks with so many connections until the block ends; every `stream`th request is a stream, and
    of those a share is left at a random byte."""

    def __init__(self, port: int, connections: int = 48, stream: int = 8, leaving: float = 0.0):
        self.port, self.connections, self.stream, self.leaving = port, connections, stream, leaving
        self.tally = Tally()
        self._numbers = itertools.count()
        self._stop = threading.Event()

    def __enter__(self) -> Load:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(60)
        self.tally.seconds = time.monotonic() - self._began

    async def _all(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.connections)))

    async def _client(self) -> None:
        while not self._stop.is_set():
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                while not self._stop.is_set():
                    await asyncio.wait_for(self._request(reader, writer), 30)
            except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                await asyncio.sleep(0.02)
            finally:
                if writer:
                    writer.transport.abort()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        streams = number % self.stream == 0
        body = STREAM if streams else WHOLE
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                     b"x-prism-request-id: c%d\r\ncontent-length: %d\r\n\r\n" % (number, len(body)) + body)
        self.tally.sent += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except BaseException:
            self.tally.unanswered += 1
            raise
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
        headers = {name.lower(): value for name, value in lines}
        if not head.startswith(b"HTTP/1.1 200"):
            self.tally.refused += 1
            await reader.readexactly(int(headers.get("content-length", 0)))
            await asyncio.sleep(0.01)
            return
        self.tally.admitted.append(headers["x-prism-request-id"])
        if streams and random.random() < self.leaving:
            self.tally.left += 1
            await reader.read(random.randrange(1, 4000))
            raise OSError("left")
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
            return
        while size := int(await reader.readline() or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readline()
