"""What can go wrong, with the names that users of OpenAI's SDK know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Tuple, Type

from ._meta import PrismMeta

if TYPE_CHECKING:
    import httpx


class PrismError(Exception):
    """The root: every error of this package is one."""


class APIError(PrismError):
    """The gateway could not be asked, did not answer, or answered with an error."""

    def __init__(self, message: str, *, body: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.body = body
        """What the gateway said, parsed where it was JSON."""
        error = body.get("error", body) if isinstance(body, Mapping) else None
        details: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
        self.type: Optional[str] = details.get("type")
        self.code: Optional[str] = details.get("code")
        self.param: Optional[str] = details.get("param")

    def __reduce__(self) -> Tuple[Callable[..., Any], Tuple[Any, ...]]:
        return _revive, (type(self), self.args, {**self.__dict__, "response": None})


class APIConnectionError(APIError):
    """No connection, or it broke."""

    def __init__(self, message: str = "Connection error.", *, body: Any = None) -> None:
        super().__init__(message, body=body)


class APITimeoutError(APIConnectionError):
    """It took too long."""

    def __init__(self, message: str = "Request timed out.", *, body: Any = None) -> None:
        super().__init__(message, body=body)


class APIResponseValidationError(APIError):
    """The answer was not JSON."""


class APIStatusError(APIError):
    """The answer's status was 4xx or 5xx."""

    def __init__(self, message: str, *, response: httpx.Response, body: Any) -> None:
        super().__init__(message, body=body)
        self.response = response
        """The HTTP response; None after unpickling."""
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers

    @property
    def prism(self) -> PrismMeta:
        """What the gateway says about it: who was asked, how often."""
        return PrismMeta(self.headers)

    @property
    def request_id(self) -> Optional[str]:
        return self.prism.request_id

    @property
    def retry_after(self) -> Optional[float]:
        """Seconds to wait before asking again, where the gateway knows."""
        return self.prism.retry_after


class BadRequestError(APIStatusError):
    """400: the request is wrong."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or unknown."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: no such model, provider or endpoint."""


class ConflictError(APIStatusError):
    """409: it contradicts something that happened meanwhile."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well formed and makes no sense."""


class RateLimitError(APIStatusError):
    """429: a quota is used up; see `retry_after`."""


class InternalServerError(APIStatusError):
    """5xx: the provider failed, or the gateway is full."""


_BY_STATUS: Dict[int, Type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def error_from(response: httpx.Response) -> APIStatusError:
    """The error for an answer whose body was read."""
    try:
        body: Any = response.json()
    except ValueError:
        body = response.text
    error = body.get("error") if isinstance(body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    status = response.status_code
    kind = _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    return kind(f"Error code: {status} - {message or body}", response=response, body=body)


def _revive(kind: Type[APIError], args: Tuple[Any, ...], state: Dict[str, Any]) -> APIError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
