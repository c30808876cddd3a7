"""The difference between an argument that was not given and `None`, which is sent as `null`."""

from __future__ import annotations

from typing import Literal


class Omit:
    """The type of `omit`: the argument was not given."""

    __slots__ = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "omit"

    def __reduce__(self) -> str:
        return "omit"


omit = Omit()
