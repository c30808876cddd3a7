"""A key that can be sent and not shown."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Printing, formatting, copying into `vars()` and pickling show no key; `reveal()` does."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        self._reveal = lambda: value

    def reveal(self) -> str:
        return self._reveal()

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key cannot be pickled")
