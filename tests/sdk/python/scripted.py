"""A server whose answers are scripted, byte by byte, and that remembers what it was asked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self):
        return json.loads(self.body)


class Peer:
    """The client's side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, *pieces: bytes | str, pause: float = 0) -> None:
        for piece in pieces:
            self.sock.sendall(piece.encode() if isinstance(piece, str) else piece)
            if pause:
                time.sleep(pause)

    def gone(self, timeout: float = 5) -> bool:
        """Whether the client closes within this time."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True


Script = Callable[[Request, Peer], bool | None]
"""Answers; True keeps the connection open for the next request."""


def answer(status: int = 200, body: object = None, headers: dict[str, object] | None = None) -> Script:
    """A whole answer; objects are sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(CHAT if body is None else body).encode()
    lines = {"content-type": "application/json", "content-length": len(content), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"

    def script(_: Request, peer: Peer) -> bool:
        peer.send(head.encode() + content)
        return True

    return script


def error(status: int, headers: dict[str, object] | None = None, **details: object) -> Script:
    body = {"error": {"message": "no", "type": "t", "param": "p", "code": "c", **details}}
    return answer(status, body, headers)


STREAM_HEAD = (
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-prism-provider: scripted\r\n"
    "x-request-id: req_s\r\ntransfer-encoding: chunked\r\n\r\n"
)


def framed(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def stream(pieces: Iterable[bytes | str], *, end: bytes = b"0\r\n\r\n", pause: float = 0) -> Script:
    """These pieces as chunks of a body; without `end` the connection breaks."""
    encoded = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]

    def script(_: Request, peer: Peer) -> bool:
        peer.send(STREAM_HEAD, *(framed(piece) for piece in encoded), pause=pause)
        peer.send(end)
        return bool(end)

    return script


def chunk(text: str) -> str:
    return "data: " + json.dumps({**CHUNK, "choices": [{**CHUNK["choices"][0], "delta": {"content": text}}]}) + "\n\n"


DONE = "data: [DONE]\n\n"
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "scripted",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "scripted",
    "choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": None, "finish_reason": None}],
}


class Scripted:
    """`with Scripted(first, second) as server:` plays one script per request, the last one again and again."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.requests: list[Request] = []
        self.problems: list[BaseException] = []
        self._lock = threading.Lock()
        self._connections = 0

    def __enter__(self) -> Scripted:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        assert not self.problems, self.problems

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._connections += 1
            threading.Thread(target=self._serve, args=(sock, self._connections), daemon=True).start()

    def _serve(self, sock: socket.socket, connection: int) -> None:
        with sock, sock.makefile("rb") as reader:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while (request := _read(reader, connection)) is not None:
                    with self._lock:
                        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
                        self.requests.append(request)
                    if not script(request, Peer(sock)):
                        return
            except OSError:
                pass  # the client left
            except BaseException as problem:
                self.problems.append(problem)


def _read(reader, connection: int) -> Request | None:
    line = reader.readline().decode()
    if not line:
        return None
    method, path, _ = line.split(" ")
    headers: dict[str, str] = {}
    while (line := reader.readline().decode().rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
    else:
        body = reader.read(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, connection)
