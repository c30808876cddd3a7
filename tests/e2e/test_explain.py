"""Why a request goes where it goes: explained beforehand without sending anything, told afterwards to who sent it."""

from __future__ import annotations

import json

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.upstream import completion, error_reply, json_reply
from support.waiting import eventually

SECRET = "sk-upstream-0123456789abcdef"
KEYS = {"auth": {"keys": [{"name": "a", "key": "sk-client-a"}, {"name": "b", "key": "sk-client-b"}]}}
ROUTES = [{"name": "vip", "condition": {"field": "metadata.tier", "op": "$eq", "value": "gold"},
           "action": {"provider": "second", "model_override": "acme-vip"}}]


@pytest.fixture(scope="module")
def gateway(upstream, second):
    routing = ONE_TRY | {
        "conditional_routes": ROUTES, "model_fallbacks": {"acme-large": ["acme-small"]}, "default_model": "acme-small",
        "mirror": {"enabled": True, "rules": [{"source_model": "acme-*", "target_provider": "second", "target_model": "copy", "sample_rate": 0.0}]},
    }
    config = {"providers": {"first": provider(upstream, "acme-large", api_key=SECRET), "second": provider(second, "acme-large", "acme-small", priority=1)},
              "model_map": {"fast": "acme-large"}, "routing": routing}
    with Gateway(config) as gateway:
        yield gateway


def explain(gateway, body=None, headers=(), query=""):
    return gateway.post(f"/v1/route/explain{query}", body or ask(), headers)


@pytest.mark.parametrize("model, headers, source, candidates", [
    ("acme-large", [], "listed", ["first:acme-large", "second:acme-large"]),
    ("first/acme-large", [], "listed", ["first:acme-large"]),
    ("second/new", [], "prefix", ["second:new"]),
    ("fast", [], "model_map", ["first:acme-large", "second:acme-large"]),
    ("nobody-has-it", [], "default_model", ["second:acme-small"]),
    ("acme-large", [("x-prism-provider-lock", "second")], "provider_lock", ["second:acme-large"]),
    ("acme-large", [("x-prism-metadata", '{"tier": "gold"}')], "conditional_route", ["second:acme-vip"]),
    ("acme-large", [("x-prism-config", '{"targets": [{"provider": "second", "model_override": "mine"}]}')], "request_targets", ["second:mine"]),
])
def test_the_way_and_its_candidates(gateway, upstream, second, model, headers, source, candidates):
    told = explain(gateway, ask(model), headers).json()
    assert told["source"] == source and told["model"] == model and told["endpoint"] == "chat.completions"
    assert [f"{one['provider']}:{one['model']}" for one in told["candidates"]] == candidates
    assert told.get("rule") == ("vip" if source == "conditional_route" else None)
    assert upstream.requests == [] and second.requests == [], "nothing is sent"


def test_the_rest_of_the_plan(gateway):
    reply = explain(gateway)
    told = reply.json()
    assert told["strategy"] == "round-robin" and told["timeout_ms"] == 600_000 and told["bound"] is False
    assert [one["model"] for one in told["fallbacks"]] == ["acme-small"]
    assert told["mirrors"] == [{"provider": "second", "model": "copy", "sample_rate": 0.0}]
    first = told["candidates"][0]
    assert first["readiness"] == "ready" and first["reasons"] == [] and (first["tier"], first["weight"]) == (0, 1)
    assert SECRET.encode() not in reply.body and b"127.0.0.1" not in reply.body


def test_what_speaks_against_a_candidate(upstream, second):
    upstream.always(error_reply(500))
    second.always(json_reply(completion()))
    routing = {"retry": {"enabled": False}, "circuit_breaker": {"failure_threshold": 1, "open_duration": "60s"}}
    config = {"providers": {"first": provider(upstream), "second": provider(second, priority=1)}, "routing": routing}
    with Gateway(config) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 200
        told = explain(gateway).json()
        assert [one["provider"] for one in told["candidates"]] == ["second", "first"]
        assert told["candidates"][1]["readiness"] == "out" and told["candidates"][1]["reasons"][0].startswith("breaker: open for ")
        assert told["candidates"][0]["latency_ms"] > 0 and told["candidates"][1]["success_rate"] == 0
        locked = gateway.chat(ask(), [("x-prism-provider-lock", "first")])
        assert locked.status == 503
        told = decision(gateway, locked)
        assert told["attempts"] == [] and told["source"] == "provider_lock"
        assert told["passed_over"] == [{"place": {"provider": "first", "model": "acme-large"}, "reason": "its breaker is open"}]


