"""A scripted provider on a real socket.

It runs in a thread with its own event loop and speaks HTTP/1.1 by hand, so that a test decides every byte, when it is
sent and how the connection ends, and sees exactly the bytes that arrived and the moment the other side left.

A *script* is an async function of an `Exchange`; `json_reply`, `sse`, `raw`, `silence`, … make common ones. Without a
script the exchange is *held*: the test gets it from `take()` and drives it step by step from its own thread.
"""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from .waiting import eventually

Headers = Iterable[tuple[str, str]]


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    raw_head: bytes
    at: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)


class PeerGone(Exception):
    """The gateway closed the connection."""


class Exchange:
    """One request and the connection to answer it on. Lives in the upstream's loop."""

    def __init__(self, request: Received, peer: _Peer):
        self.request = request
        self._peer = peer
        self.keep_alive = False
        self.finished = asyncio.Event()

    async def send(self, data: bytes) -> None:
        self._peer.writer.write(data)
        await self._peer.writer.drain()

    async def head(self, status: int = 200, headers: Headers = (), reason: str = "Scripted") -> None:
        lines = [f"HTTP/1.1 {status} {reason}"] + [f"{name}: {value}" for name, value in headers]
        await self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    async def chunk(self, data: bytes) -> None:
        """One chunk of `Transfer-Encoding: chunked`."""
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        """The last chunk; the connection stays usable."""
        await self.send(b"0\r\n\r\n")
        self.keep_alive = True

    def reset(self) -> None:
        """RST instead of FIN: what was not read yet is lost."""
        sock = self._peer.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._peer.writer.transport.abort()

    async def gone(self) -> None:
        """Until the gateway closes the connection."""
        await self._peer.gone()

    @property
    def closed_at(self) -> float | None:
        """`time.monotonic()` when the gateway closed the connection."""
        return self._peer.closed_at


Script = Callable[[Exchange], Awaitable[None]]


class Call:
    """An exchange in the hands of the test's thread."""

    def __init__(self, exchange: Exchange, loop: asyncio.AbstractEventLoop):
        self.exchange = exchange
        self.request = exchange.request
        self._loop = loop

    def _run(self, coroutine, timeout: float = 20):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def send(self, data: bytes) -> None:
        self._run(self.exchange.send(data))

    def head(self, status: int = 200, headers: Headers = (), reason: str = "Scripted") -> None:
        self._run(self.exchange.head(status, headers, reason))

    def stream_head(self) -> None:
        self.head(200, EVENT_STREAM)

    def chunk(self, data: bytes) -> None:
        self._run(self.exchange.chunk(data))

    def run(self, script: Script) -> None:
        """Plays a whole script and finishes."""
        self._run(script(self.exchange))
        self.finish()

    def end(self) -> None:
        self._run(self.exchange.end())
        self.finish()

    def reset(self) -> None:
        self._loop.call_soon_threadsafe(self.exchange.reset)
        self.finish()

    def close(self) -> None:
        """FIN, wherever the answer stands."""
        self.finish()

    def finish(self) -> None:
        self._loop.call_soon_threadsafe(self.exchange.finished.set)

    @property
    def is_closed(self) -> bool:
        return self.exchange.closed_at is not None

    def closed_within(self, since: float, timeout: float = 10) -> float:
        """Seconds from `since` until the gateway closed the connection."""
        eventually(lambda: self.is_closed, timeout, "the gateway to close the upstream connection")
        return self.exchange.closed_at - since


