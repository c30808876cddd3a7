"""Organisations see nothing of each other: same names, same models, same keys of idempotency, and nothing mixes."""

from __future__ import annotations

import json

import pytest

from support.gateway import Gateway, ask, provider
from support.organisations import TOKEN, Office, bearer, control_plane
from support.upstream import completion, error_reply, json_reply
from support.waiting import eventually

METRIC_CANARY = "canary-name-of-a-provider"


@pytest.fixture(scope="module")
def gateway(third):
    providers = {"simulator": {"type": "simulator"}, "common": provider(third, "common-model", shared=True),
                 "private": provider(third, "private-model")}
    with Gateway(control_plane(providers=providers), key=TOKEN) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def keys(gateway, upstream, second):
    office = Office(gateway)
    made = {}
    for org, one in (("acme", upstream), ("globex", second)):
        office.create(org, {"providers": {"house": {"base_url": one.base_url, "api_key": f"sk-canary-{org}", "models": ["m"],
                                                    "discover": False}}})
        made[org] = office.mint(org)["key"]
    return made


@pytest.fixture(autouse=True)
def answers(upstream, second, third):
    upstream.always(json_reply(completion("from acme")))
    second.always(json_reply(completion("from globex")))
    third.always(json_reply(completion("from the operator")))


def said(reply):
    assert reply.status == 200, reply.body
    return reply.json()["choices"][0]["message"]["content"]


def test_the_same_name_of_a_provider_is_another_provider(gateway, keys, upstream, second):
    for _ in range(5):
        assert said(gateway.chat(ask("m"), bearer(keys["acme"]))) == "from acme"
        assert said(gateway.chat(ask("house/m"), bearer(keys["globex"]))) == "from globex"
    assert upstream.last.header("authorization") == "Bearer sk-canary-acme"
    assert second.last.header("authorization") == "Bearer sk-canary-globex"


def test_the_same_idempotency_key_and_session_never_mix(gateway, keys):
    headers = [("idempotency-key", "the same"), ("x-prism-session-id", "the same")]
    for org in ("acme", "globex", "acme", "globex"):
        assert said(gateway.chat(ask("m"), [*bearer(keys[org]), *headers])) == f"from {org}"


def test_an_organisation_sees_its_own_models_and_the_shared_ones(gateway, keys):
    for org in keys:
        listed = [model["id"] for model in gateway.get("/v1/models", bearer(keys[org])).json()["data"]]
        assert listed == ["common/common-model", "house/m"], listed
        assert gateway.get("/v1/models/private-model", bearer(keys[org])).status == 404


def test_only_what_is_shared_of_the_file_may_be_used(gateway, keys):
    for model in ("common-model", "common/common-model", "common/anything"):
        assert said(gateway.chat(ask(model), bearer(keys["acme"]))) == "from the operator"
    for model in ("private-model", "private/private-model", "simulator/echo"):
        assert gateway.chat(ask(model), bearer(keys["acme"])).status == 404, model
    locked = gateway.chat(ask("m"), [*bearer(keys["acme"]), ("x-prism-provider-lock", "private")])
    assert locked.status == 400 and "private" not in locked.error()["message"].split("(there are")[1]


def test_decisions_are_told_to_the_organisation_alone(gateway, keys):
    reply = gateway.chat(ask("m"), bearer(keys["acme"]))
    path = f"/v1/route/decisions/{reply.header('x-prism-request-id')}"
    assert gateway.get(path, bearer(keys["acme"])).status == 200
    assert gateway.get(path, bearer(keys["globex"])).status == 404


def test_one_organisations_broken_provider_is_nobody_elses(gateway, keys, upstream):
    upstream.always(error_reply(503))
    for _ in range(15):
        assert gateway.chat(ask("m"), bearer(keys["acme"])).status >= 500
        assert said(gateway.chat(ask("m"), bearer(keys["globex"]))) == "from globex"
    Office(gateway).config("acme", "PATCH", {"providers": {"house": {"weight": 2}}})
    upstream.always(json_reply(completion("from acme")))
    assert said(gateway.chat(ask("m"), bearer(keys["acme"]))) == "from acme", "changed, it begins anew"


def test_a_change_cuts_no_call_in_flight(gateway, keys, second):
    second.always(None)
    conn = gateway.open_chat(ask("m"), bearer(keys["globex"]))
    call = second.take()
    Office(gateway).config("globex", "PATCH", {"providers": {"house": {"weight": 7}}})
    call.run(json_reply(completion("from globex")))
    assert said(conn.reply()) == "from globex"
    conn.close()


