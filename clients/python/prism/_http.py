"""Everything that needs httpx when it is imported. Imported by the first call: it takes as long as all the rest."""

from __future__ import annotations

from typing import Any, Dict, Generator, Iterator, Optional

import httpx
from httpx import USE_CLIENT_DEFAULT as USE_CLIENT_DEFAULT

from ._errors import APITimeoutError
from ._secret import Secret
from ._timeouts import Deadline

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects, httpx.DecodingError)
"""What would fail again."""


class Bearer(httpx.Auth):
    """Puts the key into a request at the last moment, so that no dict of headers holds it."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if "authorization" not in request.headers:
            request.headers["authorization"] = f"Bearer {self._secret.reveal()}"
        yield request


def scrub(response: httpx.Response) -> None:
    """An answer is shown, pickled and logged; the key with which it was asked for is not needed any more."""
    for each in (*response.history, response):
        scrub_request(each.request)


def scrub_request(request: httpx.Request) -> None:
    for name in ("authorization", "x-api-key"):
        request.headers.pop(name, None)


def scrub_error(error: httpx.RequestError) -> None:
    try:
        scrub_request(error.request)
    except RuntimeError:  # it has none
        pass


def timeouts(deadline: Deadline) -> httpx.Timeout:
    connect, read = deadline.at_most(deadline.timeout.connect), deadline.at_most(deadline.timeout.read)
    return httpx.Timeout(connect=connect, pool=connect, read=read, write=read)


def let_stream_rest(response: httpx.Response, idle: Optional[float]) -> None:
    """From now on silence counts, not the time since the start. httpcore looks here when it begins to read a body."""
    limits: Dict[str, Any] = response.request.extensions.get("timeout", {})
    limits["read"] = idle


class Bounded(httpx.SyncByteStream):
    """A body that must be read before the deadline."""

    def __init__(self, stream: httpx.SyncByteStream, response: httpx.Response, deadline: Deadline) -> None:
        self._stream, self._response, self._deadline = stream, response, deadline

    def __iter__(self) -> Iterator[bytes]:
        self._limit()
        for piece in self._stream:
            yield piece
            if self._deadline.passed():
                raise APITimeoutError()

    def _limit(self) -> None:
        limits: Dict[str, Any] = self._response.request.extensions.get("timeout", {})
        limits["read"] = self._deadline.at_most(self._deadline.timeout.read)

    def close(self) -> None:
        self._stream.close()
