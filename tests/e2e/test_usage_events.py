"""Every admitted request leaves exactly one usage event, whatever becomes of it, and what is not admitted leaves none."""

from __future__ import annotations

import json
import threading

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.spool import events_of, usage_events
from support.upstream import USAGE as COUNTED
from support.upstream import (
    chunk, completion, error_reply, event, json_reply, sse, stream_frames,
)
from support.waiting import eventually

CANARY = "sk-canary-7c1fdb29"
KEYS = [{"name": "app", "key": f"{CANARY}-client", "models": ["acme-*", "other-*", "twin"]}]
PRICES = {"custom_pricing": {"acme-large": {"input_per_mtok": 2, "output_per_mtok": 10}}}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 4}}


@pytest.fixture(scope="module")
def gateway(upstream, second):
    config = {
        "auth": {"keys": KEYS}, "cost_tracking": PRICES, "routing": ONE_TRY,
        "providers": {
            "acme": provider(upstream, "acme-large", "acme-free", api_key=f"{CANARY}-provider"),
            "first": provider(upstream, "twin"), "second": provider(second, "twin"),
        },
    }
    with Gateway(config, key=f"{CANARY}-client") as gateway:
        yield gateway


@pytest.fixture
def event_of(gateway):
    """`event_of()`: the one event since the test began; of several, the one that ended so, as they come in any order."""
    store = gateway.folder / "data"
    eventually(lambda: gateway.metrics().total("prism_requests_in_flight") == 0, what="the requests before to end")
    before = len(usage_events(store))
    return lambda count=1, status=None: next(
        one for one in reversed(events_of(gateway, count, before)) if status in (None, one["status"]))


