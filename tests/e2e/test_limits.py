"""Limits of requests and tokens: who is refused, when, what it is told, and that a crowd gets exactly what there is."""

from __future__ import annotations

import asyncio
import json
import time

import openai
import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.ports import refused_port
from support.upstream import completion, error_reply, json_reply, sse, stream_frames
from support.waiting import eventually

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def key(name: str, **fields) -> dict:
    return {"name": name, "key": f"sk-prism-{name}"} | fields


def bearer(name: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer sk-prism-{name}")]


def gateway_of(upstream, keys=(), **config):
    config = {"providers": {"acme": provider(upstream, "acme-large", "acme-small")}, "routing": ONE_TRY} | config
    if keys:
        config["auth"] = {"keys": list(keys)}
    return Gateway(config)


@pytest.fixture(autouse=True)
def answers(upstream):
    upstream.always(json_reply(completion("pong", usage=USAGE)))


def shown(reply, kind: str) -> tuple[int, int, str | None]:
    part = lambda name: reply.header(f"x-ratelimit-{name}-{kind}")
    return int(part("limit")), int(part("remaining")), part("reset")


def refused_by(gateway, limit: str) -> float:
    reply = gateway.get("/metrics", bearer("free"))
    line = next((line for line in reply.body.decode().splitlines()
                 if line.startswith(f'prism_limited_requests_total{{limit="{limit}"}}')), "0 0")
    return float(line.split()[-1])


def test_a_key_is_refused_past_its_requests_and_told_when_to_come_back(upstream):
    with gateway_of(upstream, [key("app", rate_limit_rpm=2), key("free")]) as gateway:
        first, second, third = [gateway.chat(ask(), bearer("app")) for _ in range(3)]
        assert [one.status for one in (first, second, third)] == [200, 200, 429]
        assert shown(first, "requests")[:2] == (2, 1) and shown(second, "requests")[:2] == (2, 0)
        assert first.header("x-ratelimit-reset-requests").endswith("s")
        assert third.error()["code"] == "rate_limit_exceeded" and third.error()["type"] == "rate_limit_error"
        assert "2 requests per minute of the key `app`" in third.error()["message"]
        assert 1 <= int(third.header("retry-after")) <= 30
        assert shown(third, "requests")[:2] == (2, 0)
        unlimited = gateway.chat(ask(), bearer("free"))
        assert unlimited.status == 200 and unlimited.header("x-ratelimit-limit-requests") is None
        assert len(upstream.requests) == 3, "nobody is asked for what is refused"
        assert refused_by(gateway, "key_requests") == 1


def test_the_official_sdk_raises_its_rate_limit_error(upstream):
    with gateway_of(upstream, [key("app", rate_limit_rpm=1)]) as gateway:
        client = gateway.openai(api_key="sk-prism-app")
        raw = client.chat.completions.with_raw_response.create(**ask())
        assert raw.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError) as told:
            client.chat.completions.create(**ask())
        assert told.value.code == "rate_limit_exceeded"
        assert float(told.value.response.headers["retry-after-ms"]) > 0


def test_tokens_are_reserved_and_settled_by_what_was_used(upstream):
    with gateway_of(upstream, [key("app", rate_limit_tpm=10_000)]) as gateway:
        reply = gateway.chat(ask(max_tokens=5_000), bearer("app"))
        limit, remaining, _ = shown(reply, "tokens")
        assert limit == 10_000 and 9_850 <= remaining <= 9_900, "150 were used, of thousands that were reserved"


def test_a_reservation_stands_while_its_request_runs(upstream):
    upstream.reset()
    with gateway_of(upstream, [key("app", rate_limit_tpm=10_000)]) as gateway:
        running = gateway.open_chat(ask(max_tokens=9_000), bearer("app"))
        call = upstream.take()
        refused = gateway.chat(ask(max_tokens=1_500), bearer("app"))
        assert refused.status == 429 and "tokens per minute of the key `app`" in refused.error()["message"]
        assert refused.header("x-ratelimit-limit-tokens") == "10000"
        call.run(json_reply(completion("pong", usage=USAGE)))
        assert running.reply().status == 200
        upstream.always(json_reply(completion("pong", usage=USAGE)))
        assert gateway.chat(ask(max_tokens=1_500), bearer("app")).status == 200


