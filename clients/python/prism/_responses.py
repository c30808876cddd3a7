"""Answers with their HTTP: `with_raw_response`, `with_streaming_response`, and answers that are bytes."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Generic,
    Iterator,
    Optional,
    Type,
    TypeVar,
    Union,
)

from ._meta import PrismMeta

if TYPE_CHECKING:
    import os
    from types import TracebackType

    import httpx
    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")


class _Answer:
    def __init__(self, http_response: httpx.Response) -> None:
        self.http_response = http_response

    @property
    def headers(self) -> httpx.Headers:
        return self.http_response.headers

    @property
    def status_code(self) -> int:
        return self.http_response.status_code

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about the answer."""
        return PrismMeta(self.headers)

    @property
    def request_id(self) -> Optional[str]:
        return self.prism.request_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}]>"


class BinaryResponse(_Answer):
    """An answer that is not JSON: bytes, or text."""

    @property
    def content(self) -> bytes:
        return self.http_response.content

    @property
    def text(self) -> str:
        return self.http_response.text

    def read(self) -> bytes:
        return self.content

    def write_to_file(self, path: Union[str, os.PathLike[str]]) -> None:
        with open(path, "wb") as file:
            file.write(self.content)


class APIResponse(_Answer, Generic[T]):
    """What `client.….with_raw_response.method(…)` gives: `parse()` is what the method itself gives."""

    def __init__(self, http_response: httpx.Response, parse: Callable[[], T]) -> None:
        super().__init__(http_response)
        self._parse = parse

    def parse(self) -> T:
        return self._parse()

    @property
    def content(self) -> bytes:
        return self.http_response.content

    @property
    def text(self) -> str:
        return self.http_response.text

    def json(self) -> Any:
        return self.http_response.json()


class StreamedResponse(_Answer, Generic[T]):
    """An answer whose body was not read yet."""

    def __init__(self, http_response: httpx.Response, parse: Callable[[], T]) -> None:
        super().__init__(http_response)
        self._parse = parse

    def parse(self) -> T:
        """Reads the body, unless it is a stream of events, and gives what the method itself gives."""
        return self._parse()

    def read(self) -> bytes:
        return self.http_response.read()

    def iter_bytes(self, chunk_size: Optional[int] = None) -> Iterator[bytes]:
        return self.http_response.iter_bytes(chunk_size)

    def iter_text(self, chunk_size: Optional[int] = None) -> Iterator[str]:
        return self.http_response.iter_text(chunk_size)

    def iter_lines(self) -> Iterator[str]:
        return self.http_response.iter_lines()

    def stream_to_file(self, path: Union[str, os.PathLike[str]]) -> None:
        with open(path, "wb") as file:
            for piece in self.iter_bytes():
                file.write(piece)

    def close(self) -> None:
        self.http_response.close()


class AsyncStreamedResponse(_Answer, Generic[T]):
    """An answer whose body was not read yet."""

    def __init__(self, http_response: httpx.Response, parse: Callable[[], Awaitable[T]]) -> None:
        super().__init__(http_response)
        self._parse = parse

    async def parse(self) -> T:
        """Reads the body, unless it is a stream of events, and gives what the method itself gives."""
        return await self._parse()

    async def read(self) -> bytes:
        return await self.http_response.aread()

    def iter_bytes(self, chunk_size: Optional[int] = None) -> AsyncIterator[bytes]:
        return self.http_response.aiter_bytes(chunk_size)

    def iter_text(self, chunk_size: Optional[int] = None) -> AsyncIterator[str]:
        return self.http_response.aiter_text(chunk_size)

    def iter_lines(self) -> AsyncIterator[str]:
        return self.http_response.aiter_lines()

    async def stream_to_file(self, path: Union[str, os.PathLike[str]]) -> None:
        with open(path, "wb") as file:
            async for piece in self.iter_bytes():
                file.write(piece)

    async def close(self) -> None:
        await self.http_response.aclose()


class ResponseManager(Generic[T]):
    """Asks when it is entered, and closes the connection when it is left."""

    def __init__(self, ask: Callable[[], StreamedResponse[T]]) -> None:
        self._ask = ask
        self._answer: Optional[StreamedResponse[T]] = None

    def __enter__(self) -> StreamedResponse[T]:
        self._answer = self._ask()
        return self._answer

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        if self._answer is not None:
            self._answer.close()


class AsyncResponseManager(Generic[T]):
    """Asks when it is entered, and closes the connection when it is left."""

    def __init__(self, ask: Callable[[], Awaitable[AsyncStreamedResponse[T]]]) -> None:
        self._ask = ask
        self._answer: Optional[AsyncStreamedResponse[T]] = None

    async def __aenter__(self) -> AsyncStreamedResponse[T]:
        self._answer = await self._ask()
        return self._answer

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        if self._answer is not None:
            await self._answer.close()


# The resource behind these methods has a client that answers with the wrapper already: only types are missing.


def raw(method: Callable[P, T]) -> Callable[P, APIResponse[T]]:
    untyped: Any = method
    typed: Callable[P, APIResponse[T]] = untyped
    return typed


def async_raw(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[APIResponse[T]]]:
    untyped: Any = method
    typed: Callable[P, Awaitable[APIResponse[T]]] = untyped
    return typed


def streaming(method: Callable[P, T]) -> Callable[P, ResponseManager[T]]:
    untyped: Any = method

    def manager(*args: P.args, **kwargs: P.kwargs) -> ResponseManager[T]:
        return ResponseManager(lambda: untyped(*args, **kwargs))

    return manager


def async_streaming(method: Callable[P, Awaitable[T]]) -> Callable[P, AsyncResponseManager[T]]:
    untyped: Any = method

    def manager(*args: P.args, **kwargs: P.kwargs) -> AsyncResponseManager[T]:
        return AsyncResponseManager(lambda: untyped(*args, **kwargs))

    return manager


class View:
    """A client as the resources of `with_raw_response` and `with_streaming_response` see it."""

    def __init__(self, request: Callable[..., Any]) -> None:
        self.request = request
