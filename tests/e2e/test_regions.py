"""Bedrock in several regions: each has its own endpoint, signature, profile prefix and breaker."""

from __future__ import annotations

from support.gateway import ONE_TRY, Gateway, ask
from support.routing import chats, statuses
from support.upstream import error_reply, json_reply

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "pong"}]}}, "stopReason": "end_turn",
          "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "metrics": {"latencyMs": 1}}
UNAVAILABLE = json_reply({"message": "Service unavailable"}, 503)


def regions(upstream, second, routing) -> Gateway:
    bedrock = {"type": "bedrock", "region": "us-east-1", "base_url": upstream.origin, "discover": False, "models": [MODEL],
               "access_key_id": "AKIA1", "secret_access_key": "shh",
               "failover_regions": [{"region": "eu-west-1", "base_url": second.origin}]}
    return Gateway({"providers": {"aws": bedrock}, "routing": routing})


def test_the_next_region_gets_a_request_of_its_own(upstream, second):
    upstream.always(UNAVAILABLE)
    second.always(json_reply(ANSWER))
    with regions(upstream, second, ONE_TRY) as gateway:
        reply = gateway.chat(ask(MODEL))
        assert reply.status == 200 and reply.json()["choices"][0]["message"]["content"] == "pong"
        assert reply.header("x-prism-provider") == "aws" and reply.header("x-prism-attempts") == "2"
    home, away = upstream.last, second.last
    assert "/us.anthropic.claude-sonnet-4-5" in home.path and "/eu.anthropic.claude-sonnet-4-5" in away.path
    assert "/us-east-1/bedrock/aws4_request" in home.header("authorization")
    assert "/eu-west-1/bedrock/aws4_request" in away.header("authorization")
    assert away.header("host") == f"127.0.0.1:{second.port}"


def test_a_well_region_is_the_only_one_asked(upstream, second):
    upstream.always(json_reply(ANSWER))
    with regions(upstream, second, ONE_TRY) as gateway:
        assert statuses(chats(gateway, 4, body=ask(MODEL))) == {200: 4}
    assert not second.requests


def test_each_region_has_its_own_breaker(upstream, second):
    upstream.always(UNAVAILABLE)
    second.always(json_reply(ANSWER))
    routing = {"circuit_breaker": {"failure_threshold": 3, "open_duration": "60s"}}
    with regions(upstream, second, routing) as gateway:
        assert statuses(chats(gateway, 10, body=ask(MODEL))) == {200: 10}
        assert len(upstream.requests) == 3 and len(second.requests) == 10
        second.always(error_reply(503))
        assert gateway.chat(ask(MODEL), [("x-prism-request-timeout", "3000")]).status == 503
