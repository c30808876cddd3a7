"""One API call, as the generated methods describe it and as HTTP wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Literal, Mapping, NamedTuple, Optional, Union
from urllib.parse import quote

from ._omit import Omit, omit
from ._timeouts import Timeout

if TYPE_CHECKING:
    import httpx

    from ._files import Upload

TimeoutTypes = Union[float, Timeout, "httpx.Timeout", None]
Headers = Mapping[str, Union[str, None]]
"""Request headers; None takes away one that would be sent otherwise."""


class Call(NamedTuple):
    method: str
    path: str
    answer: Optional[str] = None
    """The name of the answer's type in `prism.types`; None for an answer without a body."""
    event: Optional[str] = None
    """The type of a stream's events."""
    end: str = ""
    """The event that ends a stream well; none without."""
    stream: bool = False
    binary: bool = False
    page: bool = False
    server: Literal["api", "control_plane"] = "api"
    path_params: Mapping[str, Any] = {}
    query: Mapping[str, Any] = {}
    body: Any = omit
    form: Optional[Mapping[str, Any]] = None
    files: Mapping[str, Any] = {}
    extra_headers: Optional[Headers] = None
    extra_query: Optional[Mapping[str, Any]] = None
    extra_body: Optional[Mapping[str, Any]] = None
    timeout: Union[TimeoutTypes, Omit] = omit

    def url(self) -> str:
        path = self.path
        for name, value in self.path_params.items():
            if value is None or value == "":
                raise ValueError(f"`{name}` must not be empty")
            # A dot segment would be resolved away and reach another endpoint.
            text = quote(str(value), safe="")
            path = path.replace("{" + name + "}", text.replace(".", "%2E") if text in (".", "..") else text)
        return path

    def accept(self) -> str:
        return "text/event-stream" if self.stream else "*/*" if self.binary else "application/json"

    def params(self, defaults: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
        params = {**defaults, **given(self.query), **(self.extra_query or {})}
        return {name: value for name, value in params.items() if value is not None} or None

    def content(self, upload: Optional[Upload]) -> Dict[str, Any]:
        """The body, as httpx's arguments."""
        if self.form is not None:
            fields = {**given(self.form), **(self.extra_body or {})}
            parts = {"data": {name: _field(value) for name, value in fields.items() if value is not None}}
            return {**parts, "files": upload.parts() if upload else None}
        if isinstance(self.body, Omit) and not self.extra_body:
            return {}
        body = given(self.body) if isinstance(self.body, dict) else {} if isinstance(self.body, Omit) else self.body
        return {"content": encode({**body, **self.extra_body} if self.extra_body else body)}


def given(arguments: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not omit}


def encode(body: Any) -> bytes:
    # Lone surrogates cannot be UTF-8: such text goes out escaped.
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"), allow_nan=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    """Answers may be sent back, and any mapping or iterable will do for a dict or a list."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "__iter__") and not isinstance(value, (bytes, bytearray)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return encode(value).decode()
    return [_field(item) for item in value] if isinstance(value, (list, tuple)) else str(value)
