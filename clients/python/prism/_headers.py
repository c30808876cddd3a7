"""The gateway's own request headers, for this SDK and for OpenAI's."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Union

Scalar = Union[str, int, float, bool]


class GatewayConfig(NamedTuple):
    """How one request, or one client's, is routed otherwise than the gateway's configuration says, written as there."""

    strategy: Optional[str] = None
    """How one of several providers is chosen."""
    targets: Optional[Sequence[Mapping[str, Any]]] = None
    """Who serves the model."""
    providers: Optional[Sequence[str]] = None
    """Another spelling of `failover.providers`."""
    failover: Optional[Mapping[str, Any]] = None
    retry: Optional[Mapping[str, Any]] = None
    timeouts: Optional[Mapping[str, Any]] = None
    model_fallbacks: Optional[Sequence[str]] = None
    """The models that are tried when nobody answers."""

    def to_dict(self) -> Dict[str, Any]:
        return {name: value for name, value in self._asdict().items() if value is not None}

    def to_headers(self) -> Dict[str, str]:
        return create_headers(config=self)


def create_headers(
    *,
    api_key: Optional[str] = None,
    trace_id: Optional[str] = None,
    request_id: Optional[str] = None,
    session_id: Optional[str] = None,
    session_name: Optional[str] = None,
    session_path: Optional[str] = None,
    user_id: Optional[str] = None,
    metadata: Optional[Mapping[str, Scalar]] = None,
    properties: Optional[Mapping[str, Scalar]] = None,
    provider_lock: Optional[str] = None,
    request_timeout: Optional[int] = None,
    resumable: Optional[int] = None,
    cache_ttl: Optional[int] = None,
    cache_namespace: Optional[str] = None,
    cache_force_refresh: Optional[bool] = None,
    strict: Optional[bool] = None,
    include_cost: Optional[bool] = None,
    config: Union[GatewayConfig, Mapping[str, Any], None] = None,
    idempotency_key: Optional[str] = None,
) -> Dict[str, str]:
    """Headers for `default_headers` or `extra_headers`, here and in OpenAI's SDK. A gateway ignores those that it does
    not know yet; its API page lists those that it does.

    Args:
        api_key: A Prism key, where the client's own key is another one.
        trace_id: Echoed in the answer, 1 to 255 characters.
        request_id: An id of your own, logged beside the gateway's.
        session_id: Requests that belong together, at most 255 characters.
        session_name: What the session is called.
        session_path: Where in the session the request stands.
        user_id: Who asks.
        metadata: Anything to be found again in usage events.
        properties: The same, one header for each.
        provider_lock: Only this provider may answer.
        request_timeout: Milliseconds for the whole request; for a stream, until its first content.
        resumable: Seconds for which the upstream call of a stream outlives a lost connection. This SDK's streams reconnect by
            themselves; with another's, `Last-Event-ID` asks for the rest.
        cache_ttl: Seconds for which the answer may be cached.
        cache_namespace: Answers are cached apart from other namespaces'.
        cache_force_refresh: Ask the provider even if an answer is cached.
        strict: Refuse the request when a field would be dropped or approximated on its way to the provider.
        include_cost: Write a stream's cost into its usage chunk, as `x_prism: {cost}`.
        config: Strategy, targets, failover, retries, timeouts, fallback models of these requests.
        idempotency_key: The same request with the same key is answered once and gets that answer again for ten minutes. For
            `extra_headers`: another request with the key is refused.
    """
    named: Dict[str, Any] = {
        "trace-id": trace_id,
        "request-id": request_id,
        "session-id": session_id,
        "session-name": session_name,
        "session-path": session_path,
        "user-id": user_id,
        "metadata": None if metadata is None else dict(metadata),
        "provider-lock": provider_lock,
        "request-timeout": request_timeout,
        "resumable": resumable,
        "cache-ttl": cache_ttl,
        "cache-namespace": cache_namespace,
        "cache-force-refresh": cache_force_refresh,
        "strict": strict,
        "include-cost": include_cost,
        "config": config.to_dict() if isinstance(config, GatewayConfig) else config,
        **{f"property-{name}": value for name, value in (properties or {}).items()},
    }
    headers = {f"x-prism-{name}": _text(value) for name, value in named.items() if value is not None}
    if api_key is not None:
        headers["authorization"] = f"Bearer {api_key}"
    if idempotency_key is not None:
        headers["idempotency-key"] = _text(idempotency_key)
    for name, value in headers.items():
        if any(letter in value for letter in "\r\n\0"):
            raise ValueError(f"the header `{name}` must be one line")
    return headers


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(dict(value), separators=(",", ":")) if isinstance(value, Mapping) else str(value)
