"""How providers are doing: what is shown of each, and that looking at one costs nothing and waits for nobody."""

from __future__ import annotations

import time

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.upstream import completion, error_reply, json_reply, silence
from support.waiting import eventually

TRIPS = {"retry": {"enabled": False}, "circuit_breaker": {"failure_threshold": 3, "open_duration": "1s", "half_open_max_requests": 1}}
KEY = "sk-upstream-0123456789abcdef"


def health_of(gateway, name="acme"):
    return next(one for one in gateway.get("/v1/providers/health").json()["data"] if one["name"] == name)


def test_a_breaker_is_shown_and_no_probe_is_a_completion(upstream):
    upstream.always(error_reply(500))
    upstream.models = error_reply(500)
    with Gateway({"providers": {"acme": provider(upstream)}, "routing": TRIPS}) as gateway:
        assert health_of(gateway)["breaker"] == {"state": "closed", "share": 1.0, "history": []}
        for _ in range(3):
            assert gateway.chat(ask()).status == 502
        eventually(lambda: health_of(gateway)["state"] == "unhealthy", what="an open breaker")
        breaker = health_of(gateway)["breaker"]
        assert breaker["state"] == "open" and breaker["share"] == 0.0 and breaker["until"]
        assert [(one["from_state"], one["to_state"], one["reason"]) for one in breaker["history"]] == \
            [("closed", "open", "3 requests in a row failed")]
        assert health_of(gateway)["changes"][-1]["to_state"] == "unhealthy"
        metrics = gateway.metrics()
        assert metrics.total("prism_breaker_state", provider="acme") == 3
        assert metrics.total("prism_breaker_transitions_total", provider="acme", to="open") == 1
        eventually(lambda: len(upstream.listings) >= 2, 10, "looks at the idle provider")
        assert len(upstream.requests) == 3, "none of them is a request that could be billed"
        upstream.models = ["acme-large"]
        eventually(lambda: health_of(gateway)["state"] == "recovering", 10, "the provider to be back")
        assert len(upstream.requests) == 3
        upstream.always(json_reply(completion()))
        assert gateway.chat(ask()).status == 200
        eventually(lambda: health_of(gateway)["breaker"]["state"] in ("ramping", "closed"), what="the probe to count")
        reached = [one["to_state"] for one in health_of(gateway)["breaker"]["history"]]
        assert reached[:3] == ["open", "half_open", "ramping"]
        assert gateway.stdout.count("3 requests in a row failed") == 2, "each change is told once: the breaker's, the provider's"


def test_windows_and_quantiles(upstream):
    upstream.always(json_reply(completion()))
    with Gateway({"providers": {"acme": provider(upstream)}, "routing": ONE_TRY}) as gateway:
        assert "whole_answer" not in health_of(gateway) and "availability" not in health_of(gateway)["availability"]["minute"]
        for _ in range(25):
            assert gateway.chat(ask()).status == 200
        upstream.always(error_reply(503))
        for _ in range(5):
            assert gateway.chat(ask()).status == 503
        health = health_of(gateway)
        whole = health["whole_answer"]
        assert whole["samples"] == 25 and 0 < whole["p50_ms"] <= whole["p95_ms"] <= whole["p99_ms"] < 5000
        assert "first_content" not in health and "region" not in health
        for window in ("minute", "five_minutes", "hour"):
            shown = health["availability"][window]
            assert (shown["requests"], shown["failures"]) == (30, 5)
            assert abs(shown["availability"] - 5 / 6) < 1e-9 and abs(shown["error_rate"] - 1 / 6) < 1e-9
        assert health["state"] == "degraded" and health["changes"][-1]["reason"]


def test_quotas_and_refused_keys_are_shown_without_the_key(upstream):
    with Gateway({"providers": {"acme": provider(upstream, api_key=KEY)}, "routing": ONE_TRY}) as gateway:
        upstream.always(error_reply(429, headers=[("retry-after", "30")]))
        assert gateway.chat(ask()).status == 429
        [quota] = health_of(gateway)["quotas"]
        assert (quota["model"], quota["key"], quota["level"]) == ("acme-large", 1, "limited") and quota["until"]
        assert gateway.metrics().total("prism_quota_limited", provider="acme") == 1
        assert health_of(gateway)["credentials"] == [{"key": 1, "state": "ok"}]
        upstream.always(error_reply(401))
        assert gateway.chat(ask("acme/another")).status == 502
        [credential] = health_of(gateway)["credentials"]
        assert credential["state"] == "refused" and credential["since"] < credential["retry_at"]
        eventually(lambda: health_of(gateway)["state"] == "degraded", what="the refusal to show")
        assert gateway.metrics().total("prism_credentials_refused", provider="acme") == 1
        shown = gateway.get("/v1/providers/health").body + gateway.get("/metrics").body
        assert KEY.encode() not in shown and upstream.origin.encode() not in shown


def test_attempts_are_counted_by_kind(upstream, second):
    upstream.always(error_reply(503))
    second.always(json_reply(completion()))
    config = {"providers": {"bad": provider(upstream), "good": provider(second, priority=1)}, "routing": ONE_TRY}
    with Gateway(config) as gateway:
        assert gateway.chat(ask()).status == 200
        metrics = gateway.metrics()
        assert metrics.total("prism_attempts_by_kind_total", provider="bad", kind="first") == 1
        assert metrics.total("prism_attempts_by_kind_total", provider="good", kind="failover") == 1


@pytest.mark.parametrize("path", ["/v1/models", "/v1/providers/health", "/metrics", "/readyz"])
def test_a_dead_provider_slows_nothing(upstream, second, path):
    upstream.models = silence
    second.always(json_reply(completion()))
    config = {"providers": {"dead": {"base_url": upstream.base_url}, "good": provider(second)}, "routing": ONE_TRY}
    with Gateway(config) as gateway:
        began = time.monotonic()
        assert gateway.get(path).status == 200
        assert time.monotonic() - began < 1
        assert gateway.chat(ask()).status == 200
