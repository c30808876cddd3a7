"""How long a call may take, piece by piece."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

if TYPE_CHECKING:
    import httpx


class Timeout(NamedTuple):
    """Seconds; `None` waits for ever. A plain number given as a timeout is `total`."""

    total: Optional[float] = 600.0
    """The whole call, retries and the waits between them included. For a stream: until the answer begins."""
    connect: Optional[float] = 5.0
    """Until a connection is there."""
    read: Optional[float] = None
    """The longest silence while an answer in one piece is awaited or read."""
    idle: Optional[float] = 300.0
    """The longest silence within a stream."""


class Deadline:
    """When a call has to be over."""

    __slots__ = ("_end", "timeout")

    def __init__(self, timeout: Timeout) -> None:
        self.timeout = timeout
        self._end = None if timeout.total is None else time.monotonic() + timeout.total

    def remaining(self) -> Optional[float]:
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)

    def passed(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def at_most(self, seconds: Optional[float]) -> Optional[float]:
        """Not longer than what is left."""
        remaining = self.remaining()
        if remaining is None or seconds is None:
            return seconds if remaining is None else remaining
        return min(seconds, remaining)


def to_timeout(given: Union[float, Timeout, httpx.Timeout, None]) -> Timeout:
    if given is None:
        return Timeout(total=None, connect=None, idle=None)
    if isinstance(given, Timeout):
        return given
    if isinstance(given, (int, float)):
        return Timeout(total=float(given), idle=float(given))
    return Timeout(total=None, connect=given.connect, read=given.read, idle=given.read)
