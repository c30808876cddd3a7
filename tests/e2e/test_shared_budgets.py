"""Budgets that several gateways have together, over a real nats-server: never more than there is, and nothing lost when it is away."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from contextlib import ExitStack
from decimal import Decimal

import openai
import pytest

from support.gateway import Gateway, ask, provider
from support.nats import NatsCluster, NatsServer, stored
from support.organisations import TOKEN, Office, bearer, control_plane
from support.routing import in_background
from support.upstream import completion, json_reply
from support.waiting import eventually

MASTER = base64.b64encode(os.urandom(32)).decode()
KEY = "sk-prism-app"
BEARER = [("authorization", f"Bearer {KEY}")]


# a dollar for each token of an answer: what a request may cost is its `max_tokens`
PRICES = {"custom_pricing": {"acme-large": {"input_per_mtok": 0, "output_per_mtok": 1_000_000}}}
SPENDING = "KV_PRISM_CONFIG_SPENDING"


def config_of(upstream, url: str, limit: int, replicas: int = 1, **budget) -> dict:
    return control_plane(
        nats={"url": url}, usage={"replicas": replicas}, control_plane={"allow_private": True, "kv_bucket": "PRISM_CONFIG"},
        auth={"keys": [{"name": "app", "key": KEY}]}, cost_tracking=PRICES,
        budgets={"keys": {"app": {"limit": limit} | budget}},
        providers={"acme": provider(upstream, "acme-large")})


def gateway(upstream, url: str, limit: int, **budget) -> Gateway:
    return Gateway(config_of(upstream, url, limit, **budget), key=KEY, env={"PRISM_MASTER_KEY": MASTER})


def spend(gateway: Gateway, dollars: int = 1):
    return gateway.chat(ask(max_tokens=dollars), BEARER)


def standing(gateway: Gateway) -> dict:
    (budget,) = gateway.get("/v1/limits", BEARER).json()["budgets"]
    return budget


def spent(gateway: Gateway) -> Decimal:
    return Decimal(standing(gateway)["spent"])


@pytest.fixture(autouse=True)
def answers(upstream):
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
    upstream.always(json_reply(completion("pong", usage=usage)))


def test_a_crowd_at_three_gateways_spends_what_there_is_and_no_more(upstream):
    with NatsServer() as nats, ExitStack() as stack:
        three = [stack.enter_context(gateway(upstream, nats.url, 10)) for _ in range(3)]

        async def crowd():
            clients = [one.async_openai(timeout=120) for one in three]
            one = lambda client: client.chat.completions.create(**ask(max_tokens=1))
            return await asyncio.gather(*(one(clients[at % 3]) for at in range(900)), return_exceptions=True)

        results = asyncio.run(crowd())
        admitted = [one for one in results if not isinstance(one, BaseException)]
        refused = [one for one in results if isinstance(one, openai.RateLimitError)]
        assert (len(admitted), len(refused)) == (10, 890), [one for one in results if isinstance(one, BaseException)][:3]
        assert {one.code for one in refused} == {"insufficient_quota"}
        assert len(upstream.requests) == 10
        for one in three:
            eventually(lambda: spent(one) == 10, what="everybody to know what is spent")


def test_what_one_leaves_the_other_may_spend_to_the_last_dollar(upstream):
    with NatsServer() as nats, gateway(upstream, nats.url, 7) as one, gateway(upstream, nats.url, 7) as other:
        for at in range(7):
            assert spend((one, other)[at % 2]).status == 200, at
        for gate in (one, other):
            refused = spend(gate)
            assert refused.status == 429 and refused.error()["code"] == "insufficient_quota", refused.body


def test_what_was_spent_is_known_after_the_end_of_all_of_them(upstream):
    with NatsServer() as nats:
        with gateway(upstream, nats.url, 5) as one:
            assert [spend(one).status for _ in range(3)] == [200] * 3
        # another machine: nothing of the first one's folder
        with gateway(upstream, nats.url, 5) as other:
            assert spent(other) == 3
            assert [spend(other).status for _ in range(3)] == [200, 200, 429], "and no lease of the first one is left"


def test_without_nats_each_counts_alone_and_tells_the_others_when_it_is_back(upstream):
    with NatsServer() as nats, gateway(upstream, nats.url, 10) as one, gateway(upstream, nats.url, 10) as other:
        assert spend(one).status == 200
        eventually(lambda: spent(other) == 1, what="the other to hear of it")
        nats.kill()
        for gate in (one, other):
            eventually(lambda: "counts alone" in gate.output, what="a gateway to know that it is alone")
        # nine are left, to each of them
        assert [spend(one, 1).status for _ in range(4)] == [200] * 4
        assert [spend(other, 1).status for _ in range(3)] == [200] * 3
        assert (spent(one), spent(other)) == (5, 4)
        nats.start()
        for gate in (one, other):
            eventually(lambda: spent(gate) == 8, 20, "both to know what both have spent")
        assert [spend(one).status for _ in range(3)] == [200, 200, 429]


def test_what_was_spent_alone_counts_in_the_moment_in_which_nats_is_back(upstream):
    """What the bucket says then is without it: who leased of that would spend the budget twice."""
    with NatsServer() as nats, gateway(upstream, nats.url, 10) as one, gateway(upstream, nats.url, 10) as other:
        assert spend(other).status == 200
        eventually(lambda: spent(one) == 1, what="the first to hear of it")
        nats.kill()
        eventually(lambda: "counts alone" in one.output, what="it to know that it is alone")
        assert [spend(one).status for _ in range(10)] == [200] * 9 + [429]
        time.sleep(1.5)  # it is written down, and nothing is on its way to the others
        nats.start()
        until, statuses = time.monotonic() + 20, []
        while spent(other) < 10 and time.monotonic() < until:
            statuses += [reply.result().status for reply in in_background(lambda: spend(one), 4)]
        assert set(statuses) == {429} and spent(other) == 10 and len(upstream.requests) == 10
        eventually(lambda: "budgets are shared" in one.output.split("counts alone")[-1], what="one budget again")
        assert spend(one).status == 429 and spent(one) == 10


def test_what_is_spent_without_nats_outlives_a_kill(upstream, tmp_path):
    with NatsServer() as nats:
        kept = config_of(upstream, nats.url, 10) | {"store": {"path": str(tmp_path / "kept")}}
        with Gateway(kept, key=KEY, env={"PRISM_MASTER_KEY": MASTER}) as one:
            assert spend(one).status == 200
            nats.kill()
            eventually(lambda: "counts alone" in one.output, what="it to know that it is alone")
            assert spend(one).status == 200
            book = tmp_path / "kept" / "spend.json"
            eventually(lambda: book.exists() and '"untold"' in book.read_text(), what="it to be written down")
            one.kill()
            nats.start()
            one.start()
            with gateway(upstream, nats.url, 10) as other:
                for gate in (one, other):
                    eventually(lambda: spent(gate) == 2, what="both dollars to be known")


def test_nobody_waits_long_for_a_nats_that_does_not_answer(upstream):
    with NatsServer() as nats, gateway(upstream, nats.url, 10) as one:
        nats.freeze()
        try:
            began = time.monotonic()
            assert spend(one).status == 200
            assert time.monotonic() - began < 3
            assert spend(one).status == 200
        finally:
            nats.thaw()


def test_a_soft_budget_is_shared_and_asks_nobody(upstream):
    with NatsServer() as nats:
        two = [gateway(upstream, nats.url, 2, hard=False) for _ in range(2)]
        with two[0] as one, two[1] as other:
            assert [spend(one).status for _ in range(3)] == [200] * 3
            eventually(lambda: spent(other) == 3, what="the other to hear of it")
            assert "4 of 2 USD" in spend(other).header("x-prism-budget-warning")


def test_the_key_of_an_organisation_spends_one_budget_at_all_gateways_and_leaves_nothing_behind(upstream):
    with NatsServer() as nats, gateway(upstream, nats.url, 10) as one, gateway(upstream, nats.url, 10) as other:
        office = Office(one, TOKEN)
        office.create("acme", {"providers": {"own": provider(upstream, "acme-large")}, "cost_tracking": PRICES})
        made = office.mint("acme", budget={"limit": 4, "period": "total"})
        asked = lambda gate: gate.chat(ask(max_tokens=1), bearer(made["key"]))
        eventually(lambda: asked(other).status == 200, what="the other to know the key")
        assert [asked((one, other)[at % 2]).status for at in range(5)] == [200, 200, 200, 429, 429]
        last = lambda: {item.subject.rsplit(".", 1)[1]: item.data for item in stored(nats.url, SPENDING)}
        its = lambda: [data for name, data in last().items() if made["id"].replace("_", "") in name.replace("_", "")]
        assert any(its()), last()
        office.keys("acme", "DELETE", then=f"/{made['id']}")
        eventually(lambda: not any(its()), what="its spending to be forgotten")
        assert spend(one).status == spend(other).status == 200, "another key's budget is as it was"


def test_the_leader_of_the_budgets_may_die(upstream):
    """Some requests may wait a second for the election; each dollar is spent once, and in the end everybody knows of it."""
    with NatsCluster() as cluster:
        config = config_of(upstream, cluster.url, 40, replicas=3)
        two = [Gateway(config, key=KEY, env={"PRISM_MASTER_KEY": MASTER}) for _ in range(2)]
        with two[0] as one, two[1] as other:
            assert spend(one).status == spend(other).status == 200
            leader = cluster.leader(SPENDING)
            leader.kill()
            assert [spend((one, other)[at % 2]).status for at in range(10)] == [200] * 10
            leader.start()
            for gate in (one, other):
                eventually(lambda: spent(gate) == 12, 60, lambda: f"all to be known, not {spent(gate)}")
            statuses = [spend((one, other)[at % 2]).status for at in range(40)]
            assert (statuses.count(200), statuses.count(429)) == (28, 12), "what was left, and not a dollar more"
