"""A used-up quota and a refused key are remembered, each on its own clock, and are nobody's ill health."""

from __future__ import annotations

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.routing import OK, answered_by, by_key, chats, statuses
from support.upstream import completion, error_reply, json_reply
from support.waiting import eventually

LIMITED = error_reply(429, headers=[("retry-after", "30")])
REFUSED = error_reply(401, "Incorrect API key provided")
NO_RETRIES = {"retry": {"enabled": False}}


def gateway_for(routing=NO_RETRIES, **providers) -> Gateway:
    return Gateway({"providers": providers, "routing": routing})


def test_after_a_429_the_next_request_goes_elsewhere_at_once(upstream, second):
    upstream.always(LIMITED)
    second.always(OK)
    with gateway_for(first=provider(upstream), second=provider(second)) as gateway:
        assert answered_by(chats(gateway, 12)) == {"second": 12}
    assert len(upstream.requests) == 1, "until it said it is to be left alone"


def test_when_all_are_limited_the_answer_is_429_without_asking_anyone(upstream, second):
    for one in (upstream, second):
        one.always(LIMITED)
    with gateway_for(first=provider(upstream), second=provider(second)) as gateway:
        assert gateway.chat(ask()).status == 429
        for reply in chats(gateway, 5):
            assert reply.status == 429 and 20 <= int(reply.header("retry-after")) <= 30
            assert reply.error()["type"] == "rate_limit_error"
    assert (len(upstream.requests), len(second.requests)) == (1, 1)


def test_a_quota_is_one_models_and_no_breaker_opens(upstream):
    async def by_model(x):
        await (LIMITED if x.request.json()["model"] == "busy" else OK)(x)

    upstream.always(by_model)
    routing = NO_RETRIES | {"circuit_breaker": {"failure_threshold": 1}}
    with gateway_for(routing, only=provider(upstream, "busy", "free")) as gateway:
        assert statuses(chats(gateway, 5, body=ask("busy"))) == {429: 5}
        assert statuses(chats(gateway, 5, body=ask("free"))) == {200: 5}
    assert len(upstream.requests) == 6


def test_it_is_over_when_its_time_has_come(upstream):
    upstream.script(error_reply(429, headers=[("retry-after", "1")]))
    upstream.always(OK)
    with gateway_for(only=provider(upstream)) as gateway:
        assert [gateway.chat(ask()).status for _ in range(2)] == [429, 429]
        eventually(lambda: gateway.chat(ask()).status == 200, 5, "the quota to be back", pause=0.1)
    assert upstream.requests[1].at - upstream.requests[0].at >= 0.99


HEADERS = {
    "openai": [("x-ratelimit-limit-requests", "1"), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "60s")],
    "tokens": [("x-ratelimit-limit-tokens", "10"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m0s")],
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
def test_a_provider_that_shows_an_empty_quota_is_avoided_before_it_refuses(upstream, second, headers):
    upstream.always(json_reply(completion(), headers=headers))
    second.always(OK)
    with gateway_for(first=provider(upstream), second=provider(second)) as gateway:
        answers = answered_by(chats(gateway, 12))
        assert answers["first"] == 1, answers
        second.always(error_reply(503))
        assert gateway.chat(ask()).header("x-prism-provider") == "first", "better than nobody"


def keys(upstream, *names, **extra):
    return provider(upstream, api_keys=list(names), **extra)


@pytest.mark.parametrize("refusal", [REFUSED, error_reply(403), LIMITED], ids=["401", "403", "429"])
def test_another_key_answers_in_place_of_a_refused_one_that_is_then_left_alone(upstream, refusal):
    upstream.always(by_key(bad=refusal, good=OK))
    with gateway_for(only=keys(upstream, "bad", "good")) as gateway:
        replies = chats(gateway, 30)
        assert statuses(replies) == {200: 30}
    used = [request.header("authorization") for request in upstream.requests]
    assert used.count("Bearer bad") == 1, used
    assert {reply.header("x-prism-fallback-used") for reply in replies} == {"false"}


def test_keys_do_not_use_up_the_attempts_of_other_providers(upstream, second):
    upstream.always(LIMITED)
    second.always(OK)
    with gateway_for(first=keys(upstream, "k1", "k2", "k3", "k4", priority=0), second=provider(second, priority=1)) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 200 and reply.header("x-prism-provider") == "second"
        assert len(upstream.requests) == 4 and reply.header("x-prism-attempts") == "5"


def test_a_refused_key_is_asked_once_by_a_request_whatever_the_others_do(upstream):
    upstream.always(by_key(bad=REFUSED, busy=LIMITED))
    with gateway_for(only=keys(upstream, "bad", "busy")) as gateway:
        for _ in range(4):
            before = len(upstream.requests)
            assert gateway.chat(ask()).status in (429, 502)
            used = [request.header("authorization") for request in upstream.requests[before:]]
            assert len(used) == len(set(used)), used


def test_a_single_bad_key_is_the_operators_fault_and_recovers(upstream):
    upstream.script(REFUSED)
    upstream.always(OK)
    with gateway_for(ONE_TRY, only=provider(upstream, api_key="once-bad")) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 502 and "credential" in reply.error()["message"]
        assert statuses(chats(gateway, 3)) == {200: 3}


def test_a_provider_with_a_bad_key_is_left_alone_while_another_answers(upstream, second):
    upstream.always(REFUSED)
    second.always(OK)
    with gateway_for(first=provider(upstream, api_key="bad"), second=provider(second)) as gateway:
        assert statuses(chats(gateway, 15)) == {502: 1, 200: 14}
    assert len(upstream.requests) == 1
