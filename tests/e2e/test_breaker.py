"""A provider that fails is given a rest and comes back by itself: with requests as its probes, and without any."""

from __future__ import annotations

import asyncio
import time

import pytest

from support.gateway import Gateway, ask, provider
from support.routing import OK, answered_by, chats, in_background, slow, statuses
from support.upstream import EVENT_STREAM, chunk, error_reply, event, json_reply, reset_at_once, silence
from support.waiting import eventually

BREAKER = {"failure_threshold": 3, "open_duration": "1s", "half_open_max_requests": 2}
DOWN = error_reply(500)


def only(upstream, provider_extra: dict | None = None, routing: dict | None = None, **breaker) -> Gateway:
    rules = {"circuit_breaker": BREAKER | breaker, "retry": {"enabled": False}} | (routing or {})
    return Gateway({"providers": {"only": provider(upstream, **(provider_extra or {}))}, "routing": rules})


def trip(gateway, upstream, failure=DOWN, count=3):
    upstream.always(failure)
    seen = statuses(chats(gateway, count))
    assert 200 not in seen and 500 not in seen, seen
    return len(upstream.requests)


def is_resting(reply) -> bool:
    return reply.status == 503 and reply.error()["code"] == "providers_resting"


def recovered(gateway, timeout=15):
    eventually(lambda: gateway.chat(ask()).status == 200, timeout, "the provider to be back", pause=0.1)


def in_flight(gateway) -> float:
    return gateway.metrics().total("prism_requests_in_flight")


@pytest.mark.parametrize("failure", [error_reply(500), error_reply(529), reset_at_once, json_reply(b"{")],
                         ids=["500", "529", "reset", "unreadable"])
def test_it_opens_and_the_answer_is_503_with_a_time(upstream, failure):
    with only(upstream, open_duration="60s") as gateway:
        asked = trip(gateway, upstream, failure)
        for reply in chats(gateway, 5):
            assert is_resting(reply) and 1 <= int(reply.header("retry-after")) <= 72
        assert len(upstream.requests) == asked, "it is left alone"


def test_it_opens_on_a_share_of_failures(upstream):
    with only(upstream, failure_threshold=None, min_requests=10, error_threshold_percent=50, open_duration="60s") as gateway:
        upstream.script(*[OK, DOWN] * 5)
        upstream.always(DOWN)
        seen = chats(gateway, 15)
        assert [is_resting(reply) for reply in seen] == [False] * 10 + [True] * 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429])
def test_what_is_not_the_providers_illness_opens_nothing(upstream, status):
    with only(upstream, failure_threshold=1, min_requests=1, error_threshold_percent=1) as gateway:
        upstream.script(*[error_reply(status, headers=[("retry-after", "0")])] * 5)
        chats(gateway, 5)
        upstream.always(OK)
        recovered(gateway, 5)
        assert len(upstream.requests) >= 6


def test_the_others_serve_meanwhile_without_a_detour(upstream, second):
    upstream.always(DOWN)
    second.always(OK)
    providers = {"first": provider(upstream, priority=0), "second": provider(second, priority=1)}
    with Gateway({"providers": providers, "routing": {"circuit_breaker": BREAKER | {"open_duration": "60s"}}}) as gateway:
        replies = chats(gateway, 12)
        assert answered_by(replies) == {"second": 12}
        assert [reply.header("x-prism-attempts") for reply in replies[-6:]] == ["1"] * 6
    assert len(upstream.requests) == 3


def test_real_requests_are_the_probes_and_only_so_many_at_once(upstream):
    with only(upstream, half_open_max_requests=2, success_threshold=2) as gateway:
        trip(gateway, upstream)
        upstream.reset()  # holds what comes
        eventually(lambda: upstream.listings, 10, "the unbilled look at the provider")
        waiting = in_background(lambda: gateway.chat(ask()), 12)
        eventually(lambda: sum(one.done() for one in waiting) == 10, what="ten of twelve to be turned away")
        assert len(upstream.requests) == 2
        assert all(is_resting(one.result()) for one in waiting if one.done())
        for _ in range(2):
            upstream.take().run(OK)
        assert sorted(one.result().status for one in waiting) == [200] * 2 + [503] * 10
        upstream.always(OK)
        assert statuses(chats(gateway, 20, at_once=4)) == {200: 20}, "closed: alone, it is spared nothing by the ramp"


def test_a_probe_that_fails_opens_it_again_for_longer(upstream):
    with only(upstream) as gateway:
        asked = trip(gateway, upstream)
        eventually(lambda: gateway.chat(ask()).status == 502, 10, "a probe", pause=0.05)
        assert len(upstream.requests) == asked + 1
        reopened = gateway.chat(ask())
        assert is_resting(reopened)
        upstream.always(OK)
        recovered(gateway)


