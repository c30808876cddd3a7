"""Who is asked: conditions, a request's own configuration, fallback models, shadow traffic."""

from __future__ import annotations

import json

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.upstream import completion, error_reply, json_reply, silence, sse, stream_frames
from support.waiting import eventually

ROUTES = [
    {"name": "vip", "priority": 1, "condition": {"field": "metadata.tier", "op": "$eq", "value": "enterprise"},
     "action": {"provider": "second", "model_override": "acme-vip"}},
    {"name": "long", "priority": 2, "condition": {"$and": [{"prompt_chars": {"$gt": 50}}, {"stream": False}]},
     "action": {"provider": "second"}},
    {"name": "pictures", "priority": 3, "condition": {"$or": [{"has_images": True}, {"property.team": "vision"}]},
     "action": {"model_override": "acme-eyes"}},
]


@pytest.fixture(scope="module")
def gateway(upstream, second):
    config = {
        "providers": {"first": provider(upstream, "acme-large", "acme-eyes"),
                      "second": provider(second, "acme-large", priority=1)},
        "routing": ONE_TRY | {"conditional_routes": ROUTES, "model_fallbacks": {"acme-eyes": ["second/acme-large"]}},
    }
    with Gateway(config) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def answers(upstream, second):
    upstream.always(json_reply(completion()))
    second.always(json_reply(completion()))


def asked(*upstreams):
    return [len(one.requests) for one in upstreams]


@pytest.mark.parametrize("header", ["x-prism-metadata", "x-agentcc-metadata"])
def test_a_condition_on_metadata_sends_the_request_elsewhere(gateway, upstream, second, header):
    assert gateway.chat(ask(), [(header, '{"tier": "enterprise", "n": 1}')]).header("x-prism-provider") == "second"
    assert second.last.json()["model"] == "acme-vip"
    assert gateway.chat(ask(), [(header, '{"tier": "free"}')]).header("x-prism-provider") == "first"
    assert gateway.chat(ask()).header("x-prism-provider") == "first"


def test_conditions_read_the_request_itself(gateway, upstream, second):
    assert gateway.chat(ask(text="x" * 51)).header("x-prism-provider") == "second"
    assert gateway.chat(ask(text="x" * 50)).header("x-prism-provider") == "first"
    picture = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
    gateway.chat({"model": "acme-large", "messages": [{"role": "user", "content": picture}]})
    assert upstream.last.json()["model"] == "acme-eyes"
    gateway.chat(ask(), [("x-prism-property-team", "vision")])
    assert upstream.last.json()["model"] == "acme-eyes"


def test_a_provider_lock_comes_before_conditions(gateway, upstream, second):
    headers = [("x-prism-metadata", '{"tier": "enterprise"}'), ("x-prism-provider-lock", "first")]
    assert gateway.chat(ask(), headers).header("x-prism-provider") == "first"
    assert upstream.last.json()["model"] == "acme-large"


def test_a_model_is_stood_in_for_when_nobody_answers_for_it(gateway, upstream, second):
    upstream.always(error_reply(503))
    reply = gateway.chat(ask("acme-eyes"))
    assert reply.status == 200 and reply.header("x-prism-model-used") == "acme-large"
    assert reply.header("x-prism-fallback-used") == "true" and reply.header("x-prism-attempts") == "2"
    upstream.always(error_reply(400))
    assert gateway.chat(ask("acme-eyes")).status == 400, "the caller's mistake is not carried elsewhere"


def own(config: dict):
    return [("x-prism-config", json.dumps(config))]


def test_a_request_brings_its_own_routing(gateway, upstream, second):
    reply = gateway.chat(ask(), own({"targets": [{"provider": "second", "model_override": "mine"}], "strategy": "weighted"}))
    assert reply.header("x-prism-provider") == "second" and second.last.json()["model"] == "mine"
    assert reply.header("x-prism-routing-strategy") == "weighted"
    upstream.always(error_reply(503))
    assert gateway.chat(ask(), own({"failover": {"enabled": False}})).status == 503
    assert gateway.chat(ask()).status == 200
    upstream.always(silence)
    reply = gateway.chat(ask(), own({"failover": {"enabled": False}, "timeouts": {"request_timeout_ms": 300}}))
    assert reply.status == 504 and reply.header("x-prism-timeout-ms") == "300"


@pytest.mark.parametrize("config, named", [
    ("{", "JSON"), ('{"stratgy": "weighted"}', "stratgy"), ('{"strategy": "best"}', "strategy"),
    ('{"targets": [{"provider": "nobody"}]}', "targets[0].provider"), ('{"cache": {}}', "cache"),
    ('{"retry": {"budget_percent": 100}}', "budget_percent"),
])
def test_a_mistake_in_it_is_named_and_nothing_is_sent(gateway, upstream, second, config, named):
    reply = gateway.chat(ask(), [("x-prism-config", config)])
    assert reply.status == 400 and named in reply.error()["message"], reply.body
    assert reply.error()["param"] == "x-prism-config" and asked(upstream, second) == [0, 0]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_mirror_gets_copies_and_changes_nothing(upstream, second, stream):
    upstream.always(sse(*stream_frames("a", usage=True)) if stream else json_reply(completion("real")))
    config = {"providers": {"real": provider(upstream), "shadow": provider(second, "shadow-model")},
              "routing": {"mirror": {"enabled": True, "rules": [
                  {"source_model": "acme-*", "target_provider": "shadow", "target_model": "other", "sample_rate": 1.0}]}}}
    with Gateway(config) as gateway:
        for shadow in (error_reply(500), silence, json_reply(completion("shadow"))):
            second.always(shadow)
            reply = gateway.chat(ask(stream=stream))
            assert reply.status == 200 and reply.header("x-prism-provider") == "real" and b"shadow" not in reply.body
            assert reply.header("x-prism-attempts") == "1"
        eventually(lambda: len(second.requests) == 3, what="the copies")
        assert {sent.json()["model"] for sent in second.requests} == {"other"}
        eventually(lambda: gateway.metrics().total("prism_mirrored_requests_total", provider="shadow", outcome="failed") >= 1,
                   what="the failed copy to be counted")
        assert gateway.metrics().total("prism_requests_total", provider="shadow") == 0, "a copy is no request"
        assert gateway.metrics().total("prism_requests_total", provider="real") == 3
