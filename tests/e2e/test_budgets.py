"""Budgets: what is spent, who is refused and until when, and that a crowd spends no more than there is."""

from __future__ import annotations

import asyncio
import json
import stat

import openai
import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider, run
from support.organisations import Office, control_plane
from support.upstream import completion, error_reply, json_reply, sse, stream_frames
from support.waiting import eventually

# a dollar for each token of an answer: what a request may cost is its `max_tokens`
PRICES = {"custom_pricing": {"acme-large": {"input_per_mtok": 0, "output_per_mtok": 1_000_000},
                             "free": {"input_per_mtok": 0, "output_per_mtok": 0}}}


def answer(dollars: int, **extra):
    usage = {"prompt_tokens": 10, "completion_tokens": dollars, "total_tokens": 10 + dollars}
    return json_reply(completion("pong", usage=usage), **extra)


def key(name: str, **fields) -> dict:
    return {"name": name, "key": f"sk-prism-{name}"} | fields


def bearer(name: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer sk-prism-{name}")]


def config_of(upstream, budgets, *keys, **extra):
    config = {"providers": {"acme": provider(upstream, "acme-large", "free", "nobody-knows")}, "routing": ONE_TRY,
              "cost_tracking": PRICES, "budgets": budgets}
    return config | ({"auth": {"keys": [key(name) for name in keys]}} if keys else {}) | extra


@pytest.fixture(autouse=True)
def answers(upstream):
    upstream.always(answer(1))


def test_a_thousand_dollars_at_once_find_ten_in_the_purse(upstream):
    with Gateway(config_of(upstream, {"limit": 10})) as gateway:
        async def crowd():
            client = gateway.async_openai(timeout=120)
            one = lambda: client.chat.completions.create(**ask(max_tokens=1))
            return await asyncio.gather(*(one() for _ in range(1000)), return_exceptions=True)

        results = asyncio.run(crowd())
        admitted = [one for one in results if not isinstance(one, BaseException)]
        refused = [one for one in results if isinstance(one, openai.RateLimitError)]
        assert (len(admitted), len(refused)) == (10, 990), [one for one in results if isinstance(one, BaseException)][:3]
        assert {one.code for one in refused} == {"insufficient_quota"}
        assert len(upstream.requests) == 10
        shown = gateway.metrics()
        assert 'prism_budget_used_ratio{name="default",scope="organisation"} 1\n' in shown.text
        assert shown.total("prism_limited_requests_total", limit="organisation_budget") == 990


def test_a_spent_budget_says_when_it_begins_anew(upstream):
    with Gateway(config_of(upstream, {"keys": {"app": {"limit": 2, "period": "monthly"}, "for-good": {"limit": 1, "period": "total"}}},
                           "app", "for-good", "free")) as gateway:
        assert [gateway.chat(ask(max_tokens=1), bearer("app")).status for _ in range(2)] == [200, 200]
        refused = gateway.chat(ask(max_tokens=1), bearer("app"))
        error = refused.error()
        assert refused.status == 429 and error["type"] == "insufficient_quota" and error["code"] == "insufficient_quota"
        assert "the monthly budget of 2 USD of the key `app`" in error["message"] and "T00:00:00Z" in error["message"]
        assert 0 < int(refused.header("retry-after")) <= 31 * 86_400
        assert refused.header("x-should-retry") == "false", "the official SDKs would try again at once"
        assert gateway.chat(ask(max_tokens=1), bearer("for-good")).status == 200
        gone = gateway.chat(ask(max_tokens=1), bearer("for-good"))
        assert gone.status == 429 and gone.header("retry-after") is None
        assert gateway.chat(ask(max_tokens=1), bearer("free")).status == 200, "others have their own money"
        assert gateway.chat(ask("free", max_tokens=100), bearer("app")).status == 200, "what costs nothing needs none"


def test_what_was_put_aside_and_not_spent_comes_back(upstream):
    with Gateway(config_of(upstream, {"keys": {"app": 10}}, "app")) as gateway:
        for script in (answer(1), error_reply(500), error_reply(400)):
            upstream.script(script)
            gateway.chat(ask(max_tokens=9), bearer("app"))
        upstream.script(sse(*stream_frames("pong", usage=True)[:-1]))  # 7 tokens, and no end
        assert gateway.chat(ask(max_tokens=9, stream=True), bearer("app")).status == 200
        upstream.always(answer(2))
        statuses = []
        eventually(lambda: statuses.append(gateway.chat(ask(max_tokens=2), bearer("app")).status) or statuses[-1] == 200,
                   what="the stream to be settled")
        assert gateway.chat(ask(max_tokens=1), bearer("app")).status == 429, "1 + 7 + 2 of 10 are spent"


def test_a_reservation_in_progress_is_told_from_money_that_is_gone(upstream):
    upstream.reset()
    with Gateway(config_of(upstream, {"limit": 10})) as gateway:
        running = gateway.open_chat(ask(max_tokens=8))
        call = upstream.take()
        refused = gateway.chat(ask(max_tokens=3))
        assert refused.status == 429 and "reserved for requests in progress" in refused.error()["message"]
        assert refused.header("retry-after") == "1" and refused.header("x-should-retry") is None
        call.run(answer(1))
        assert running.reply().status == 200
        upstream.always(answer(3))
        assert gateway.chat(ask(max_tokens=3)).status == 200


def test_a_hard_budget_pays_for_nothing_without_a_price_and_a_soft_one_only_warns(upstream):
    with Gateway(config_of(upstream, {"keys": {"hard": 10, "soft": {"limit": 2, "hard": False, "warn_threshold": 0.5}}},
                           "hard", "soft", "free")) as gateway:
        refused = gateway.chat(ask("nobody-knows"), bearer("hard"))
        assert refused.status == 403 and refused.error()["code"] == "model_not_priced"
        assert "custom_pricing" in refused.error()["message"]
        assert gateway.chat(ask("nobody-knows"), bearer("soft")).status == 200
        assert gateway.chat(ask("nobody-knows"), bearer("free")).status == 200
        replies = [gateway.chat(ask(max_tokens=1), bearer("soft")) for _ in range(4)]
        assert [one.status for one in replies] == [200] * 4
        warnings = [one.header("x-prism-budget-warning") for one in replies]
        assert warnings == ["key soft: 1 of 2 USD (monthly)", "key soft: 2 of 2 USD (monthly)", "key soft: 3 of 2 USD (monthly)",
                            "key soft: 4 of 2 USD (monthly)"]
        warned = lambda: [line for line in map(json.loads, gateway.stdout.splitlines())
                          if "budget: key soft" in json.dumps(line)]
        eventually(warned, what="the warning in the log")
        assert len(warned()) == 1, "once in a period"


def test_users_have_budgets_by_their_names(upstream):
    with Gateway(config_of(upstream, {"users": {"ann": 1}})) as gateway:
        by = lambda user: gateway.chat(ask(max_tokens=1), [("x-prism-user-id", user)])
        assert by("ann").status == 200
        assert "of the user `ann`" in by("ann").error()["message"]
        assert gateway.chat(ask(max_tokens=1, user="ann")).status == 429
        assert [by("bob").status for _ in range(3)] == [200] * 3


def test_spending_outlives_the_process_and_a_kill(upstream, tmp_path):
    config = config_of(upstream, {"keys": {"app": 5}}, "app", store={"path": str(tmp_path / "kept")})
    spend = lambda gateway, count: [gateway.chat(ask(max_tokens=1), bearer("app")).status for _ in range(count)]
    with Gateway(config) as gateway:
        assert spend(gateway, 2) == [200, 200]
    file = tmp_path / "kept" / "spend.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    killed = Gateway(config)
    with pytest.raises(ZeroDivisionError), killed:
        assert spend(killed, 2) == [200, 200]
        eventually(lambda: '"4"' in file.read_text(), what="the book to be written")
        killed.kill()
        1 / 0
    with Gateway(config) as gateway:
        assert spend(gateway, 2) == [200, 429]
    text = file.read_text()
    file.write_text(text.replace('"5"', '"0"'))
    config_file = tmp_path / "prism.yaml"
    config_file.write_text(json.dumps(config))
    refused = run("--config", str(config_file), "--port", "0", cwd=tmp_path)
    assert refused.returncode != 0 and "spend.json" in refused.stderr + refused.stdout
    assert "checksum" in refused.stderr + refused.stdout


def test_two_gateways_with_one_store_share_their_budgets(upstream, tmp_path):
    config = config_of(upstream, {"keys": {"app": 3}}, "app", store={"path": str(tmp_path / "kept")})
    with Gateway(config) as one, Gateway(config) as other:
        for gateway in (one, other):
            assert gateway.chat(ask(max_tokens=1), bearer("app")).status == 200
        # each learns of the other's spending when it writes down its own
        statuses = eventually(lambda: (s := other.chat(ask(max_tokens=1), bearer("app")).status) and [s], what="an answer")
        assert statuses == [200]
        eventually(lambda: other.chat(ask(max_tokens=1), bearer("app")).status == 429, what="the third dollar to be the last")


def test_a_reload_keeps_what_was_spent(upstream):
    config = config_of(upstream, {"keys": {"app": 5}}, "app")
    with Gateway(config) as gateway:
        for _ in range(3):
            assert gateway.chat(ask(max_tokens=1), bearer("app")).status == 200
        for limit, allowed in ((4, [200, 429]), (6, [200, 200, 429])):
            gateway.write(config | {"budgets": {"keys": {"app": limit}}})
            eventually(lambda: f'{limit} USD' in gateway.chat(ask(max_tokens=1000), bearer("app")).error()["message"],
                       what="the reload")
            assert [gateway.chat(ask(max_tokens=1), bearer("app")).status for _ in allowed] == allowed


def test_organisations_have_budgets_of_their_own_which_outlive_the_gateway(upstream, tmp_path):
    """Another organisation's users with the same names spend their own money."""
    own = {"providers": {"acme": provider(upstream, "acme-large") | {"api_key": "sk-theirs"}}, "cost_tracking": PRICES,
           "budgets": {"limit": 10, "period": "total", "users": {"ann": 2}}}
    config = control_plane(store={"path": str(tmp_path)})

    def pays(gateway: Gateway, made: dict, dollars: int, user: str | None = None) -> str | None:
        """What it is refused for, or nothing."""
        upstream.always(answer(dollars))
        headers = [("authorization", f"Bearer {made['key']}")] + ([("x-prism-user-id", user)] if user else [])
        reply = gateway.chat(ask(max_tokens=dollars), headers)
        assert reply.status in (200, 429), reply.body
        return reply.error()["message"] if reply.status == 429 else None

    with Gateway(config) as gateway:
        office = Office(gateway)
        keys = {}
        for org in ("one", "two"):
            office.create(org, own)
            keys[org] = office.mint(org)
        assert pays(gateway, keys["one"], 2, "ann") is None
        assert "`ann`" in pays(gateway, keys["one"], 1, "ann")
        assert pays(gateway, keys["two"], 2, "ann") is None, "it is another ann"
        assert pays(gateway, keys["one"], 7) is None
        assert "the organisation" in pays(gateway, keys["one"], 2)
        assert pays(gateway, keys["one"], 1) is None
        shown = Office(gateway, office.mint("default")["key"]).call("GET", "/metrics").body.decode()
        assert 'prism_budget_used_ratio{name="one",scope="organisation"} 1\n' in shown
        assert 'prism_budget_used_ratio{name="two/ann",scope="organisation_user"} 1\n' in shown
    with Gateway(config) as gateway:
        assert "the organisation" in pays(gateway, keys["one"], 1), "it has been spent before"
        assert pays(gateway, keys["two"], 8) is None and "the organisation" in pays(gateway, keys["two"], 1)
        office = Office(gateway)
        changed = office.config("one", "PATCH", {"budgets": {"limit": 12}})
        assert changed.status == 200, changed.body
        assert pays(gateway, keys["one"], 2) is None and "the organisation" in pays(gateway, keys["one"], 1)
        refused = office.config("one", "PATCH", {"budgets": {"keys": {"app": 1}}})
        assert refused.status == 400 and "budgets.keys" in refused.error()["message"]


def test_keys_of_an_organisation_have_budgets_of_their_own(upstream, tmp_path):
    """They outlive the gateway, hold for a rotated key too, change at once, and end with the key."""
    own = {"providers": {"acme": provider(upstream, "acme-large") | {"api_key": "sk-theirs"}}, "cost_tracking": PRICES}
    config = control_plane(store={"path": str(tmp_path)})

    def pays(gateway: Gateway, made: dict) -> bool:
        reply = gateway.chat(ask(max_tokens=1), [("authorization", f"Bearer {made['key']}")])
        if reply.status == 200:
            return True
        assert reply.status == 429 and made["id"] in reply.error()["message"], reply.body
        return False

    with Gateway(config) as gateway:
        office = Office(gateway)
        office.create("one", own)
        made = office.mint("one", budget={"limit": 3, "period": "total"})
        free = office.mint("one", "free")
        assert made["budget"] == {"limit": 3, "period": "total"} and "budget" not in free
        assert [pays(gateway, made) for _ in range(2)] == [True, True]
        rotated = office.keys("one", "POST", {"overlap_seconds": 60}, f"/{made['id']}/rotate").json()
        assert [pays(gateway, rotated), pays(gateway, made), pays(gateway, free)] == [True, False, True]
        (standing,) = gateway.get("/v1/limits", [("authorization", f"Bearer {made['key']}")]).json()["budgets"]
        assert (standing["scope"], standing["spent"], standing["limit"]) == ("key", "3", "3")
    with Gateway(config) as gateway:
        office, path = Office(gateway), f"/{made['id']}"
        assert not pays(gateway, made), "it has been spent before"
        assert office.keys("one", "PATCH", {"budget": {"limit": 4}}, path).json()["budget"] == {"limit": 4, "period": "total"}
        assert [pays(gateway, made) for _ in range(2)] == [True, False]
        assert "budget" not in office.keys("one", "PATCH", {"budget": None}, path).json()
        assert pays(gateway, made)
        for budget, at in (({"period": "total"}, "budget.limit"), ({"limit": -1}, "budget.limit"), ({"limit": 1, "lmit": 2}, "budget.lmit"),
                           ({"limit": 1, "period": "yearly"}, "budget.period")):
            refused = office.keys("one", "POST", {"name": "wrong", "budget": budget})
            assert (refused.status, refused.error()["param"]) == (400, at), refused.body
        kept = tmp_path / "spend.json"
        eventually(lambda: made["id"] in kept.read_text(), what="it to be written down")
        office.keys("one", "DELETE", then=path)
        eventually(lambda: made["id"] not in kept.read_text(), what="it to be forgotten")


def test_an_organisation_that_is_made_again_has_spent_nothing(upstream, tmp_path):
    own = {"providers": {"acme": provider(upstream, "acme-large") | {"api_key": "sk-theirs"}}, "cost_tracking": PRICES,
           "budgets": {"limit": 2, "period": "total", "users": {"ann": 1}}}
    with Gateway(control_plane(store={"path": str(tmp_path)})) as gateway:
        office, kept = Office(gateway), tmp_path / "spend.json"
        for org in ("one", "one-more"):
            office.create(org, own)
        for first in (True, False):
            keys = {org: office.mint(org, budget={"limit": 9})["key"] for org in ("one", "one-more")}
            pay = lambda org: gateway.chat(ask(max_tokens=1), [("authorization", f"Bearer {keys[org]}"), ("x-prism-user-id", "ann")]).status
            assert [pay("one") for _ in range(2)] == [200, 429]
            assert pay("one-more") == (200 if first else 429), "whose name only begins so is somebody else"
            eventually(lambda: kept.exists() and '"organisation_user one/ann"' in kept.read_text(), what="it to be written down")
            assert office.config("one", "DELETE").status == 200
            eventually(lambda: " one/" not in kept.read_text() and '"organisation one"' not in kept.read_text(), what="it to be forgotten")
            office.create("one", own)
            office.keys("one-more", "DELETE", then="/" + office.keys("one-more").json()["data"][0]["id"])


def test_a_key_of_the_file_has_its_budget_with_it_or_by_its_name_and_not_both(upstream, tmp_path):
    config = config_of(upstream, {"period": "total", "hard": True})
    config["auth"] = {"keys": [key("app", budget={"limit": 1})]}
    with Gateway(config) as gateway:
        assert [gateway.chat(ask(max_tokens=1), bearer("app")).status for _ in range(2)] == [200, 429]
        (standing,) = gateway.get("/v1/limits", bearer("app")).json()["budgets"]
        assert standing["period"] == "total", "what it does not say is what all budgets have"
    config["budgets"]["keys"] = {"app": 2}
    file = tmp_path / "prism.json"
    file.write_text(json.dumps(config))
    refused = run("check", "--config", str(file))
    assert refused.returncode == 1 and "budgets.keys.app: given twice" in refused.stdout + refused.stderr
