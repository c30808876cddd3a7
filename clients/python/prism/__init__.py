"""Prism's SDK: one OpenAI-compatible door in front of every LLM provider.

    from prism import Prism

    client = Prism()
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])

Importing this package imports neither httpx nor pydantic: the first call does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._client import AsyncPrism, Prism
from ._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    PrismError,
    RateLimitError,
    UnprocessableEntityError,
)
from ._headers import GatewayConfig, create_headers
from ._meta import PrismMeta, RateLimit
from ._omit import Omit, omit
from ._timeouts import Timeout
from ._version import __version__

if TYPE_CHECKING:
    from . import types as types
    from ._files import FileTypes
    from ._models import BaseModel
    from ._pages import AsyncPage, AsyncPaginator, SyncPage
    from ._responses import APIResponse, AsyncStreamedResponse, BinaryResponse, StreamedResponse
    from ._sse import ServerSentEvent, SSEDecoder
    from ._streams import AsyncStream, Stream

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponse",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncPage",
    "AsyncPaginator",
    "AsyncPrism",
    "AsyncStream",
    "AsyncStreamedResponse",
    "AuthenticationError",
    "BadRequestError",
    "BaseModel",
    "BinaryResponse",
    "ConflictError",
    "FileTypes",
    "GatewayConfig",
    "InternalServerError",
    "NotFoundError",
    "Omit",
    "PermissionDeniedError",
    "Prism",
    "PrismError",
    "PrismMeta",
    "RateLimit",
    "RateLimitError",
    "SSEDecoder",
    "ServerSentEvent",
    "Stream",
    "StreamedResponse",
    "SyncPage",
    "Timeout",
    "UnprocessableEntityError",
    "__version__",
    "create_headers",
    "omit",
    "types",
]

_LATER = {
    "APIResponse": "_responses",
    "AsyncPage": "_pages",
    "AsyncPaginator": "_pages",
    "AsyncStream": "_streams",
    "AsyncStreamedResponse": "_responses",
    "BaseModel": "_models",
    "BinaryResponse": "_responses",
    "FileTypes": "_files",
    "SSEDecoder": "_sse",
    "ServerSentEvent": "_sse",
    "Stream": "_streams",
    "StreamedResponse": "_responses",
    "SyncPage": "_pages",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "types":
        return import_module("prism.types")
    if name in _LATER:
        return getattr(import_module(f"prism.{_LATER[name]}"), name)
    raise AttributeError(f"module `prism` has no attribute `{name}`")
