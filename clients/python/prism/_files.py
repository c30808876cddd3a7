"""Files to upload: bytes, open files, paths, or a tuple with a name and a media type."""

from __future__ import annotations

import os
from typing import IO, Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from ._errors import PrismError

FileContent = Union[bytes, IO[bytes], "os.PathLike[str]"]
FileTypes = Union[FileContent, Tuple[Optional[str], FileContent], Tuple[Optional[str], FileContent, Optional[str]]]


class Upload:
    """The files of one call. Every attempt sends them from where they stood."""

    def __init__(self, files: Mapping[str, Any]) -> None:
        self._rewinds: List[Callable[[], Any]] = []
        self._parts = {name: self._part(given) for name, given in files.items()}

    def parts(self) -> Dict[str, Any]:
        for rewind in self._rewinds:
            rewind()
        return self._parts

    def _part(self, given: Any) -> Any:
        if isinstance(given, tuple):
            name, content, *kind = given
            return (name or _name(content), self._content(content), *kind)
        return (_name(given), self._content(given))

    def _content(self, content: Any) -> Any:
        if isinstance(content, (bytes, bytearray)):
            return bytes(content)
        if isinstance(content, os.PathLike):
            with open(content, "rb") as file:
                return file.read()
        if not hasattr(content, "read"):
            raise PrismError(f"a file is bytes, an open file, a path or a tuple, not {type(content).__name__}")
        if not (hasattr(content, "seekable") and content.seekable()):
            return content.read()  # a second attempt could not read it again
        start = content.tell()
        self._rewinds.append(lambda: content.seek(start))
        return content


def _name(content: Any) -> str:
    path = content if isinstance(content, os.PathLike) else getattr(content, "name", None)
    return os.path.basename(path) if isinstance(path, (str, os.PathLike)) else "upload"
