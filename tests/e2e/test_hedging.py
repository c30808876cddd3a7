"""A second request beside a slow one: the quicker answer wins, the other is cut off, and nothing is done twice that counts."""

from __future__ import annotations

import time

import pytest

from support.gateway import Gateway, ask, provider
from support.routing import OK, answered_by, chats, slow
from support.upstream import completion, json_reply, sse, stream_frames

WARM_UP = 40
SLOW = 0.3


def hedged(upstream, second, **hedge) -> Gateway:
    """`second` is for failover and hedges only. The learned quantile is that of a quick provider."""
    providers = {"first": provider(upstream, priority=0), "second": provider(second, priority=1)}
    gateway = Gateway({"providers": providers, "routing": {"hedge": {"quantile": 0.95, "budget_percent": 100} | hedge}})
    upstream.always(OK)
    second.always(OK)
    return gateway


def test_nobody_is_hedged_before_it_is_known_what_is_slow(upstream, second):
    with hedged(upstream, second) as gateway:
        upstream.always(slow(SLOW))
        assert answered_by(chats(gateway, 3)) == {"first": 3}
    assert not second.requests


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_second_answers_when_the_first_is_slow_and_the_first_is_cut_off(upstream, second, stream):
    body = ask(stream=stream)
    with hedged(upstream, second) as gateway:
        if stream:
            upstream.always(sse(*stream_frames("a")))
            second.always(sse(*stream_frames("b")))
        chats(gateway, WARM_UP, body=body)
        upstream.default = None  # holds what comes
        closed = []
        for _ in range(5):
            reply = gateway.chat(body)
            assert reply.status == 200 and reply.header("x-prism-provider") == "second"
            assert int(reply.header("x-prism-attempts")) >= 2
            closed.append(upstream.take().closed_within(time.monotonic()))
        assert min(closed) <= 0.05, "cut off at once, as far as a busy machine lets us see"
        assert gateway.metrics().total("prism_attempts_total", provider="first", outcome="failed") == 0, "slow is not ill"


NOT_REPEATABLE = [{"store": True}, {"web_search_options": {}}, {"tools": [{"type": "web_search"}]},
                  {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "mcp", "server_label": "x"}]}]


@pytest.mark.parametrize("extra", NOT_REPEATABLE, ids=["store", "search", "server tool", "one of two tools"])
def test_a_request_that_leaves_traces_is_made_once(upstream, second, extra):
    with hedged(upstream, second) as gateway:
        chats(gateway, WARM_UP)
        before = len(second.requests)
        upstream.always(slow(SLOW))
        assert answered_by(chats(gateway, 2, body=ask(**extra))) == {"first": 2}
        assert len(second.requests) == before


@pytest.mark.parametrize("extra", [{"store": False}, {"tools": [{"type": "function", "function": {"name": "f"}}]}],
                         ids=["not stored", "the client's own tools"])
def test_what_leaves_none_is_hedged(upstream, second, extra):
    with hedged(upstream, second) as gateway:
        chats(gateway, WARM_UP)
        upstream.always(slow(20))
        assert answered_by(chats(gateway, 1, body=ask(**extra))) == {"second": 1}


def test_the_first_may_still_win(upstream, second):
    with hedged(upstream, second) as gateway:
        chats(gateway, WARM_UP)
        before = len(second.requests)
        upstream.always(slow(SLOW, json_reply(completion("the first"))))
        second.default = None
        reply = gateway.chat(ask())
        assert reply.status == 200 and reply.header("x-prism-provider") == "first"
        assert len(second.requests) == before + 1
        second.take().closed_within(upstream.last.at)


def test_hedges_stay_within_their_budget(upstream, second):
    with hedged(upstream, second, budget_percent=5) as gateway:
        chats(gateway, WARM_UP)
        upstream.always(slow(SLOW))
        chats(gateway, 40, at_once=8)
    hedges = len(second.requests)
    assert 1 <= hedges <= 0.05 * (WARM_UP + 40) + 4, hedges