def remaining_tokens(gateway, name="app") -> int:
    reply = gateway.chat(ask(max_tokens=1), bearer(name))
    assert reply.status == 200, reply.body
    return int(reply.header("x-ratelimit-remaining-tokens"))


@pytest.mark.parametrize("script", [error_reply(500), error_reply(400), error_reply(429)], ids=["500", "400", "429"])
def test_a_request_that_used_nothing_gives_its_tokens_back(upstream, script):
    with gateway_of(upstream, [key("app", rate_limit_tpm=10_000)]) as gateway:
        upstream.script(script)
        failed = gateway.chat(ask(max_tokens=9_000), bearer("app"))
        assert failed.status >= 400 and shown(failed, "tokens")[:2] == (10_000, 10_000)


def test_a_request_that_reached_nobody_gives_its_place_back(upstream):
    dead = {"base_url": f"http://127.0.0.1:{refused_port()}/v1", "models": ["acme-large"], "discover": False}
    with gateway_of(upstream, [key("app", rate_limit_rpm=5)], providers={"acme": dead}) as gateway:
        missing = [gateway.chat(ask("nobody-has-it"), bearer("app")).status for _ in range(10)]
        assert missing == [404] * 10
        tried = gateway.chat(ask(), bearer("app"))
        assert tried.status == 502 and shown(tried, "requests")[1] == 4, "what was sent counts, as providers count it"


def test_a_client_that_leaves_pays_for_what_it_has_seen(upstream):
    """Leaving before the usage arrives is no way round a limit, and no penalty either."""
    with gateway_of(upstream, [key("app", rate_limit_tpm=100_000)]) as gateway:
        upstream.reset()
        leaving = gateway.open_chat(ask(max_tokens=50_000, stream=True), bearer("app"))
        call = upstream.take()
        call.stream_head()
        for frame in stream_frames(*["word " * 40] * 20, "last")[:-2]:  # 4,000 bytes
            call.chunk(frame)
        leaving.until(b'"last"')
        leaving.close()
        call.closed_within(time.monotonic())
        upstream.always(json_reply(completion("pong", usage=USAGE)))
        left = eventually(lambda: (tokens := remaining_tokens(gateway)) > 60_000 and tokens, what="the settling")
        assert 97_000 < left < 99_300, left


def test_users_and_models_have_limits_of_their_own(upstream):
    limits = {"per_user_rpm": 2, "per_model_rpm": {"acme-s*": 1}}
    with gateway_of(upstream, rate_limiting=limits, model_map={"small": "acme-small"}) as gateway:
        by = lambda user, **extra: gateway.chat(ask(**extra), [("x-prism-user-id", user)])
        assert [by("ann").status for _ in range(3)] == [200, 200, 429]
        refused = by("ann")
        assert "of the user `ann`" in refused.error()["message"]
        assert gateway.chat(ask(user="ann")).status == 429, "the field means the same"
        assert by("bob").status == 200
        assert gateway.chat(ask()).status == 200, "who names no user is not limited as one"
        assert by("m1", model="acme/acme-small").status == 200
        for name in ("acme-small", "acme/acme-small", "small"):
            refused = by("m2", model=name)
            assert refused.status == 429 and "of the model `acme-s*`" in refused.error()["message"], name


def test_all_together_have_one_limit(upstream):
    with gateway_of(upstream, [key("a"), key("b")], rate_limiting={"global_rpm": 3}) as gateway:
        replies = [gateway.chat(ask(), bearer(name)) for name in "abab"]
        assert [one.status for one in replies] == [200, 200, 200, 429]
        assert "of the organisation" in replies[-1].error()["message"]