class _Peer:
    """One accepted connection: everything that arrives is read at once, so that a close is seen at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer
        self.buffer = bytearray()
        self.closed_at: float | None = None
        self._news = asyncio.Event()
        self._pump = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        try:
            while data := await self.reader.read(1 << 16):
                self.buffer += data
                self._news.set()
        except (OSError, ssl.SSLError):
            pass
        finally:
            self.closed_at = time.monotonic()
            self._news.set()

    async def _more(self) -> None:
        self._news.clear()
        if self.closed_at is not None:
            raise PeerGone
        await self._news.wait()

    async def gone(self) -> None:
        while self.closed_at is None:
            self._news.clear()
            await self._news.wait()

    async def until(self, mark: bytes) -> bytes:
        while (at := self.buffer.find(mark)) < 0:
            await self._more()
        return self._cut(at + len(mark))

    async def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            await self._more()
        return self._cut(count)

    def _cut(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def request(self) -> Received:
        raw = await self.until(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        method, path, version = first.split(" ", 2)
        headers = [(name, value.strip()) for name, value in (line.split(":", 1) for line in lines)]
        received = Received(method, path, version, headers, b"", raw)
        if "chunked" in (received.header("transfer-encoding") or ""):
            while size := int((await self.until(b"\r\n")).split(b";")[0], 16):
                received.body += await self.exactly(size)
                await self.until(b"\r\n")
            await self.until(b"\r\n")
        else:
            received.body = await self.exactly(int(received.header("content-length") or 0))
        return received


class Upstream:
    """One scripted provider. `requests` holds what arrived, listings of models aside."""

    def __init__(self, tls: ssl.SSLContext | None = None):
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True)
        self.reset()

    def reset(self) -> None:
        """Forget scripts and requests; connections stay."""
        self.requests: list[Received] = []
        self.listings: list[Received] = []
        self.scripts: deque[Script] = deque()
        self.default: Script | None = None
        self.models: list[str] | Script | None = None
        self._held: queue.Queue[Call] = queue.Queue()
        self.problems: list[BaseException] = []

    def __enter__(self) -> Upstream:
        self._thread.start()
        self._server = self._await(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=1 << 16))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(5)

    def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_later(0.01, self._loop.stop)

    def _await(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def call_soon(self, call: Callable[[], object]) -> None:
        """In the loop that the scripts run in."""
        self._loop.call_soon_threadsafe(call)

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def script(self, *scripts: Script) -> None:
        """What the next requests get, one script each; after them `always`, or held."""
        self.scripts.extend(scripts)

    def always(self, script: Script) -> None:
        self.default = script

    def take(self, timeout: float = 10) -> Call:
        """The next held request."""
        try:
            return self._held.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no request arrived at the upstream within {timeout} s") from None

    @property
    def last(self) -> Received:
        assert self.requests, "nothing arrived at the upstream"
        return self.requests[-1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _Peer(reader, writer)
        try:
            keep_alive = True
            while keep_alive:
                request = await peer.request()
                exchange = Exchange(request, peer)
                await self._choose(request)(exchange)
                keep_alive = exchange.keep_alive
        except (PeerGone, OSError, asyncio.CancelledError):
            pass
        except Exception as problem:  # a test's own script failed: shown by the fixture
            self.problems.append(problem)
        finally:
            writer.close()

    def _choose(self, request: Received) -> Script:
        if request.method == "GET":
            self.listings.append(request)
            if callable(self.models):
                return self.models
            if self.models is None:
                return error_reply(404, "no listing here")
            return json_reply({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        self.requests.append(request)
        if self.scripts:
            return self.scripts.popleft()
        return self.default or self._hold

    async def _hold(self, exchange: Exchange) -> None:
        self._held.put(Call(exchange, self._loop))
        finished = asyncio.ensure_future(exchange.finished.wait())
        gone = asyncio.ensure_future(exchange.gone())
        await asyncio.wait({finished, gone}, return_when=asyncio.FIRST_COMPLETED)
        finished.cancel(), gone.cancel()


# Scripts.

EVENT_STREAM = (("content-type", "text/event-stream"), ("transfer-encoding", "chunked"))


def json_reply(value, status: int = 200, headers: Headers = (), content_type: str = "application/json") -> Script:
    """A whole answer; `value` is sent as it is when it is bytes."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()

    async def script(x: Exchange) -> None:
        await x.head(status, [("content-type", content_type), ("content-length", str(len(body))), *headers])
        await x.send(body)
        x.keep_alive = True

    return script


def error_reply(status: int, message: str = "scripted failure", headers: Headers = (), **error) -> Script:
    body = {"error": {"message": message, "type": "scripted_error", "param": None, "code": None} | error}
    return json_reply(body, status, headers)


def sse(*frames: bytes, pause: float = 0.0, status: int = 200) -> Script:
    """A stream that sends each frame as one chunk and ends cleanly."""

    async def script(x: Exchange) -> None:
        await x.head(status, EVENT_STREAM)
        for frame in frames:
            await x.chunk(frame)
            if pause:
                await asyncio.sleep(pause)
        await x.end()

    return script


def raw(*pieces: bytes, pause: float = 0.0, reset: bool = False) -> Script:
    """These bytes, whatever they are; then the connection is closed, or reset."""

    async def script(x: Exchange) -> None:
        for piece in pieces:
            await x.send(piece)
            await asyncio.sleep(pause)
        if reset:
            x.reset()

    return script


async def silence(x: Exchange) -> None:
    """Never answers."""
    await x.gone()


async def reset_at_once(x: Exchange) -> None:
    x.reset()


# Bodies.

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def completion(content: str | None = "pong", finish_reason: str = "stop", **extra) -> dict:
    """A chat completion as OpenAI answers it; `extra` overrides top-level fields."""
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "scripted-2026",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": USAGE,
    } | extra


def chunk(delta: dict | None = None, finish_reason: str | None = None, **extra) -> dict:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "scripted-2026",
        "choices": choices,
    } | extra


def event(value, end: bytes = b"\n\n") -> bytes:
    """One SSE event; a `str` or `bytes` is its data as it is."""
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + (value if isinstance(value, bytes) else value.encode()) + end


DONE = event("[DONE]")
USAGE_EVENT = event(chunk(usage=USAGE))


def stream_frames(*texts: str, usage: bool = False, finish_reason: str = "stop") -> list[bytes]:
    """The frames of a chat stream as OpenAI sends it."""
    frames = [event(chunk({"role": "assistant", "content": ""}))]
    frames += [event(chunk({"content": text})) for text in texts]
    frames.append(event(chunk({}, finish_reason)))
    if usage:
        frames.append(USAGE_EVENT)
    return [*frames, DONE]
