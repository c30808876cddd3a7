"""`text/event-stream`, incrementally: bytes in, events out, however they were cut.

Lines end at CR, LF or CRLF and nowhere else: U+2028 and its like are text, which is why nothing is decoded before the
lines are known.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from ._errors import APIError

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes of one event that are kept while its end is awaited."""

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    data: bytes
    event: Optional[str] = None
    id: Optional[str] = None
    retry: Optional[int] = None


class SSEDecoder:
    def __init__(self, largest: int = LARGEST_EVENT) -> None:
        self._largest = largest
        self._pieces: List[bytes] = []  # of a line whose end has not come
        self._held = 0
        self._after_cr = False
        self._first = True
        self._data: List[bytes] = []
        self._event: Optional[str] = None
        self._id: Optional[str] = None
        self._retry: Optional[int] = None

    def feed(self, chunk: bytes) -> List[ServerSentEvent]:
        """The events that are complete now."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if not end:
            self._hold(chunk)
            return []
        self._after_cr = end == len(chunk) and chunk[-1:] == b"\r"
        head = b"".join((*self._pieces, chunk[:end])) if self._pieces else chunk[:end]
        self._pieces.clear()
        self._held = sum(map(len, self._data))
        events: List[ServerSentEvent] = []
        for line in head.splitlines():  # of bytes: only CR, LF and CRLF
            self._line(line, events)
        self._hold(chunk[end:])
        return events

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._held += len(piece)
            self._check()

    def _check(self) -> None:
        if self._held > self._largest:
            raise APIError(f"an event of the stream is larger than {self._largest} bytes")

    def _line(self, line: bytes, events: List[ServerSentEvent]) -> None:
        if self._first:
            self._first = False
            line = line[3:] if line.startswith(_BOM) else line
        if not line:
            if self._data:
                data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                events.append(ServerSentEvent(data, self._event, self._id, self._retry))
                self._data = []
                self._held = 0
            self._event = self._retry = None
            return
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._data.append(value)
            self._held += len(value)
            self._check()
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self._retry = int(value)
