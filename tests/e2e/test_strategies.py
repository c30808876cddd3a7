"""Which of several providers is asked first, and which next."""

from __future__ import annotations

from collections import Counter

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.routing import OK, answered_by, chats, slow
from support.upstream import error_reply
from support.waiting import eventually


def routed(strategy: str, *upstreams, each=({}, {}, {}), **routing) -> Gateway:
    """`first`, `second` and `third` under that strategy; failures are neither retried nor remembered by a breaker."""
    names = ("first", "second", "third")
    providers = {name: provider(one, **extra) for name, one, extra in zip(names, upstreams, each)}
    return Gateway({"providers": providers, "routing": ONE_TRY | {"default_strategy": strategy} | routing})


@pytest.fixture
def all_well(upstream, second, third):
    for one in (upstream, second, third):
        one.always(OK)
    return upstream, second, third


def test_round_robin_is_even(all_well):
    with routed("round-robin", *all_well) as gateway:
        replies = chats(gateway, 30)
        assert answered_by(replies) == {"first": 10, "second": 10, "third": 10}
        assert replies[0].header("x-prism-routing-strategy") == "round-robin"


def test_what_one_of_three_fails_at_is_spread_evenly_over_the_others(all_well):
    all_well[0].always(error_reply(503))
    with routed("round-robin", *all_well) as gateway:
        assert answered_by(chats(gateway, 60)) == {"second": 30, "third": 30}
    assert len(all_well[0].requests) == 20, "it is asked in its turn, and only then"


def test_the_turns_of_a_slow_provider_do_not_come_back_to_it_when_requests_are_hedged(all_well):
    first, second, _ = all_well
    with routed("round-robin", first, second, hedge={"quantile": 0.95}) as gateway:
        chats(gateway, 80)
        first.always(slow(0.2))
        before = len(first.requests)
        chats(gateway, 20)
        assert 8 <= len(first.requests) - before <= 16, "ten turns and a few hedges"


def test_weights_are_shares(all_well):
    with routed("weighted", *all_well, each=({"weight": 6}, {"weight": 2}, {"weight": 0})) as gateway:
        answers = answered_by(chats(gateway, 200, at_once=4))
        assert 115 <= answers["first"] <= 185 and not all_well[2].requests, answers
        all_well[0].always(error_reply(503))
        all_well[1].always(error_reply(503))
        assert answered_by(chats(gateway, 5)) == {"third": 5}, "weight 0 is for failover"


def test_weighted_requests_fail_over_too(all_well):
    all_well[0].always(error_reply(503))
    with routed("weighted", *all_well[:2], each=({"weight": 9}, {"weight": 1})) as gateway:
        assert answered_by(chats(gateway, 20)) == {"second": 20}


@pytest.mark.parametrize("weights, expected", [((1, 1), (4, 4)), ((3, 1), (6, 2))])
def test_least_busy_counts_requests_in_progress_by_weight(upstream, second, weights, expected):
    with routed("least-busy", upstream, second, each=[{"weight": weight} for weight in weights]) as gateway:
        conns = []
        for count in range(1, 9):
            conns.append(gateway.open_chat(ask()))
            eventually(lambda: len(upstream.requests) + len(second.requests) == count, what="the request at an upstream")
        assert tuple(len(one.requests) for one in (upstream, second)) == expected
        for one in (upstream, second):
            for _ in one.requests:
                one.take().run(OK)
        assert all(conn.reply().status == 200 for conn in conns)


def test_least_busy_spreads_evenly_what_one_of_three_fails_at(all_well):
    all_well[0].always(error_reply(503))
    with routed("least-busy", *all_well) as gateway:
        answers = answered_by(chats(gateway, 200))
    assert set(answers) == {"second", "third"} and 65 <= answers["second"] <= 135, "five standard deviations"
    assert 30 <= len(all_well[0].requests) <= 105, "equals are chosen among by chance, whatever they answer"


def test_the_next_cheapest_takes_over_from_the_cheapest(all_well):
    all_well[1].always(error_reply(503))
    prices = {"first": 3, "second": 1, "third": 2}
    custom = {f"{name}/acme-large": {"input_per_mtok": price, "output_per_mtok": price} for name, price in prices.items()}
    providers = {name: provider(one) for name, one in zip(prices, all_well)}
    routing = ONE_TRY | {"default_strategy": "cost-optimized"}
    with Gateway({"providers": providers, "routing": routing, "cost_tracking": {"custom_pricing": custom}}) as gateway:
        assert answered_by(chats(gateway, 20)) == {"third": 20}
        all_well[1].always(OK)
        assert answered_by(chats(gateway, 20)) == {"second": 20}
    assert not all_well[0].requests


def test_adaptive_shares_follow_speed_and_success(all_well):
    """Three times as fast is three times the share, and who fails keeps the floor of a twentieth."""
    first, second, third = all_well
    first.always(slow(0.24))
    second.always(slow(0.08))
    third.always(error_reply(503))
    with routed("adaptive", *all_well) as gateway:
        chats(gateway, 40, at_once=4)
        for one in all_well:
            one.requests.clear()
        answers = answered_by(chats(gateway, 240, at_once=4))
    assert set(answers) == {"first", "second"} and 130 <= answers["second"] <= 222, answers
    assert 2 <= len(third.requests) <= 40, "about twelve"