def test_without_traffic_it_comes_back_by_a_look_that_costs_nothing(upstream):
    upstream.models = ["acme-large"]
    with only(upstream) as gateway:
        asked = trip(gateway, upstream)
        upstream.always(OK)
        eventually(lambda: upstream.listings, 10, "the unbilled probe")
        time.sleep(1)
        assert {request.method for request in upstream.listings} == {"GET"}
        assert len(upstream.requests) == asked, "no probe is ever a completion"
        assert gateway.chat(ask()).status == 200, "and the first request is let through at once"


def test_a_look_at_a_dead_provider_keeps_it_resting_but_not_for_ever(upstream):
    upstream.models = DOWN  # its completions are well again, its list is not
    with only(upstream, open_duration="200ms") as gateway:
        asked = trip(gateway, upstream)
        upstream.always(OK)
        eventually(lambda: len(upstream.listings) >= 3, 15, "further looks")
        assert len(upstream.requests) == asked
        recovered(gateway)


def test_a_client_that_leaves_during_a_probe_does_not_hold_its_place(upstream):
    with only(upstream, half_open_max_requests=1) as gateway:
        trip(gateway, upstream)
        upstream.reset()
        eventually(lambda: upstream.listings, 10, "the pause to end")
        conn = gateway.open_chat(ask())
        upstream.take()
        assert is_resting(gateway.chat(ask())), "the only place is taken"
        conn.close()
        eventually(lambda: in_flight(gateway) == 0, what="the client's leaving to be seen")
        upstream.always(OK)
        assert gateway.chat(ask()).status == 200


def test_a_probe_that_hangs_holds_nobody_up_but_itself(upstream):
    with only(upstream, half_open_max_requests=2, success_threshold=1) as gateway:
        trip(gateway, upstream)
        upstream.reset()
        eventually(lambda: upstream.listings, 10, "the pause to end")
        hanging = gateway.open_chat(ask())
        upstream.take()
        upstream.always(OK)
        assert statuses(chats(gateway, 10)) == {200: 10}
        hanging.close()


def test_a_look_that_hangs_does_not_stick_either(upstream):
    upstream.models = silence
    with only(upstream) as gateway:
        trip(gateway, upstream)
        upstream.always(OK)
        recovered(gateway)


def test_streams_that_are_cut_count(upstream):
    async def cut(x):
        await x.head(200, EVENT_STREAM)
        await x.chunk(event(chunk({"content": "Hel"})))
        await asyncio.sleep(0.02)
        x.reset()

    upstream.always(cut)
    with only(upstream, open_duration="60s") as gateway:
        assert statuses(chats(gateway, 3, body=ask(stream=True))) == {200: 3}
        eventually(lambda: is_resting(gateway.chat(ask(stream=True))), 5, "the breaker to open")
        assert len(upstream.requests) <= 4


def test_it_comes_back_with_a_ramp_while_others_serve(upstream, second):
    upstream.models = ["acme-large"]
    second.always(OK)
    providers = {"first": provider(upstream), "second": provider(second)}
    rules = BREAKER | {"open_duration": "4s", "half_open_max_requests": 1}
    with Gateway({"providers": providers, "routing": {"circuit_breaker": rules}}) as gateway:
        upstream.always(DOWN)
        eventually(lambda: (chats(gateway, 1), len(upstream.requests) == 3)[1], what="the breaker to open")
        upstream.always(OK)
        eventually(lambda: chats(gateway, 1)[0].header("x-prism-provider") == "first", 15, "the probe", pause=0.02)
        early = answered_by(chats(gateway, 16))
        assert early["first"] <= 6, f"a tenth of its half at first: {early}"
        eventually(lambda: answered_by(chats(gateway, 10))["first"] == 5, 15, "its whole share", pause=0.2)


def test_callers_in_a_hurry_do_not_make_a_slow_provider_look_ill(upstream):
    upstream.always(slow(0.5))
    with only(upstream, failure_threshold=3, min_requests=3) as gateway:
        hurried = chats(gateway, 6, headers=[("x-prism-request-timeout", "60")])
        assert statuses(hurried) == {504: 6}
        own = chats(gateway, 4, headers=[("x-prism-config", '{"timeouts": {"per_attempt_timeout_ms": 50}}')])
        assert statuses(own) == {504: 4}
        assert gateway.chat(ask()).status == 200, "for everybody else it is well"


def test_a_provider_that_hangs_is_ill_by_the_operators_clock(upstream):
    upstream.always(silence)
    with only(upstream, routing={"timeouts": {"request_timeout_seconds": "300ms"}}, open_duration="60s") as gateway:
        assert statuses(chats(gateway, 3)) == {504: 3}
        assert is_resting(gateway.chat(ask()))
