"""What the gateway says about an answer, in its headers."""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Optional


class RateLimit(NamedTuple):
    """Quotas, where the provider or the gateway tells them. `reset_…` is text such as `6m0s`."""

    limit_requests: Optional[int] = None
    limit_tokens: Optional[int] = None
    remaining_requests: Optional[int] = None
    remaining_tokens: Optional[int] = None
    reset_requests: Optional[str] = None
    reset_tokens: Optional[str] = None


class PrismMeta:
    """`response.prism`: everything is None where the gateway did not say it."""

    __slots__ = ("headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers

    @property
    def request_id(self) -> Optional[str]:
        """The gateway's id of the request; quote it when you report a problem."""
        return self._text("x-prism-request-id") or self._text("x-request-id")

    @property
    def trace_id(self) -> Optional[str]:
        """Yours where you gave one, else the gateway's."""
        return self._text("x-prism-trace-id")

    @property
    def provider(self) -> Optional[str]:
        """Who answered."""
        return self._text("x-prism-provider")

    @property
    def model_used(self) -> Optional[str]:
        """The model that answered, as the provider calls it."""
        return self._text("x-prism-model-used")

    @property
    def cost(self) -> Optional[float]:
        """US dollars; None when the model has no known price (unknown is never 0)."""
        return _number(self._text("x-prism-cost"))

    @property
    def latency_ms(self) -> Optional[float]:
        """Milliseconds in the gateway; for a stream, until its first content."""
        return _number(self._text("x-prism-latency-ms"))

    @property
    def timeout_ms(self) -> Optional[float]:
        """The timeout that applied, in milliseconds."""
        return _number(self._text("x-prism-timeout-ms"))

    @property
    def attempts(self) -> Optional[int]:
        """How many times a provider was asked."""
        return _integer(self._text("x-prism-attempts"))

    @property
    def fallback_used(self) -> Optional[bool]:
        """Whether somebody else than the first choice answered."""
        text = self._text("x-prism-fallback-used")
        return None if text is None else text == "true"

    @property
    def routing_strategy(self) -> Optional[str]:
        """How the provider was chosen."""
        return self._text("x-prism-routing-strategy")

    @property
    def replayed(self) -> bool:
        """Whether an earlier call with the same idempotency key was answered with this."""
        return self._text("idempotent-replayed") == "true"

    @property
    def cache(self) -> Optional[str]:
        """Whether the answer is from the cache."""
        return self._text("x-prism-cache")

    @property
    def translation(self) -> Dict[str, str]:
        """What became of fields that the provider does not know: `{"logit_bias": "dropped"}`."""
        text = self._text("x-prism-translation") or ""
        fates = (part.strip().rpartition("=") for part in text.split(",") if part.strip())
        return {field or fate: fate for field, _, fate in fates}

    @property
    def rate_limit(self) -> RateLimit:
        """The quotas that are left."""
        text = {name: self._text("x-ratelimit-" + name.replace("_", "-")) for name in RateLimit._fields}
        return RateLimit(
            limit_requests=_integer(text["limit_requests"]),
            limit_tokens=_integer(text["limit_tokens"]),
            remaining_requests=_integer(text["remaining_requests"]),
            remaining_tokens=_integer(text["remaining_tokens"]),
            reset_requests=text["reset_requests"],
            reset_tokens=text["reset_tokens"],
        )

    @property
    def retry_after(self) -> Optional[float]:
        """Seconds to wait before asking again."""
        from ._retries import retry_after

        return retry_after(self.headers)

    def _text(self, name: str) -> Optional[str]:
        return self.headers.get(name)

    def __repr__(self) -> str:
        names = ("provider", "model_used", "cost", "latency_ms", "attempts", "request_id")
        said = ((name, getattr(self, name)) for name in names)
        return f"PrismMeta({', '.join(f'{name}={value!r}' for name, value in said if value is not None)})"


def _number(text: Optional[str]) -> Optional[float]:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _integer(text: Optional[str]) -> Optional[int]:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