def test_least_latency_prefers_the_fast(upstream, second):
    upstream.always(slow(0.15))
    second.always(OK)
    with routed("least-latency", upstream, second) as gateway:
        answers = answered_by(chats(gateway, 40))
        assert answers["second"] >= 30, answers


@pytest.mark.parametrize("failure", [error_reply(429, headers=[("retry-after", "0")]), error_reply(500)], ids=["429", "500"])
@pytest.mark.parametrize("strategy", ["least-latency", "adaptive", "fastest"])
def test_fast_failures_attract_nothing(upstream, second, strategy, failure):
    upstream.always(failure)
    second.always(slow(0.03))
    with routed(strategy, upstream, second) as gateway:
        assert answered_by(chats(gateway, 30)) == {"second": 30}
    assert len(upstream.requests) <= 12, "a floor of the shares at most"


def test_a_provider_that_always_loses_its_races_is_no_longer_first(upstream, second):
    """Who loses a race is cut off before its latency is known: that it took longer has to count all the same."""
    upstream.always(OK)
    second.always(OK)
    with routed("fastest", upstream, second, hedge={"quantile": 0.9, "budget_percent": 100}) as gateway:
        for name in ("first", "second"):  # however quick they are, what is usual with each is known
            chats(gateway, 50, body=ask(f"{name}/acme-large"))
        upstream.always(slow(30))
        before = len(upstream.requests)
        assert answered_by(chats(gateway, 60)) == {"second": 60}
        assert len(upstream.requests) - before <= 45, "it is asked first a few times, then not"


def test_targets_say_who_serves_a_model_in_which_order_and_under_which_name(all_well):
    first, second, third = all_well
    targets = {"smart": [{"provider": "second", "priority": 1, "model_override": "s-2"},
                         {"provider": "first", "priority": 0, "model_override": "s-1"}]}
    with routed("round-robin", *all_well, targets=targets) as gateway:
        replies = chats(gateway, 5, body=ask("smart"))
        assert answered_by(replies) == {"first": 5}
        assert replies[0].header("x-prism-model-used") == "s-1" and first.last.json()["model"] == "s-1"
        first.always(error_reply(500))
        assert answered_by(chats(gateway, 3, body=ask("smart"))) == {"second": 3}
        assert second.last.json()["model"] == "s-2" and not third.requests


def test_another_model_stands_in_when_nobody_answers_for_the_one_asked_for(upstream, second):
    second.always(OK)
    providers = {"first": provider(upstream, "large"), "second": provider(second, "small")}
    config = {"providers": providers, "routing": ONE_TRY | {"model_fallbacks": {"large": ["missing", "small"]}}}
    with Gateway(config) as gateway:
        upstream.always(error_reply(503))
        reply = gateway.chat(ask("large"))
        assert reply.status == 200 and reply.header("x-prism-provider") == "second"
        assert reply.header("x-prism-model-used") == "small" == second.last.json()["model"]
        assert reply.header("x-prism-fallback-used") == "true" and reply.header("x-prism-attempts") == "2"
        upstream.always(error_reply(400))
        assert gateway.chat(ask("large")).status == 400, "the caller's mistake is nobody else's to repeat"
        assert len(second.requests) == 1


def test_two_models_may_stand_in_for_each_other(upstream, second):
    """Nobody's fallbacks are followed: when both fail, each has been asked once."""
    providers = {"first": provider(upstream, "large"), "second": provider(second, "small")}
    config = {"providers": providers, "routing": ONE_TRY | {"model_fallbacks": {"large": ["small"], "small": ["large"]}}}
    with Gateway(config) as gateway:
        upstream.always(error_reply(503))
        second.always(OK)
        assert gateway.chat(ask("large")).header("x-prism-model-used") == "small"
        upstream.always(OK)
        second.always(error_reply(503))
        assert gateway.chat(ask("small")).header("x-prism-model-used") == "large"
        upstream.always(error_reply(503))
        reply = gateway.chat(ask("large"))
        assert reply.status == 503 and reply.header("x-prism-attempts") == "2"


def test_the_order_of_fallbacks_can_be_fixed(all_well):
    all_well[0].always(error_reply(503))
    each = ({"priority": 0}, {"priority": 1}, {"priority": 2})
    with routed("round-robin", *all_well, each=each, failover={"providers": ["third", "second"]}) as gateway:
        assert answered_by(chats(gateway, 6)) == {"third": 6}


def sessions(gateway, count=24):
    asked = {f"s{one}": [("x-prism-session-id", f"s{one}")] for one in range(count)}
    return {name: answered_by(chats(gateway, 2, headers=headers)) for name, headers in asked.items()}


def test_a_session_stays_with_one_provider_and_moves_only_when_that_fails(all_well):
    with routed("round-robin", *all_well, sticky={"by": "session"}) as gateway:
        before = sessions(gateway)
        assert all(len(seen) == 1 for seen in before.values()), before
        assert len(set().union(*before.values())) == 3, "the sessions are spread"
        all_well[0].always(error_reply(503))
        after = sessions(gateway)
        stayed = {name for name in before if "first" not in before[name]}
        assert all(after[name] == before[name] for name in stayed)
        assert "first" not in set().union(*after.values())


def test_a_user_can_be_bound_too_and_who_has_no_name_is_not(all_well):
    with routed("round-robin", *all_well, sticky={"by": "user"}) as gateway:
        assert len(answered_by(chats(gateway, 6, body=ask(user="u1")))) == 1
        assert answered_by(chats(gateway, 6)) == Counter(first=2, second=2, third=2)
