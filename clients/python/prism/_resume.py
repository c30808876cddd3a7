"""Streams that survive a lost connection: under `x-prism-resumable` the gateway goes on, and the same request with the last
event's id gets what came after it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Awaitable, Callable, Dict, Mapping, Optional

from ._retries import backoff

if TYPE_CHECKING:
    import anyio
    import httpx

MOST_TRIES = 10
"""Connections in a row that bring nothing new."""


class Place:
    """How far a stream was read, and how long it may be asked for again. Nothing here waits or sends."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._id: Optional[str] = None
        self._began = False
        self._tries = 0
        self._until: Optional[float] = None

    def passed(self, event_id: Optional[str]) -> None:
        self._id, self._began = event_id, True
        self._tries, self._until = 0, None

    @property
    def remaining(self) -> float:
        """Seconds for which the gateway still waits for us."""
        return self._seconds if self._until is None else max(self._until - time.monotonic(), 0.0)

    def wait(self, asked: Optional[float]) -> Optional[float]:
        """Seconds until the next try; None when it would be one too many, too late, or of a stream without ids."""
        if self._until is None:
            self._until = time.monotonic() + self._seconds
        wait = backoff(self._tries) if asked is None else asked
        self._tries += 1
        without_ids = self._began and not self._id
        return None if without_ids or self._tries > MOST_TRIES or wait >= self.remaining else wait

    def headers(self) -> Dict[str, str]:
        return {"last-event-id": self._id} if self._id else {}


class Again:
    """What came of one request for the rest."""

    __slots__ = ("asked", "hopeless", "response")

    def __init__(
        self, response: Optional[httpx.Response] = None, *, hopeless: bool = False, asked: Optional[float] = None
    ) -> None:
        self.response, self.hopeless, self.asked = response, hopeless, asked


class Body:
    """The answer that is being read: another one after each lost connection."""

    def __init__(self, response: httpx.Response, place: Optional[Place], ask: Callable[[Place], Again]) -> None:
        self.response, self.place = response, place
        self._ask = ask
        self._left = threading.Event() if place else None

    def goes_on(self) -> bool:
        """After a lost connection: whether the rest is there. Waits for it."""
        if self.place is None or self._left is None:
            return False
        self.response.close()
        again = Again()
        while (wait := self.place.wait(again.asked)) is not None:
            if self._left.wait(wait):
                return False
            again = self._ask(self.place)
            if again.response is not None:
                self.response = again.response
                if self._left.is_set():
                    self.response.close()
                return not self._left.is_set()
            if again.hopeless:
                return False
        return False

    @property
    def is_left(self) -> bool:
        """By its owner, who wants no more of it."""
        return self._left is not None and self._left.is_set()

    def close(self) -> None:
        if self._left is not None:
            self._left.set()
        self.response.close()


class AsyncBody:
    """The sibling of `Body`."""

    def __init__(
        self, response: httpx.Response, place: Optional[Place], ask: Callable[[Place], Awaitable[Again]]
    ) -> None:
        self.response, self.place = response, place
        self._ask = ask
        self._left = _async_event() if place else None

    async def goes_on(self) -> bool:
        """After a lost connection: whether the rest is there. Waits for it."""
        if self.place is None or self._left is None:
            return False
        import anyio

        await self.response.aclose()
        again = Again()
        while (wait := self.place.wait(again.asked)) is not None:
            with anyio.move_on_after(wait):
                await self._left.wait()
                return False
            again = await self._ask(self.place)
            if again.response is not None:
                self.response = again.response
                if self._left.is_set():
                    await self.response.aclose()
                return not self._left.is_set()
            if again.hopeless:
                return False
        return False

    @property
    def is_left(self) -> bool:
        """By its owner, who wants no more of it."""
        return self._left is not None and self._left.is_set()

    async def close(self) -> None:
        if self._left is not None:
            self._left.set()
        await self.response.aclose()


def seconds_of(headers: Mapping[str, Optional[str]]) -> Optional[float]:
    """For how long a stream asked for with these headers may be resumed; a wrong number is the gateway's to refuse."""
    text = headers.get("x-prism-resumable")
    return float(text) if text is not None and text.isdecimal() else None


def _async_event() -> anyio.Event:
    import anyio

    return anyio.Event()
