"""What both clients are: settings, and how a call becomes a request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Mapping, NoReturn, Optional, Tuple, Union
from urllib.parse import urlsplit

from . import _logs
from ._call import Call, Headers, TimeoutTypes
from ._omit import Omit
from ._secret import HiddenHeaders, Secret
from ._timeouts import Timeout, to_timeout
from ._version import __version__

if TYPE_CHECKING:
    from ._files import Upload
    from ._resume import Place

DEFAULT_MAX_RETRIES = 2


class BaseClient:
    def __init__(
        self,
        *,
        api_key: Optional[str],
        base_url: Optional[str],
        control_plane_url: Optional[str],
        default_base_url: str,
        timeout: TimeoutTypes,
        max_retries: int,
        default_headers: Optional[Headers],
        default_query: Optional[Mapping[str, Any]],
    ) -> None:
        key = api_key if api_key is not None else os.environ.get("PRISM_API_KEY")
        self._secret = Secret(key.strip()) if key else None
        self.base_url = _root(base_url or os.environ.get("PRISM_BASE_URL") or default_base_url)
        self.control_plane_url = _root(control_plane_url or os.environ.get("PRISM_CONTROL_PLANE_URL") or self.base_url)
        self.timeout = to_timeout(timeout)
        self.max_retries = max_retries
        self.default_headers: Headers = HiddenHeaders(default_headers or {})
        self.default_query = dict(default_query or {})
        _logs.configure()

    @property
    def api_key(self) -> Optional[str]:
        return self._secret.reveal() if self._secret else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={_shown(self.base_url)!r}, api_key={'***' if self._secret else None!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a key and connections and cannot be pickled")

    def _settings(self, changes: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments of a copy."""
        settings: Dict[str, Any] = {
            "api_key": self.api_key or "",
            "base_url": self.base_url,
            "control_plane_url": self.control_plane_url,
            "timeout": self.timeout,
            "max_retries": self.max_retries,
            "default_headers": self.default_headers,
            "default_query": self.default_query,
        }
        settings.update({name: value for name, value in changes.items() if not isinstance(value, Omit)})
        settings["default_headers"] = HiddenHeaders(self.default_headers, settings["default_headers"] or {})
        settings["default_query"] = {**self.default_query, **(settings["default_query"] or {})}
        return settings

    def _resumption(self, call: Call) -> Tuple[Call, Optional[Place]]:
        """Where a stream stands that is asked for as resumable. Such a call gets a key of its own if it has none: a connection
        may also be lost before the first event."""
        if not call.stream:
            return call, None
        headers = HiddenHeaders(self.default_headers, call.extra_headers or {})
        if headers.get("x-prism-resumable") is None:
            return call, None
        from ._resume import Place, seconds_of

        seconds = seconds_of(headers)
        if seconds is None:
            return call, None
        key = {} if "idempotency-key" in headers else {"idempotency-key": f"prism-{os.urandom(16).hex()}"}
        return call._replace(extra_headers=HiddenHeaders(key, call.extra_headers or {})), Place(seconds)

    def _rest(self, call: Call, place: Place) -> Call:
        return call._replace(extra_headers=HiddenHeaders(call.extra_headers or {}, place.headers()))

    def _time_for_rest(self, call: Call, place: Place) -> Timeout:
        timeout = self._timeout_of(call)
        remaining = place.remaining
        return timeout._replace(total=remaining if timeout.total is None else min(timeout.total, remaining))

    def _timeout_of(self, call: Call) -> Timeout:
        return self.timeout if isinstance(call.timeout, Omit) else to_timeout(call.timeout)

    def _request_arguments(self, call: Call, upload: Optional[Upload]) -> Dict[str, Any]:
        """What `httpx.Client.build_request` is given, but for the key."""
        ours = {
            "accept": call.accept(),
            "user-agent": f"prism-python/{__version__}",
        }
        content = call.content(upload)
        if "content" in content:
            ours["content-type"] = "application/json"
        headers = HiddenHeaders(ours, self.default_headers, call.extra_headers or {})
        root = self.control_plane_url if call.server == "control_plane" else self.base_url
        return {
            "method": call.method,
            "url": root + call.url(),
            "headers": HiddenHeaders({name: value for name, value in headers.items() if value is not None}),
            "params": call.params(self.default_query),
            **content,
        }

    def _needs_key(self, call: Call) -> bool:
        """A header given as None takes the key away."""
        return "authorization" not in self.default_headers and "authorization" not in HiddenHeaders(
            call.extra_headers or {}
        )


def upload_of(call: Call) -> Optional[Upload]:
    if call.form is None:
        return None
    from ._files import Upload

    return Upload({name: file for name, file in call.files.items() if not isinstance(file, Omit) and file is not None})


def answer_type(name: Optional[str]) -> Any:
    """Types are imported by the first answer: building them takes longer than all of the import."""
    from . import types

    return getattr(types, name) if name else None


def _root(url: Union[str, Any]) -> str:
    """With or without `/v1`: the document's paths begin with it."""
    return str(url).rstrip("/").removesuffix("/v1").rstrip("/")


def _shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    return url if parts.username is None else url.replace(parts.netloc, parts.netloc.rpartition("@")[2])