def test_routing_of_an_organisation_is_its_own(gateway, keys):
    Office(gateway).config("globex", "PATCH", {"model_map": {"fast": "m"}, "routing": {"default_model": "m"}})
    assert said(gateway.chat(ask("fast"), bearer(keys["globex"]))) == "from globex"
    assert said(gateway.chat(ask("whatever"), bearer(keys["globex"]))) == "from globex"
    assert gateway.chat(ask("fast"), bearer(keys["acme"])).status == 404
    explained = gateway.post("/v1/route/explain", ask("fast"), bearer(keys["globex"])).json()
    assert [one["provider"] for one in explained["candidates"]] == ["house"]


def test_metrics_are_the_operators_and_name_no_organisations_providers(gateway, upstream):
    office = Office(gateway)
    office.create("named", {"providers": {METRIC_CANARY: {"base_url": upstream.base_url, "models": ["canary-model"], "discover": False}}})
    key = office.mint("named")["key"]
    assert gateway.chat(ask("canary-model"), bearer(key)).status == 200
    assert gateway.get("/metrics", bearer(key)).status == 403
    operator = office.mint("default", "scraper", role="viewer")["key"]
    text = gateway.get("/metrics", bearer(operator)).body.decode()
    assert "canary" not in text and 'provider="openai-compatible",status="200"' in text.replace('model="other",', "")


def test_an_organisation_without_a_configuration_has_the_shared_providers(gateway):
    office = Office(gateway)
    office.create("bare", {})
    key = office.mint("bare")["key"]
    assert said(gateway.chat(ask("common-model"), bearer(key))) == "from the operator"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://169.254.169.254", "http://2130706433:1"])
def test_private_addresses_are_out_of_reach(url, upstream):
    port = upstream.base_url.rsplit(":", 1)[1].split("/")[0]
    with Gateway(control_plane(control_plane={}), key=TOKEN) as gateway:
        office = Office(gateway)
        office.create("acme", {"providers": {"inside": {"base_url": url.replace(":1", f":{port}") if url.endswith(":1") else url,
                                                        "models": ["m"], "discover": False}}})
        owner = office.mint("acme", role="owner")["key"]
        reply = gateway.chat(ask("m"), bearer(owner), timeout=30)
        assert reply.status in (502, 503), reply.body
        # only the operator opens the way
        private = {"providers": {"inside": {"allow_private": True}}}
        assert Office(gateway, owner).config("acme", "PATCH", private).error()["code"] == "operators_provider"
        assert Office(gateway).config("acme", "PATCH", private).status == 200
        elsewhere = {"providers": {"inside": {"base_url": "http://10.0.0.1"}}}
        assert Office(gateway, owner).config("acme", "PATCH", elsewhere).error()["code"] == "operators_provider"
        assert Office(gateway, owner).config("acme", "PATCH", {"model_map": {"a": "m"}}).status == 200


def test_references_are_the_operators_to_write(gateway, upstream, tmp_path):
    (tmp_path / "key").write_text("sk-canary-of-the-file\n")
    office = Office(gateway)
    reference = f"file://{tmp_path}/key"
    made = office.create("vaulted", {"providers": {"house": {"base_url": upstream.base_url, "models": ["m"], "discover": False,
                                                             "api_key": reference}}})
    assert made["config"]["providers"]["house"]["api_key"]["reference"] == reference
    owner = office.mint("vaulted", role="owner")["key"]
    gateway.chat(ask("m"), bearer(owner))
    assert upstream.last.header("authorization") == "Bearer sk-canary-of-the-file"
    theirs = Office(gateway, owner)
    stolen = {"providers": {"house": {"base_url": "https://thief.example.com"}}}
    assert theirs.config("vaulted", "PATCH", stolen).error()["code"] == "operators_provider"
    for text in (reference, "env://HOME"):
        mine = {"providers": {"mine": {"base_url": "https://x.example.com", "api_key": text}}}
        assert theirs.config("vaulted", "PATCH", mine).status == 400
    assert theirs.config("vaulted", "PATCH", {"providers": {"house": None}}).status == 200
    assert theirs.config("vaulted", "POST", {"version": 1}, "/rollback").error()["code"] == "operators_provider"
    assert b"canary" not in json.dumps(theirs.config("vaulted").json()).encode()


def test_routing_policies_one_by_one(gateway, keys, upstream, second):
    office = Office(gateway)

    def routing(method, body=None, then=""):
        return office.call(method, f"/v1/orgs/routed/routing{then}", body)

    office.create("routed", {"providers": {name: {"base_url": one.base_url, "models": ["m"], "discover": False, "priority": place}
                                           for place, (name, one) in enumerate((("first", upstream), ("second", second)))}})
    key = office.mint("routed")["key"]
    gold = [*bearer(key), ("x-prism-metadata", '{"tier": "gold"}')]
    policy = {"name": "gold", "condition": {"metadata.tier": "gold"}, "action": {"provider": "second"}}
    assert routing("POST", policy).json() == policy
    assert routing("POST", policy).error()["code"] == "name_taken"
    assert said(gateway.chat(ask("m"), gold)) == "from globex" and said(gateway.chat(ask("m"), bearer(key))) == "from acme"
    assert routing("PATCH", {"action": {"provider": "first"}}, "/gold").json()["action"] == {"provider": "first"}
    assert said(gateway.chat(ask("m"), gold)) == "from acme"
    assert "conditional_routes[0].action.provider" in routing("PATCH", {"action": {"provider": "nobody"}}, "/gold").error()["message"]
    assert routing("POST", {"name": "x", "nonsense": 1}).status == 400
    assert [one["name"] for one in routing("GET").json()["data"]] == ["gold"]
    assert routing("DELETE", then="/gold").json()["deleted"] is True
    assert routing("DELETE", then="/gold").status == 404 and routing("GET").json()["data"] == []
    assert office.config("routed").json()["version"] == 4


