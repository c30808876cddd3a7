"""A provider in several regions: each has its own endpoint and breaker, and with Bedrock its own signature and profile prefix."""

from __future__ import annotations

from support.gateway import ONE_TRY, Gateway, ask, provider, run
from support.routing import chats, statuses
from support.upstream import completion, error_reply, json_reply, reset_at_once, sse, stream_frames

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


# The bytes lane: an OpenAI-compatible provider that is found at several addresses under one key.

ODD = b'{"model":"acme/acme-large", "messages":[{"role":"user","content":"ping"}], "seed" : 12345678901234567890,"x":[1.0,1e5]}'


def compatible(upstream, second, routing) -> Gateway:
    elsewhere = [{"region": "eu", "base_url": second.origin}]
    return Gateway({"providers": {"acme": provider(upstream, api_key="sk-acme", failover_regions=elsewhere)}, "routing": routing})


def test_a_compatible_provider_sends_the_same_bytes_to_its_next_region(upstream, second):
    upstream.always(error_reply(503))
    second.always(json_reply(completion()))
    with compatible(upstream, second, ONE_TRY) as gateway:
        reply = gateway.chat(ODD)
    assert reply.status == 200 and reply.json() == completion()
    assert (reply.header("x-prism-provider"), reply.header("x-prism-attempts")) == ("acme", "2")
    home, away = upstream.last, second.last
    assert home.body == away.body == ODD.replace(b"acme/acme-large", b"acme-large")
    assert home.path == away.path == "/v1/chat/completions"
    assert home.header("authorization") == away.header("authorization") == "Bearer sk-acme"
    assert away.header("host") == f"127.0.0.1:{second.port}"


def test_a_stream_goes_to_the_next_region_before_its_first_byte(upstream, second):
    upstream.always(reset_at_once)
    second.always(sse(*stream_frames("po", "ng")))
    with compatible(upstream, second, ONE_TRY) as gateway:
        reply = gateway.chat(ask(stream=True))
    assert reply.status == 200 and reply.body == b"".join(stream_frames("po", "ng"))
    assert len(upstream.requests) == len(second.requests) == 1


def test_each_region_of_a_compatible_provider_has_its_own_breaker(upstream, second):
    upstream.always(error_reply(500))
    second.always(json_reply(completion()))
    routing = {"circuit_breaker": {"failure_threshold": 3, "open_duration": "60s"}}
    with compatible(upstream, second, routing) as gateway:
        assert statuses(chats(gateway, 8)) == {200: 8}
        assert len(upstream.requests) == 3 and len(second.requests) == 8
        shown = [one for one in gateway.get("/v1/providers/health").json()["data"] if one["name"] == "acme"]
        assert {one.get("region"): one["breaker"]["state"] for one in shown} == {None: "open", "eu": "closed"}


def test_only_bedrock_knows_where_its_regions_are(tmp_path):
    file = tmp_path / "prism.yaml"
    file.write_text("providers: {acme: {base_url: 'https://a.example.com', failover_regions: [eu]}}")
    checked = run("check", "--config", str(file))
    assert checked.returncode != 0 and "only Bedrock's regions are known" in checked.stdout + checked.stderr
