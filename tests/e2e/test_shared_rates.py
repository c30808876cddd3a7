"""Rate limits that several gateways have together, over a real nats-server: what one lets in is missing at the others."""

from __future__ import annotations

import base64
import os
import time
from collections import Counter
from contextlib import ExitStack
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway import Gateway, ask, provider
from support.nats import NatsServer
from support.organisations import TOKEN, Office, bearer, control_plane
from support.upstream import completion, json_reply
from support.waiting import eventually

MASTER = base64.b64encode(os.urandom(32)).decode()
KEY = "sk-prism-app"


@pytest.fixture(autouse=True)
def answers(upstream):
    usage = {"prompt_tokens": 10, "completion_tokens": 90, "total_tokens": 100}
    upstream.always(json_reply(completion("pong", usage=usage)))


@pytest.fixture(scope="module")
def nats():
    with NatsServer() as server:
        yield server


def gateway(upstream, url: str, bucket: str = "PRISM_CONFIG", rate_limiting: dict | None = None, **key) -> Gateway:
    config = control_plane(
        nats={"url": url}, control_plane={"allow_private": True, "kv_bucket": bucket},
        auth={"keys": [{"name": "app", "key": KEY} | key]}, rate_limiting=rate_limiting or {},
        providers={"acme": provider(upstream, "acme-large")})
    return Gateway(config, key=KEY, env={"PRISM_MASTER_KEY": MASTER})


def asked(gateway: Gateway, key: str = KEY, user: str | None = None):
    return gateway.chat(ask(max_tokens=90), bearer(key) + ([("x-prism-user-id", user)] if user else []))


def rates(gateway: Gateway, key: str = KEY, user: str = "nobody") -> dict[str, int]:
    """What is left, by scope and unit."""
    listed = gateway.get("/v1/limits", bearer(key) + [("x-prism-user-id", user)]).json()["rates"]
    return {f"{one['scope']} {one['unit']}": one["remaining"] for one in listed}


def test_requests_in_turn_at_three_gateways_find_one_limit(upstream, nats):
    with ExitStack() as stack:
        three = [stack.enter_context(gateway(upstream, nats.url, "RPM", rate_limit_rpm=30)) for _ in range(3)]
        statuses, began = [], time.monotonic()
        for at in range(60):
            statuses.append(asked(three[at % 3]).status)
            time.sleep(0.02)
        # half a request runs off in a second, and one or two may have been quicker than what was told of them
        most = 32 + (time.monotonic() - began) / 2
        assert 30 <= statuses.count(200) <= most and statuses.count(429) == 60 - statuses.count(200), Counter(statuses)
        assert statuses[:30] == [200] * 30


def test_tokens_are_those_that_were_used_at_all_of_them(upstream, nats):
    with gateway(upstream, nats.url, "TPM", rate_limit_tpm=1000) as one, gateway(upstream, nats.url, "TPM", rate_limit_tpm=1000) as other:
        for _ in range(4):
            assert asked(one).status == 200
        eventually(lambda: 600 <= rates(other)["key tokens"] <= 700, what="the other to hear of four hundred")
        # of its own a thousand were left
        assert 5 <= [asked(other).status for _ in range(12)].count(200) <= 8
        eventually(lambda: rates(one)["key tokens"] <= 300, what="the first to hear of the rest")


def test_users_models_and_organisations_have_one_limit_too(upstream, nats):
    own = {"providers": {"own": provider(upstream, "acme-large")},
           "rate_limiting": {"global_rpm": 16, "per_user_rpm": 12, "per_model_rpm": {"acme-*": 14}}}
    with gateway(upstream, nats.url, "ORGS") as one, gateway(upstream, nats.url, "ORGS") as other:
        office = Office(one, TOKEN)
        keys = {}
        for org in ("acme", "globex"):
            office.create(org, own)
            keys[org] = office.mint(org, rate_limit_rpm=15)["key"]
            eventually(lambda: asked(other, keys[org], "bob").status == 200, what="the other to know the key")
        for _ in range(9):
            assert asked(one, keys["acme"], "ann").status == 200
        heard = lambda: rates(other, keys["acme"], "ann")
        # and what runs off meanwhile: a request in four seconds
        expected = {"key requests": 5, "user requests": 3, "model requests": 4, "organisation requests": 6}
        near = lambda found: all(0 <= found[name] - left <= 4 for name, left in expected.items())
        eventually(lambda: near(heard()), what=lambda: f"the other to hear of nine: {heard()}")
        theirs = rates(other, keys["globex"], "ann")
        assert theirs["user requests"] == 12 and theirs["organisation requests"] >= 15, "another organisation's ann is somebody else"
        statuses = [asked(other, keys["acme"], "ann").status for _ in range(9)]
        assert 3 <= statuses.count(200) <= 6 and statuses[-1] == 429, statuses


