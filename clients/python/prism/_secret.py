"""Keys that can be sent and not shown."""

from __future__ import annotations

from typing import Callable, Dict, Iterator, Mapping, NoReturn, TypeVar

Value = TypeVar("Value")


class Secret:
    """Printing, formatting, copying into `vars()` and pickling show no key; `reveal()` does."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        return self._reveal()

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key cannot be pickled")


class HiddenHeaders(Mapping[str, Value]):
    """Headers by their lower-case names. Neither printing nor `vars()` shows credentials."""

    __slots__ = ("_reveal",)

    def __init__(self, *parts: Mapping[str, Value]) -> None:
        headers = {name.lower(): value for part in parts for name, value in part.items()}
        self._reveal: Callable[[], Dict[str, Value]] = lambda: headers

    def __getitem__(self, name: str) -> Value:
        return self._reveal()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reveal())

    def __len__(self) -> int:
        return len(self._reveal())

    def __repr__(self) -> str:
        return repr({name: "***" if name in CREDENTIALS else value for name, value in self.items()})

    def __reduce__(self) -> NoReturn:
        raise TypeError("headers that may hold a key cannot be pickled")


CREDENTIALS = ("authorization", "proxy-authorization", "x-api-key", "cookie")