def test_the_tighter_limit_is_shown_ours_or_the_providers(upstream):
    theirs = [("x-ratelimit-limit-requests", "1000"), ("x-ratelimit-remaining-requests", "7"), ("x-ratelimit-reset-requests", "1s"),
              ("x-ratelimit-limit-tokens", "50"), ("x-ratelimit-remaining-tokens", "49"), ("x-ratelimit-reset-tokens", "9ms")]
    upstream.always(json_reply(completion(usage=USAGE), headers=theirs))
    with gateway_of(upstream, [key("app", rate_limit_rpm=5, rate_limit_tpm=10_000)]) as gateway:
        reply = gateway.chat(ask(), bearer("app"))
        assert shown(reply, "requests")[:2] == (5, 4)
        assert shown(reply, "tokens") == (50, 49, "9ms")


def test_places_of_a_key_are_bounded(upstream):
    upstream.reset()
    with gateway_of(upstream, [key("app", max_concurrent=2), key("free")]) as gateway:
        running = [gateway.open_chat(ask(), bearer("app")) for _ in range(2)]
        calls = [upstream.take(), upstream.take()]
        refused = gateway.chat(ask(), bearer("app"))
        assert refused.status == 429 and refused.error()["code"] == "rate_limit_exceeded"
        assert "`app` has as many requests in progress as it may" in refused.error()["message"]
        assert refused.header("retry-after") == "1"
        for call in calls:
            call.run(json_reply(completion()))
        assert [conn.reply().status for conn in running] == [200, 200]
        upstream.always(json_reply(completion()))
        assert gateway.chat(ask(), bearer("app")).status == 200
        assert refused_by(gateway, "key_concurrency") == 1


def test_a_thousand_at_once_get_exactly_what_there_is(upstream):
    with gateway_of(upstream, [key("app", rate_limit_rpm=20)]) as gateway:
        async def crowd():
            client = gateway.async_openai(api_key="sk-prism-app", timeout=120)
            one = lambda: client.chat.completions.create(**ask())
            began = time.monotonic()
            results = await asyncio.gather(*(one() for _ in range(1000)), return_exceptions=True)
            return results, time.monotonic() - began

        results, took = asyncio.run(crowd())
        refused = [one for one in results if isinstance(one, openai.RateLimitError)]
        admitted = [one for one in results if not isinstance(one, BaseException)]
        assert len(refused) + len(admitted) == 1000, [one for one in results if isinstance(one, BaseException)][:3]
        assert 20 <= len(admitted) <= 20 + int(took / 3), (len(admitted), took)
        assert len(upstream.requests) == len(admitted)


def test_a_reload_keeps_what_was_used(upstream):
    with gateway_of(upstream, [key("app", rate_limit_rpm=10), key("other", rate_limit_rpm=10)]) as gateway:
        left = lambda name: int(gateway.chat(ask(), bearer(name)).header("x-ratelimit-remaining-requests"))
        assert [left("app") for _ in range(6)][-1] == 4 and left("other") == 9
        config = {"providers": {"acme": provider(upstream)}, "routing": ONE_TRY,
                  "auth": {"keys": [key("app", rate_limit_rpm=8), key("new", rate_limit_rpm=3), key("other", rate_limit_rpm=10)]}}
        gateway.write(config)
        eventually(lambda: gateway.chat(ask(), bearer("new")).status in (200, 429), what="the new key")
        assert left("app") <= 2, "six of eight were used"
        config["auth"]["keys"].pop(0)
        gateway.write(config)
        eventually(lambda: gateway.chat(ask(), bearer("app")).status == 401, what="the key to go")
        assert left("other") in (7, 8, 9), "nobody else starts anew"


