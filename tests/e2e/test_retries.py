"""A provider that failed is asked again after a pause, within one deadline and a budget of the whole process."""

from __future__ import annotations

import random
import time

import pytest

from support.gateway import Gateway, ask, provider
from support.routing import OK, chats, slow, statuses
from support.upstream import error_reply, reset_at_once, silence, sse, stream_frames
from support.waiting import eventually

NO_BREAKER = {"circuit_breaker": {"enabled": False}}
QUICK = {"retry": {"initial_delay": "20ms", "max_delay": "50ms"}}


def only(upstream, **routing) -> Gateway:
    return Gateway({"providers": {"only": provider(upstream)}, "routing": NO_BREAKER | QUICK | routing})


@pytest.mark.parametrize("failure", [error_reply(503), error_reply(408), error_reply(529), reset_at_once],
                         ids=["503", "408", "529", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_only_provider_is_asked_again(upstream, failure, stream):
    upstream.script(failure, failure)
    upstream.always(sse(*stream_frames("a")) if stream else OK)
    with only(upstream) as gateway:
        reply = gateway.chat(ask(stream=stream))
        assert reply.status == 200 and reply.header("x-prism-attempts") == "3"
        assert reply.header("x-prism-fallback-used") == "false"
    assert len({request.body for request in upstream.requests}) == 1, "each starts from what the client sent"


def test_after_two_retries_the_last_failure_is_the_answer(upstream):
    upstream.always(error_reply(503, "the third", headers=[("retry-after", "0")]))
    with only(upstream) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 503 and "the third" in reply.error()["message"]
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_nothing_is_retried_that_would_fail_again(upstream, status):
    upstream.always(error_reply(status))
    with only(upstream) as gateway:
        assert gateway.chat(ask()).status >= 400
    assert len(upstream.requests) == 1


def test_retries_can_be_switched_off(upstream):
    upstream.always(error_reply(503))
    with only(upstream, retry={"enabled": False}) as gateway:
        assert gateway.chat(ask()).status == 503
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(upstream, status):
    upstream.script(error_reply(status, headers=[("retry-after", "1")]))
    upstream.always(OK)
    with only(upstream) as gateway:
        assert gateway.chat(ask()).status == 200
    first, again = upstream.requests
    assert again.at - first.at >= 0.99


def test_who_asks_for_more_time_than_there_is_is_not_waited_for(upstream):
    upstream.always(error_reply(503, headers=[("retry-after", "30")]))
    with only(upstream) as gateway:
        began = time.monotonic()
        reply = gateway.chat(ask(), [("x-prism-request-timeout", "15000")])
        assert reply.status == 503 and reply.header("retry-after") == "30"
        assert time.monotonic() - began < 10
    assert len(upstream.requests) == 1


def test_a_healthy_other_one_is_asked_before_the_same_again(upstream, second):
    upstream.always(error_reply(503))
    second.always(OK)
    providers = {"first": provider(upstream, priority=0), "second": provider(second, priority=1)}
    with Gateway({"providers": providers, "routing": NO_BREAKER | QUICK}) as gateway:
        replies = chats(gateway, 10)
        assert {reply.header("x-prism-attempts") for reply in replies} == {"2"}
    assert len(upstream.requests) == len(second.requests) == 10


def test_each_attempt_may_have_its_own_time(upstream, second):
    upstream.always(silence)
    second.always(OK)
    providers = {"first": provider(upstream, priority=0), "second": provider(second, priority=1)}
    routing = NO_BREAKER | {"failover": {"per_attempt_timeout": "300ms"}}
    with Gateway({"providers": providers, "routing": routing}) as gateway:
        began = time.monotonic()
        reply = gateway.chat(ask())
        assert reply.status == 200 and reply.header("x-prism-provider") == "second"
        assert time.monotonic() - began >= 0.3


def test_one_deadline_holds_over_attempts_pauses_and_other_models(upstream):
    upstream.always(slow(0.2, error_reply(503)))
    fallbacks = {"acme-large": ["acme-small", "acme-tiny"]}
    providers = {"only": provider(upstream, "acme-large", "acme-small", "acme-tiny")}
    retry = {"retry": {"max_retries": 20, "initial_delay": "100ms", "max_delay": "100ms", "budget_min": 100}}
    with Gateway({"providers": providers, "routing": NO_BREAKER | retry | {"model_fallbacks": fallbacks}}) as gateway:
        began = time.monotonic()
        reply = gateway.chat(ask(), [("x-prism-request-timeout", "1000")])
        took = time.monotonic() - began
        assert reply.status in (503, 504) and took < 5, took
    time.sleep(0.3)
    assert upstream.requests[-1].at - upstream.requests[0].at < 1.5, "nothing is sent once the time is up"


def test_a_client_that_leaves_during_the_pause_is_not_served_behind_its_back(upstream):
    upstream.always(error_reply(503, headers=[("retry-after", "1")]))
    with only(upstream) as gateway:
        conn = gateway.open_chat(ask())
        eventually(lambda: upstream.requests, what="the first attempt")
        time.sleep(0.2)
        conn.close()
        time.sleep(1.3)
        assert len(upstream.requests) == 1
        eventually(lambda: gateway.metrics().total("prism_requests_in_flight") == 0, what="the request to end")


def test_retries_of_a_provider_that_fails_half_of_the_time_stay_within_the_budget(upstream):
    chance = random.Random(7)

    async def flaky(x):
        await (error_reply(503) if chance.random() < 0.5 else OK)(x)

    upstream.always(flaky)
    with only(upstream) as gateway:
        seen = statuses(chats(gateway, 300, at_once=8))
        metrics = gateway.metrics()
    retries = len(upstream.requests) - 300
    assert 20 <= retries <= 0.2 * 300, retries
    assert metrics.total("prism_retry_budget_exhausted_total") > 0, "more were wanted"
    assert set(seen) == {200, 503} and seen[200] > 150, seen


def test_an_outage_is_not_amplified(upstream, second):
    for one in (upstream, second):
        one.always(error_reply(503))
    providers = {"first": provider(upstream), "second": provider(second)}
    with Gateway({"providers": providers, "routing": NO_BREAKER | QUICK}) as gateway:
        assert statuses(chats(gateway, 150, at_once=8)) == {503: 150}
    attempts = len(upstream.requests) + len(second.requests)
    assert 300 <= attempts <= 300 + 0.2 * 150, "each provider once, and a fifth of the requests again"