@pytest.mark.parametrize("body, headers, query, param", [
    (b"{", [], "", None), ({"messages": ask()["messages"]}, [], "", "model"), (ask(), [], "?endpoint=chat", "endpoint"),
    ({"model": "acme-large", "messages": 5}, [], "", "messages"), (ask(), [], "?endpoint=embeddings", "input"),
    (ask(), [("x-prism-config", "{")], "", "x-prism-config"), (ask(), [("x-prism-provider-lock", "nobody")], "", "x-prism-provider-lock"),
])
def test_bad_input_is_named(gateway, body, headers, query, param):
    reply = explain(gateway, body, headers, query)
    assert reply.status == 400 and reply.error()["message"], reply.body
    assert param is None or reply.error()["param"] == param


def test_a_turn_is_not_taken_by_asking(upstream, second):
    upstream.always(json_reply(completion()))
    second.always(json_reply(completion()))
    with Gateway({"providers": {"first": provider(upstream), "second": provider(second)}, "routing": ONE_TRY}) as gateway:
        for _ in range(4):
            next_one = explain(gateway).json()["candidates"][0]["provider"]
            assert explain(gateway).json()["candidates"][0]["provider"] == next_one
            assert gateway.chat(ask()).header("x-prism-provider") == next_one


def decision(gateway, reply, headers=()):
    path = f"/v1/route/decisions/{reply.header('x-prism-request-id')}"
    eventually(lambda: gateway.get(path, headers).status == 200, what="the decision")
    return gateway.get(path, headers).json()


def test_a_decision_is_told(gateway, upstream, second):
    upstream.always(error_reply(503, f"no, {SECRET}"))
    second.always(json_reply(completion()))
    reply = gateway.chat(ask())
    told = decision(gateway, reply)
    assert (told["model"], told["endpoint"], told["status"], told["source"]) == ("acme-large", "chat.completions", 200, "listed")
    assert [one["provider"] for one in told["candidates"]] == ["first", "second"]
    assert [(one["place"]["provider"], one["kind"], one["outcome"], one.get("status")) for one in told["attempts"]] == \
        [("first", "first", "failed", 503), ("second", "failover", "answered", None)]
    assert all(one["took_ms"] >= 0 for one in told["attempts"]) and told["took_ms"] > 0 and told["passed_over"] == []
    assert SECRET not in json.dumps(told)


def test_a_refused_request_has_a_decision_and_an_unknown_one_has_none(gateway):
    told = decision(gateway, gateway.chat({"model": "acme-large"}))
    assert told["status"] == 400 and told["candidates"] == told["attempts"] == [] and "source" not in told
    reply = gateway.get("/v1/route/decisions/req_nothing")
    assert reply.status == 404 and reply.error()["code"] == "decision_not_found" and reply.error()["param"] == "request_id"


def test_each_key_sees_its_own(upstream):
    upstream.always(json_reply(completion()))
    with Gateway({"providers": {"acme": provider(upstream)}, "routing": ONE_TRY} | KEYS) as gateway:
        own, others = [("authorization", "Bearer sk-client-a")], [("authorization", "Bearer sk-client-b")]
        reply = gateway.chat(ask(), own)
        assert decision(gateway, reply, own)["attempts"][0]["place"]["provider"] == "acme"
        path = f"/v1/route/decisions/{reply.header('x-prism-request-id')}"
        assert gateway.get(path, others).status == 404 and gateway.get(path).status == 401
        assert explain(gateway).status == 401 and explain(gateway, headers=own).status == 200