def test_an_answer(gateway, upstream, event_of):
    upstream.script(json_reply(completion("hello", usage=USAGE)))
    reply = gateway.chat(ask(user="from the body"), [
        ("x-prism-session-id", "s1"), ("x-prism-session-name", "chat"), ("x-prism-session-path", "/a/b"),
        ("x-prism-metadata", '{"team": "search", "tier": 3}'), ("x-prism-property-feature", "summary"),
        ("x-prism-request-id", "mine"), ("x-prism-trace-id", "trace")])
    found = event_of()
    expected = {
        "schema": "prism.usage.v1", "request_id": reply.header("x-prism-request-id"), "org": "default", "key_id": "app",
        "endpoint": "chat.completions", "stream": False, "model": "acme-large", "user_id": "from the body", "session_id": "s1",
        "session_name": "chat", "session_path": "/a/b", "client_request_id": "mine", "trace_id": "trace",
        "metadata": {"team": "search", "tier": 3}, "properties": {"feature": "summary"}, "status": "answered",
        "http_status": 200, "complete": True, "provider": "acme", "model_served": "acme-large", "finish_reason": "stop",
        "tokens": {"input": 10, "output": 5, "cached_read": 4}, "usage_source": "provider", "cost_usd": "0.00007",
        "price_version": "custom", "attempt_count": 1,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert reply.header("x-prism-cost") == found["cost_usd"]
    assert found["attempts"][0] | {"duration_ms": 0} == {
        "provider": "acme", "model": "acme-large", "kind": "first", "outcome": "answered", "duration_ms": 0}
    assert found["started_at"].endswith("Z") and found["duration_ms"] >= 0 and found["gateway"]


def test_a_stream_with_its_hidden_usage(gateway, upstream, event_of):
    upstream.script(sse(*stream_frames("he", "llo", usage=True)))
    reply = gateway.chat(ask(stream=True), [("x-prism-user-id", "from the header")])
    assert reply.status == 200 and b"usage" not in reply.body
    found = event_of()
    assert (found["status"], found["stream"], found["complete"], found["user_id"]) == ("answered", True, True, "from the header")
    counted = COUNTED["prompt_tokens"], COUNTED["completion_tokens"]
    assert (found["tokens"]["input"], found["tokens"]["output"]) == counted
    assert found["usage_source"] == "provider" and found["finish_reason"] == "stop"
    assert "first_token_ms" in found


def test_what_has_no_price_has_no_cost(gateway, upstream, event_of):
    upstream.script(json_reply(completion("hello", usage=USAGE)))
    gateway.chat(ask("acme-free"))
    found = event_of()
    assert "cost_usd" not in found and "price_version" not in found and found["tokens"]["input"] == 10


def test_tokens_that_nobody_counted_are_estimated_and_marked(gateway, upstream, event_of):
    answer = completion("four letter words are what this counts")
    answer.pop("usage", None)
    upstream.script(json_reply(answer))
    gateway.chat(ask())
    found = event_of()
    assert found["usage_source"] == "estimated" and found["complete"] is True
    assert found["tokens"]["output"] == 10 and found["tokens"]["input"] > 10


@pytest.mark.parametrize("status,shown", [(500, 502), (429, 429), (400, 400), (401, 502)])
def test_a_failure(gateway, upstream, event_of, status, shown):
    name = f"fails-{status}"
    with Gateway({"providers": {name: provider(upstream, name)}, "routing": ONE_TRY}) as own:
        upstream.script(error_reply(status, "no"))
        assert own.chat(ask(name)).status == shown
        found, = events_of(own, 1)
    assert (found["status"], found["http_status"], found["complete"]) == ("failed", shown, False)
    assert found["attempts"][0]["outcome"] == "failed" and found["attempts"][0]["http_status"] == status
    assert "tokens" not in found and "cost_usd" not in found and found["error"]


def test_a_failover_is_one_event_with_both_attempts(gateway, upstream, second, event_of):
    upstream.script(error_reply(503, "away"))
    second.script(json_reply(completion("hello", usage=USAGE)))
    assert gateway.chat(ask("twin"), [("x-prism-config", '{"failover": {"enabled": true, "max_attempts": 2}}')]).status == 200
    found = event_of()
    assert [(one["provider"], one["kind"], one["outcome"]) for one in found["attempts"]] == [
        ("first", "first", "failed"), ("second", "failover", "answered")]
    assert found["fallback_used"] is True and found["provider"] == "second" and found["attempt_count"] == 2


def test_a_client_that_leaves_mid_stream_is_charged_for_what_passed(gateway, upstream, event_of):
    conn = gateway.open_chat(ask(stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(event(chunk({"role": "assistant", "content": "twelve bytes"})))
    next(conn.pieces(conn.head()))
    conn.close()
    found = event_of()
    assert (found["status"], found["complete"], found["usage_source"]) == ("cancelled", False, "estimated")
    assert found["tokens"]["output"] == 3 and found["tokens"]["input"] > 0 and found["cost_usd"]


def test_a_client_that_leaves_before_the_answer(gateway, upstream, event_of):
    conn = gateway.open_chat(ask())
    upstream.take()
    conn.close()
    found = event_of()
    assert (found["status"], found["http_status"], found["tokens"]["output"]) == ("cancelled", 499, 0)
    assert "outcome" not in found["attempts"][0]


def test_a_cut_stream(gateway, upstream, event_of):
    conn = gateway.open_chat(ask(stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(event(chunk({"role": "assistant", "content": "twelve bytes"})))
    call.close()
    conn.reply()
    found = event_of()
    assert (found["status"], found["http_status"], found["complete"]) == ("cut", 200, False)
    assert found["tokens"]["output"] == 3 and found["error"]


def test_an_answer_that_is_given_again_costs_nothing(gateway, upstream, event_of):
    upstream.script(json_reply(completion("hello", usage=USAGE)))
    for _ in range(2):
        assert gateway.chat(ask(), [("idempotency-key", "again")]).status == 200
    replayed = event_of(2, "replayed")
    assert (replayed["attempt_count"], replayed["complete"]) == (0, True)
    assert "cost_usd" not in replayed and "tokens" not in replayed


def test_what_is_not_admitted_leaves_none(gateway, upstream, event_of):
    refused = [
        gateway.call("POST", "/v1/chat/completions", ask(), [("authorization", "Bearer wrong")]),
        gateway.chat(b"{"), gateway.chat(ask("other-model")), gateway.chat(ask("not-allowed")),
        gateway.chat({"model": "acme-large"}), gateway.chat(ask(), [("x-prism-metadata", "[]")]),
    ]
    assert [reply.status for reply in refused] == [401, 400, 404, 403, 400, 400]
    upstream.script(json_reply(completion("hello")))
    gateway.chat(ask())
    assert event_of()["status"] == "answered"


def test_metadata_that_fits_in_no_event_is_refused_by_name(gateway, upstream, event_of):
    reply = gateway.chat(ask(), [("x-prism-metadata", json.dumps({"text": "x" * 6000}))])
    assert reply.status == 400 and reply.json()["error"]["code"] == "metadata_too_long"
    assert reply.json()["error"]["param"] == "x-prism-metadata" and not upstream.requests


def test_no_key_is_in_the_spool(gateway, upstream, event_of):
    upstream.script(error_reply(400, f"bad key {CANARY}-provider"))
    gateway.chat(ask(), [("x-prism-session-id", "canary")])
    event_of()
    for file in (gateway.folder / "data").rglob("*"):
        assert file.is_dir() or CANARY.encode() not in file.read_bytes(), file


def test_a_kill_leaves_each_request_once(upstream):
    config = {"providers": {"acme": provider(upstream)}, "routing": ONE_TRY}
    with Gateway(config) as gateway:
        upstream.always(json_reply(completion("hello", usage=USAGE)))
        done = [gateway.chat(ask()).header("x-prism-request-id") for _ in range(20)]
        upstream.always(None)
        conn = gateway.open_chat(ask(stream=True))
        call = upstream.take()
        call.stream_head()
        call.chunk(event(chunk({"role": "assistant", "content": "hi"})))
        under_way = conn.head().header("x-prism-request-id")
        gateway.process.kill()
        gateway.process.wait()
        gateway.start()
        found = events_of(gateway, 21)
        statuses = {one["request_id"]: one["status"] for one in found}
        assert len(statuses) == 21 and set(statuses) == {*done, under_way}
        assert statuses[under_way] == "interrupted"
        assert all(statuses[one] == "answered" for one in done)


def test_two_gateways_share_a_store_and_the_second_inherits(upstream, tmp_path):
    config = {"providers": {"acme": provider(upstream)}, "routing": ONE_TRY, "store": {"path": str(tmp_path / "data")}}
    upstream.always(json_reply(completion("hello", usage=USAGE)))
    with Gateway(config) as first, Gateway(config) as second:
        ids = [gateway.chat(ask()).header("x-prism-request-id") for gateway in (first, second) for _ in range(3)]
        eventually(lambda: len(usage_events(tmp_path / "data")) == 6, what="six events")
    assert sorted(one["request_id"] for one in usage_events(tmp_path / "data")) == sorted(ids)
    assert len(list((tmp_path / "data/spool").iterdir())) == 2


def test_requests_at_once_leave_one_event_each(gateway, upstream, event_of):
    upstream.always(json_reply(completion("hello", usage=USAGE)))
    threads = [threading.Thread(target=lambda: [gateway.chat(ask()) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    event_of(200)
    found = usage_events(gateway.folder / "data")
    assert len({one["request_id"] for one in found}) == len(found)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_copy_leaves_an_event_of_its_own_and_is_charged_to_nobody(upstream, second, stream):
    answer = sse(*stream_frames("he", "llo", usage=True)) if stream else json_reply(completion("hello", usage=USAGE))
    upstream.always(answer)
    second.always(answer)
    dear = {"custom_pricing": PRICES["custom_pricing"] | {"other": {"input_per_mtok": 1_000_000, "output_per_mtok": 1_000_000}}}
    rule = {"source_model": "acme-*", "target_provider": "shadow", "target_model": "other", "sample_rate": 1.0}
    config = {"providers": {"acme": provider(upstream), "shadow": provider(second, "other")}, "cost_tracking": dear,
              "auth": {"keys": KEYS}, "budgets": {"limit": 1, "keys": {"app": 1}},
              "routing": ONE_TRY | {"mirror": {"enabled": True, "rules": [rule]}}}
    with Gateway(config, key=f"{CANARY}-client") as gateway:
        for _ in range(2):  # a copy costs more than the budget has
            reply = gateway.chat(ask(stream=stream, max_tokens=5))
            assert reply.status == 200, reply.body
        found = events_of(gateway, 4)
        copies = {one["mirror_of"]: one for one in found if "mirror_of" in one}
        originals = {one["request_id"]: one for one in found if "mirror_of" not in one}
        assert set(copies) == set(originals) and len({one["request_id"] for one in found}) == 4
        copy = copies[reply.header("x-prism-request-id")]
        assert (copy["status"], copy["complete"], copy["provider"], copy["model_served"]) == ("answered", True, "shadow", "other")
        assert copy["tokens"] == originals[copy["mirror_of"]]["tokens"] and float(copy["cost_usd"]) >= 10
        assert copy["usage_source"] == "provider"
        assert not {"key_id", "user_id", "http_status"} & set(copy)
        assert [(one["kind"], one["outcome"]) for one in copy["attempts"]] == [("mirror", "answered")]
        second.always(error_reply(500))
        gateway.chat(ask(stream=stream, max_tokens=5))
        failed = events_of(gateway, 6)
        [failed] = [one for one in failed if "mirror_of" in one and one["status"] != "answered"]
        assert failed["status"] == "failed" and failed["attempts"][0]["http_status"] == 500 and "cost_usd" not in failed

        def told(query: str) -> list:
            rows = gateway.get(f"/v1/usage?group_by=endpoint,key&{query}").json()["data"]
            return [(row["endpoint"], row.get("key"), row["requests"]) for row in rows]
        wanted = [("chat.completions", "app", 3), ("mirror", None, 3)]
        eventually(lambda: told("") == wanted, what="copies to be told apart")


def test_a_store_that_cannot_be_used_is_said_before_anything_is_served(upstream, tmp_path):
    blocked = tmp_path / "data"
    blocked.write_text("a file")
    config = {"providers": {"acme": provider(upstream)}, "store": {"path": str(blocked)}}
    gateway = Gateway(config)
    with pytest.raises(AssertionError, match="cannot keep usage events"):
        gateway.start()
    gateway.kill()
    config["usage"] = {"enabled": False}
    upstream.script(json_reply(completion("hello")))
    with Gateway(config) as gateway:
        assert gateway.chat(ask()).status == 200


def test_without_configuration_a_folder_that_cannot_be_written_stops_nobody():
    gateway = Gateway(None)
    (gateway.folder / "data").write_text("a file")
    with gateway:
        assert gateway.chat(ask("simulator/echo")).status == 200
        assert "no usage events" in gateway.output
