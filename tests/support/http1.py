"""An HTTP/1.1 client that sends exactly the bytes it is given and shows exactly the bytes that come back."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    raw_head: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)

    def error(self) -> dict:
        """The error of an OpenAI envelope, checked."""
        assert (self.header("content-type") or "").startswith("application/json"), (self.status, self.headers, self.body)
        document = self.json()
        assert set(document) == {"error"}, document
        error = document["error"]
        assert {"message", "type", "param", "code"} <= set(error), error
        assert isinstance(error["message"], str) and error["message"], error
        assert isinstance(error["type"], str) and error["type"], error
        assert error["param"] is None or isinstance(error["param"], str), error
        assert error["code"] is None or isinstance(error["code"], str), error
        return error


class ConnectionEnded(Exception):
    """The server closed; `data` is what had arrived."""

    def __init__(self, data: bytes):
        super().__init__(f"the server closed the connection after {len(data)} bytes: {data[:200]!r}")
        self.data = data


class Connection:
    def __init__(self, port: int, host: str = "127.0.0.1", timeout: float = 20, tls: ssl.SSLContext | None = None,
                 source: str | None = None, receive_buffer: int | None = None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def request(self, method: str, path: str, body: bytes | dict | None = None,
                headers: Iterable[tuple[str, str]] = ()) -> None:
        self.send(request_bytes(method, path, body, headers))

    def _more(self) -> None:
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionEnded(self.buffer)
        self.buffer += data

    def until(self, mark: bytes) -> bytes:
        while (at := self.buffer.find(mark)) < 0:
            self._more()
        return self._cut(at + len(mark))

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        return self._cut(count)

    def _cut(self, count: int) -> bytes:
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self) -> Reply:
        """The next answer's head; informational ones (100 Continue) are skipped."""
        while True:
            raw = self.until(b"\r\n\r\n")
            first, *lines = raw[:-4].decode("latin-1").split("\r\n")
            status = int(re.fullmatch(r"HTTP/1\.[01] (\d{3})(?: .*)?", first)[1])
            headers = [(name, value.strip()) for name, value in (line.split(":", 1) for line in lines)]
            if status >= 200:
                return Reply(status, headers, b"", raw)

    def pieces(self, reply: Reply) -> Iterator[bytes]:
        """The body as its chunks arrive. Raises `ConnectionEnded` when it is cut short."""
        if "chunked" in (reply.header("transfer-encoding") or ""):
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                yield self.exactly(size)
                self.until(b"\r\n")
            self.until(b"\r\n")
        elif (length := reply.header("content-length")) is not None:
            if int(length):
                yield self.exactly(int(length))
        else:
            try:
                while True:
                    if self.buffer:
                        yield self._cut(len(self.buffer))
                    self._more()
            except ConnectionEnded:
                return

    def reply(self, bodyless: bool = False) -> Reply:
        reply = self.head()
        if not bodyless and reply.status not in (204, 304):
            reply.body = b"".join(self.pieces(reply))
        return reply

    def is_closed_by_server(self) -> bool:
        """Waits for the server's close, up to the timeout; anything it still sends fails the question."""
        try:
            return not self.buffer and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            while True:
                self._more()
        except (ConnectionEnded, ConnectionResetError):
            return self._cut(len(self.buffer))


def request_bytes(method: str, path: str, body: bytes | dict | None = None,
                  headers: Iterable[tuple[str, str]] = ()) -> bytes:
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: prism.test"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


@dataclass
class Event:
    """One server-sent event."""

    name: str | None
    data: str
    id: str | None = None

    def json(self):
        return json.loads(self.data)


def events(body: bytes) -> list[Event]:
    """The events of a complete stream, split at CR and LF only, as the standard says."""
    found, name, data, number = [], None, [], None
    for line in re.split(r"\r\n|\n|\r", body.decode()):
        if not line:
            if data:
                found.append(Event(name, "\n".join(data), number))
            name, data, number = None, [], None
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("event:"):
            name = line[6:].removeprefix(" ")
        elif line.startswith("id:"):
            number = line[3:].removeprefix(" ")
    if data:
        found.append(Event(name, "\n".join(data), number))
    return found


def text_of(body: bytes) -> str:
    """The content of a chat stream, put together."""
    deltas = [choice["delta"] for e in events(body) if e.data != "[DONE]" for choice in e.json().get("choices", ())]
    return "".join(delta.get("content") or "" for delta in deltas)