def test_a_key_can_ask_where_it_stands(upstream):
    upstream.reset()
    limits = {"global_tpm": 50_000, "per_user_rpm": 3, "per_model_rpm": {"acme-*": 9}}
    with gateway_of(upstream, [key("app", rate_limit_tpm=10_000, max_concurrent=4), key("free")], rate_limiting=limits) as gateway:
        running = gateway.open_chat(ask(max_tokens=4_000), [*bearer("app"), ("x-prism-user-id", "ann")])
        call = upstream.take()
        asked = gateway.get("/v1/limits", [*bearer("app"), ("x-prism-user-id", "ann")]).json()
        stands = {(one["scope"], one["name"], one["unit"]): (one["limit"], one["remaining"]) for one in asked["rates"]}
        assert stands.pop(("user", "ann", "requests")) == (3, 2) and stands.pop(("model", "acme-*", "requests")) == (9, 8)
        limit, left = stands.pop(("key", "app", "tokens"))
        assert limit == 10_000 and 5_900 < left < 6_000
        assert stands.pop(("organisation", "default", "tokens"))[0] == 50_000 and not stands
        assert asked["concurrency"] == {"limit": 4, "in_progress": 1} and asked["budgets"] == []
        others = gateway.get("/v1/limits", bearer("free")).json()
        assert {one["scope"] for one in others["rates"]} == {"model", "organisation"} and "concurrency" not in others
        assert gateway.get("/v1/limits", bearer("nobody")).status == 401
        call.run(json_reply(completion("pong", usage=USAGE)))
        assert running.reply().status == 200


def test_tools_of_a_key(upstream):
    keys = [key("some", allowed_tools=["get_*", "web_search"], denied_tools=["get_secret"]), key("free")]
    tool = lambda name: {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    with gateway_of(upstream, keys) as gateway:
        offer = lambda *tools, name="some": gateway.chat(ask(tools=list(tools)), bearer(name))
        assert offer(tool("get_weather"), {"type": "web_search"}).status == 200
        refused = offer(tool("get_weather"), tool("get_secret"))
        assert refused.status == 403 and refused.error()["code"] == "tool_not_allowed"
        assert refused.error()["param"] == "tools" and "`get_secret`" in refused.error()["message"]
        assert offer({"type": "code_interpreter"}).status == 403
        assert offer(tool("anything"), name="free").status == 200
        with pytest.raises(openai.PermissionDeniedError):
            gateway.openai(api_key="sk-prism-some").chat.completions.create(**ask(tools=[tool("run")]))
        explained = gateway.post("/v1/route/explain", ask(tools=[tool("run")]), bearer("some"))
        assert explained.status == 403


def test_metadata_of_a_key_choose_routes_and_are_logged(upstream, second):
    second.always(json_reply(completion("second")))
    routing = ONE_TRY | {"conditional_routes": [
        {"name": "vip", "condition": {"key.metadata.tier": "gold"}, "action": {"provider": "second"}}]}
    keys = [key("gold", metadata={"tier": "gold", "seats": 4}), key("plain", metadata={"tier": "tin"}), key("free")]
    providers = {"acme": provider(upstream), "second": provider(second, priority=1)}
    with gateway_of(upstream, keys, providers=providers, routing=routing) as gateway:
        served = {name: gateway.chat(ask(), bearer(name)) for name in ("gold", "plain", "free")}
        assert {name: reply.header("x-prism-provider") for name, reply in served.items()} == {
            "gold": "second", "plain": "acme", "free": "acme"}
        ids = {reply.header("x-prism-request-id"): name for name, reply in served.items()}
        lines = lambda: {ids[line["request_id"]]: line for line in map(json.loads, gateway.stdout.splitlines())
                         if line.get("request_id") in ids}
        eventually(lambda: len(lines()) == 3, what="the log lines")
        assert json.loads(lines()["gold"]["key_metadata"]) == {"tier": "gold", "seats": 4}
        assert "key_metadata" not in lines()["free"]


def test_streams_show_their_limits_and_are_settled_at_their_end(upstream):
    with gateway_of(upstream, [key("app", rate_limit_tpm=10_000)]) as gateway:
        frames = stream_frames("pong", usage=True)
        upstream.script(sse(*frames))
        reply = gateway.chat(ask(max_tokens=4_000, stream=True), bearer("app"))
        assert reply.status == 200 and shown(reply, "tokens")[1] < 6_000, "while it runs"
        assert remaining_tokens(gateway) > 9_700, "after it"
