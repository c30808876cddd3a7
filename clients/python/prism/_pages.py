"""Lists in pages. Iterating walks all of them, asking for the next page when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, AsyncIterator, Generator, Generic, Iterator, List, Optional, TypeVar

from ._errors import PrismError
from ._meta import PrismMeta

if TYPE_CHECKING:
    from ._call import Call

T = TypeVar("T")


class _Page(Generic[T]):
    def __init__(self, client: Any, call: Call, body: Any) -> None:
        self._client, self._call = client, call
        self.body = body
        """The page as its type in `prism.types`."""
        self.data: List[T] = body.data or []
        self.next_cursor: Optional[str] = body.next_cursor

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about this page."""
        meta: PrismMeta = self.body.prism
        return meta

    def has_next_page(self) -> bool:
        return bool(self.next_cursor)

    def _next(self) -> Call:
        if not self.next_cursor:
            raise PrismError("there is no next page")
        return self._call._replace(query={**self._call.query, "cursor": self.next_cursor})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(data={self.data!r}, next_cursor={self.next_cursor!r})"


class SyncPage(_Page[T]):
    """One page; `for item in page` goes on through the pages after it."""

    def get_next_page(self) -> SyncPage[T]:
        page: SyncPage[T] = self._client.request(self._next())
        return page

    def __iter__(self) -> Iterator[T]:
        page = self
        while True:
            yield from page.data
            if not page.has_next_page():
                return
            page = page.get_next_page()


class AsyncPage(_Page[T]):
    """One page; `async for item in page` goes on through the pages after it."""

    async def get_next_page(self) -> AsyncPage[T]:
        page: AsyncPage[T] = await self._client.request(self._next())
        return page

    async def __aiter__(self) -> AsyncIterator[T]:
        page = self
        while True:
            for item in page.data:
                yield item
            if not page.has_next_page():
                return
            page = await page.get_next_page()


class AsyncPaginator(Generic[T]):
    """`await` it for the first page, or walk everything with `async for`."""

    def __init__(self, client: Any, call: Call) -> None:
        self._client, self._call = client, call

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        page: Generator[Any, None, AsyncPage[T]] = self._client.request(self._call).__await__()
        return page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self:
            yield item