def test_the_limit_of_each_key_of_an_organisation_is_one_too(upstream, nats):
    own = {"providers": {"own": provider(upstream, "acme-large")}, "rate_limiting": {"per_key_rpm": 12}}
    with gateway(upstream, nats.url, "EACH") as one, gateway(upstream, nats.url, "EACH") as other:
        office = Office(one, TOKEN)
        office.create("acme", own)
        first, second = (office.mint("acme", name)["key"] for name in ("first", "second"))
        eventually(lambda: asked(other, second).status == 200, what="the other to know the keys")
        for _ in range(9):
            assert asked(one, first).status == 200
        # the other has heard of it although it has never seen the key, and what runs off is a request in five seconds
        eventually(lambda: 3 <= rates(other, first)["key requests"] <= 6, what="the other to hear of nine")
        assert rates(one, second)["key requests"] >= 11
        office.config("acme", "PATCH", {"rate_limiting": {"per_key_rpm": 10}})
        eventually(lambda: rates(other, first)["key requests"] <= 4, what="the change to reach the other")


def test_a_crowd_at_all_of_them_at_once_exceeds_the_limit_a_little_and_pays_for_it(upstream, nats):
    """The documented error: what each lets in before it has heard of the others."""
    with ExitStack() as stack:
        three = [stack.enter_context(gateway(upstream, nats.url, "CROWD", rate_limit_rpm=60)) for _ in range(3)]
        began = time.monotonic()
        with ThreadPoolExecutor(24) as pool:
            statuses = Counter(pool.map(lambda at: asked(three[at % 3]).status, range(300)))
        assert 60 <= statuses[200] <= 180 and statuses[429] == 300 - statuses[200], statuses
        eventually(lambda: max(rates(one)["key requests"] for one in three) <= 3, what="everybody to know")
        # one a second runs off
        owed = statuses[200] - (time.monotonic() - began) - 3
        for gate in three:
            (rate,) = gate.get("/v1/limits", bearer(KEY)).json()["rates"]
            assert rate["reset_ms"] >= owed * 1000, "what was too much is missing in the next minute"


def test_without_nats_each_counts_alone_and_nobody_waits(upstream):
    with NatsServer() as nats, gateway(upstream, nats.url, rate_limit_rpm=20) as one, gateway(upstream, nats.url, rate_limit_rpm=20) as other:
        assert asked(one).status == 200
        eventually(lambda: rates(other)["key requests"] == 19, what="the other to hear of it")
        nats.freeze()
        try:
            began = time.monotonic()
            assert [asked(one).status for _ in range(5)] == [200] * 5
            assert time.monotonic() - began < 2
        finally:
            nats.thaw()
        nats.kill()
        for gate in (one, other):
            eventually(lambda: "rate limits: the other gateways are out of reach" in gate.output, 20, "a gateway to know that it is alone")
        assert asked(one).status == 200
        warnings = one.get("/readyz").json()["warnings"]
        assert {warning.split(":")[0] for warning in warnings} >= {"budgets", "rate limits"}, warnings
        shown = lambda: {name: one.metrics().total(f"prism_{name}_shared") for name in ("budgets", "rate_limits")}
        assert shown() == {"budgets": 0, "rate_limits": 0}
        nats.start()
        for gate in (one, other):
            since = lambda: gate.output.split("rate limits: the other gateways are out of reach")[-1]
            eventually(lambda: "rate limits are shared" in since(), 20, "them to meet again")
        eventually(lambda: shown() == {"budgets": 1, "rate_limits": 1}, what="the metrics to say so")
        before = rates(other)["key requests"]
        assert asked(one).status == 200
        eventually(lambda: rates(other)["key requests"] < before, what="the other to hear of the next one")