def test_limits_of_an_organisation_and_of_its_keys_are_their_own(gateway, upstream):
    office = Office(gateway)
    house = {"providers": {"house": {"base_url": upstream.base_url, "models": ["m"], "discover": False}}}
    for org in ("tight", "wide"):
        office.create(org, house | {"rate_limiting": {"per_model_rpm": {"m": 2 if org == "tight" else 50}}})
    tight, wide = (office.mint(org)["key"] for org in ("tight", "wide"))
    assert [gateway.chat(ask("m"), bearer(tight)).status for _ in range(3)] == [200, 200, 429]
    assert [gateway.chat(ask("m"), bearer(wide)).status for _ in range(3)] == [200, 200, 200]
    office.config("tight", "PATCH", {"rate_limiting": None})
    assert gateway.chat(ask("m"), bearer(tight)).status == 200
    limited = office.mint("wide", "limited", rate_limit_rpm=1, metadata={"team": "search"}, denied_tools=["shell"])
    assert (limited["rate_limit_rpm"], limited["metadata"]) == (1, {"team": "search"})
    tool = {"type": "function", "function": {"name": "shell", "parameters": {}}}
    assert gateway.chat(ask("m", tools=[tool]), bearer(limited["key"])).status == 403
    assert [gateway.chat(ask("m"), bearer(limited["key"])).status for _ in range(2)] == [200, 429]


def test_an_organisation_limits_each_of_its_keys(gateway, upstream):
    office = Office(gateway)
    house = {"providers": {"house": {"base_url": upstream.base_url, "models": ["m"], "discover": False}}}
    office.create("each", house | {"rate_limiting": {"per_key_rpm": 2}})
    first, second = (office.mint("each", name)["key"] for name in ("first", "second"))
    own = office.mint("each", "own", rate_limit_rpm=4)["key"]

    def statuses(key, times):
        return [gateway.chat(ask("m"), bearer(key)).status for _ in range(times)]

    def limit(key):
        return {one["unit"]: (one["scope"], one["limit"]) for one in gateway.get("/v1/limits", bearer(key)).json()["rates"]}

    assert limit(first) == {"requests": ("key", 2)} and limit(own) == {"requests": ("key", 4)}
    assert statuses(first, 3) == [200, 200, 429] and statuses(second, 2) == [200, 200], "each has its own"
    refused = gateway.chat(ask("m"), bearer(first))
    assert "the limit of 2 requests per minute of the key `each/key_" in refused.error()["message"]
    assert refused.header("x-ratelimit-limit-requests") == "2"
    assert statuses(own, 5) == [200] * 4 + [429]
    # a change reaches keys that have been used, and what they used stays used
    office.config("each", "PATCH", {"rate_limiting": {"per_key_rpm": 3, "per_key_tpm": 100_000}})
    assert statuses(first, 2) == [200, 429]
    assert limit(own) == {"requests": ("key", 4), "tokens": ("key", 100_000)}
    office.config("each", "PATCH", {"rate_limiting": {"enabled": False}})
    assert statuses(first, 3) == [200] * 3 and statuses(own, 3) == [200] * 3 and limit(own) == {}
    office.config("each", "PATCH", {"rate_limiting": None})
    assert limit(first) == {} and limit(own) == {"requests": ("key", 4)}


def test_the_file_limits_each_key_that_is_made_over_http_too(upstream):
    config = control_plane(providers={"acme": provider(upstream, "acme-large")}, rate_limiting={"per_key_rpm": 2})
    with Gateway(config, key=TOKEN) as gateway:
        first, second = (Office(gateway).mint("default", name)["key"] for name in ("first", "second"))
        assert [gateway.chat(ask(), bearer(first)).status for _ in range(3)] == [200, 200, 429]
        assert gateway.chat(ask(), bearer(second)).status == 200
        gateway.write(config | {"rate_limiting": {"per_key_rpm": 3}})
        eventually(lambda: gateway.chat(ask(), bearer(first)).status == 200, what="the change")
        assert gateway.chat(ask(), bearer(first)).status == 429
