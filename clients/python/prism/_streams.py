"""Streams of typed events. Left early, by `break`, by an exception or by the end of a `with`, they close the connection.

A resumable one (`Body`) goes on after a lost connection; a caller's limit on silence is no lost connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, AsyncIterator, Generic, Iterator, Mapping, Optional, Type, TypeVar

from ._errors import APIConnectionError, APIError, APITimeoutError
from ._meta import PrismMeta
from ._retries import as_api_error
from ._sse import ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from ._resume import AsyncBody, Body

T = TypeVar("T")


class _Reader(Generic[T]):
    """Events into objects, and what their end means."""

    def __init__(self, response: httpx.Response, kind: Any, end: str) -> None:
        from ._models import model

        self._model, self._kind, self._headers = model, kind, response.headers
        self._end = end.encode()

    def ends(self, event: ServerSentEvent) -> bool:
        return bool(self._end) and event.data == self._end

    def read(self, event: ServerSentEvent) -> T:
        if event.event == "error" or b'"error"' in event.data:
            self._raise_error(event)
        made: T = self._model(self._kind, event.data, self._headers)
        return made

    def _raise_error(self, event: ServerSentEvent) -> None:
        from ._models import parsed

        body = parsed(event.data)
        error = body.get("error") if isinstance(body, Mapping) else None
        if event.event == "error" or error:
            message = error.get("message") if isinstance(error, Mapping) else None
            raise APIError(str(message or error or body), body=body)

    def cut(self) -> Optional[APIError]:
        """A body that ended although its last event has not come."""
        return APIConnectionError("the stream ended before its last event") if self._end else None


class Stream(Generic[T]):
    """`for chunk in stream`; also a context manager."""

    def __init__(self, body: Body, kind: Type[T], end: str = "[DONE]") -> None:
        self.response = body.response
        self._body = body
        self._items = _items(body, _Reader[T](body.response, kind, end))

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about the answer."""
        return PrismMeta(self.response.headers)

    @property
    def request_id(self) -> Optional[str]:
        return self.prism.request_id

    def __iter__(self) -> Iterator[T]:
        return self._items

    def __next__(self) -> T:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the gateway stops the provider."""
        self._body.close()


def _items(body: Body, reader: _Reader[T]) -> Iterator[T]:
    # Refers to no stream, so that one which nobody holds any more is closed at once.
    import httpx

    place = body.place
    try:
        while True:
            decoder = SSEDecoder()
            try:
                for piece in body.response.iter_bytes():
                    for event in decoder.feed(piece):
                        if reader.ends(event):
                            return
                        item = reader.read(event)
                        if place is not None:
                            place.passed(event.id)
                        yield item
                if (error := reader.cut()) is None:
                    return
            except httpx.RequestError as failure:
                if body.is_left or body.response.is_closed:
                    return  # by its owner
                error = as_api_error(failure, timed_out=isinstance(failure, httpx.TimeoutException))
                error.__cause__ = failure
            except httpx.StreamClosed:
                return  # by its owner
            if isinstance(error, APITimeoutError) or not body.goes_on():
                if body.is_left:
                    return
                raise error
    finally:
        body.close()


class AsyncStream(Generic[T]):
    """`async for chunk in stream`; also a context manager."""

    def __init__(self, body: AsyncBody, kind: Type[T], end: str = "[DONE]") -> None:
        self.response = body.response
        self._body = body
        self._items = _async_items(body, _Reader[T](body.response, kind, end))

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about the answer."""
        return PrismMeta(self.response.headers)

    @property
    def request_id(self) -> Optional[str]:
        return self.prism.request_id

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items

    async def __anext__(self) -> T:
        return await self._items.__anext__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; the gateway stops the provider."""
        await self._body.close()


async def _async_items(body: AsyncBody, reader: _Reader[T]) -> AsyncIterator[T]:
    import httpx

    place = body.place
    try:
        while True:
            decoder = SSEDecoder()
            try:
                async for piece in body.response.aiter_bytes():
                    for event in decoder.feed(piece):
                        if reader.ends(event):
                            return
                        item = reader.read(event)
                        if place is not None:
                            place.passed(event.id)
                        yield item
                if (error := reader.cut()) is None:
                    return
            except httpx.RequestError as failure:
                if body.is_left or body.response.is_closed:
                    return  # by its owner
                error = as_api_error(failure, timed_out=isinstance(failure, httpx.TimeoutException))
                error.__cause__ = failure
            except httpx.StreamClosed:
                return  # by its owner
            if isinstance(error, APITimeoutError) or not await body.goes_on():
                if body.is_left:
                    return
                raise error
    finally:
        await body.close()
