"""A provider that fails before its first content is replaced by the next, within one deadline."""

from __future__ import annotations

import asyncio
import time

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import events, text_of
from support.ports import refused_port
from support.upstream import (
    DONE, EVENT_STREAM, chunk, completion, error_reply, event, json_reply, raw, reset_at_once, silence, sse,
    stream_frames,
)
from support.waiting import eventually

HTML = b"<html><body>Bad gateway, see http://10.9.8.7/status</body></html>"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.fixture
def gateway(upstream, second):
    """`first`, then `second`. Each test gets a gateway of its own: failures leave marks on a provider."""
    timeouts = {"connect": "1s", "first_byte": "400ms", "idle": "1s", "request": "800ms"}
    providers = {"first": provider(upstream, timeouts=timeouts, priority=0),
                 "second": provider(second, timeouts=timeouts, priority=1)}
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield gateway


def assert_second_answered(reply):
    assert reply.status == 200, reply.body
    assert reply.header("x-prism-provider") == "second"
    assert reply.header("x-prism-attempts") == "2"
    assert reply.header("x-prism-fallback-used") == "true"


async def reset_in_body(x):
    await x.send(JSON_HEAD + b'content-length: 100\r\n\r\n{"id":')
    x.reset()


FAILURES = {
    "500": error_reply(500), "502": error_reply(502), "503": error_reply(503, headers=[("retry-after", "1")]),
    "504": error_reply(504), "529": error_reply(529), "408": error_reply(408),
    "429": error_reply(429, headers=[("retry-after", "9")]),
    "HTML with 500": json_reply(HTML, 500, content_type="text/html"),
    "HTML with 200": json_reply(HTML, 200, content_type="text/html"),
    "empty 200": json_reply(b""), "half a JSON": json_reply(b'{"id":"x","choices":['),
    "an error with 200": json_reply({"error": {"message": "overloaded", "type": "x"}}),
    "silence": silence, "reset": reset_at_once, "reset in the body": reset_in_body,
    "closed without an answer": raw(b""), "garbage": raw(b"\x16\x03\x01\x02garbage\r\n\r\n"),
    "cut in the head": raw(b"HTTP/1.1 200 OK\r\ncontent-"), "a body cut short": raw(JSON_HEAD + b"content-length: 100\r\n\r\n{}"),
    "broken chunks": raw(JSON_HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_the_next_provider_answers_when_the_first_fails(gateway, upstream, second, failure):
    upstream.always(failure)
    second.always(json_reply(completion("from the second")))
    body = b'{ "model":"acme-large" , "messages":[{"role":"user","content":"x"}], "z":1.0}'
    reply = gateway.chat(body)
    assert_second_answered(reply)
    assert reply.json()["choices"][0]["message"]["content"] == "from the second"
    assert upstream.requests[0].body == second.last.body == body, "each attempt starts from what the client sent"
    assert len(upstream.requests) == 1, "and the failed one is not asked again"


STREAM_FAILURES = {name: FAILURES[name] for name in ("500", "429", "silence", "reset", "garbage", "HTML with 200")} | {
    "an error event first": sse(event({"error": {"message": "overloaded", "type": "server_error"}}), DONE),
    "an error event after comments": sse(b": PROCESSING\n\n", event({"error": {"code": 502, "message": "x"}})),
    "a named error event": sse(b"event: error\n" + event({"error": {"message": "x"}})),
    "nothing": sse(), "only comments": sse(b": hi\n\n"), "a reset after the head": raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", reset=True, pause=0.02),
    "a JSON error with 200": json_reply({"error": {"message": "overloaded"}}),
}


@pytest.mark.parametrize("failure", STREAM_FAILURES.values(), ids=STREAM_FAILURES.keys())
def test_a_stream_is_taken_over_before_its_first_content(gateway, upstream, second, failure):
    upstream.always(failure)
    second.always(sse(*stream_frames("from", " second")))
    reply = gateway.chat(ask(stream=True))
    assert_second_answered(reply)
    assert reply.body == b"".join(stream_frames("from", " second")), "and nothing of the first is left in it"


def test_a_stalled_stream_head_is_taken_over(gateway, upstream, second):
    async def head_then_silence(x):
        await x.head(200, EVENT_STREAM)
        await x.gone()

    upstream.always(head_then_silence)
    second.always(sse(*stream_frames("hi")))
    assert_second_answered(gateway.chat(ask(stream=True)))


def test_a_refused_connection_fails_over(second):
    providers = {"first": {"base_url": f"http://127.0.0.1:{refused_port()}/v1", "models": ["acme-large"], "priority": 0},
                 "second": provider(second, priority=1)}
    second.always(json_reply(completion()))
    with Gateway({"providers": providers}) as gateway:
        assert_second_answered(gateway.chat(ask()))


def test_an_unknown_host_fails_over(second):
    providers = {"first": {"base_url": "http://no-such-host.invalid/v1", "models": ["acme-large"], "priority": 0,
                           "timeouts": {"connect": "2s"}}, "second": provider(second, priority=1)}
    second.always(json_reply(completion()))
    with Gateway({"providers": providers}) as gateway:
        assert_second_answered(gateway.chat(ask()))


def test_a_first_provider_that_answers_leaves_the_second_alone(gateway, upstream, second):
    upstream.always(json_reply(completion()))
    reply = gateway.chat(ask())
    assert reply.header("x-prism-provider") == "first" and reply.header("x-prism-attempts") == "1"
    assert reply.header("x-prism-fallback-used") == "false"
    assert not second.requests


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_the_callers_mistakes_do_not_fail_over(gateway, upstream, second, status):
    upstream.always(error_reply(status, "your mistake", code="some_code", param="n"))
    reply = gateway.chat(ask())
    assert reply.status == status and "your mistake" in reply.error()["message"]
    assert reply.error()["code"] == "some_code" and reply.error()["param"] == "n"
    assert reply.header("x-prism-provider") == "first" and reply.header("x-prism-attempts") == "1"
    assert not second.requests


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_does_not_fail_over_and_is_not_the_callers_fault(gateway, upstream, second, status):
    upstream.always(error_reply(status, "Incorrect API key provided: sk-up***"))
    reply = gateway.chat(ask())
    assert reply.status == 502 and "credential" in reply.error()["message"].lower()
    assert not second.requests


ALL_FAILED = [(error_reply(500), 502), (error_reply(503), 503), (error_reply(529), 503), (json_reply(HTML, 502), 502),
              (silence, 504), (reset_at_once, 502), (json_reply(b"{"), 502)]


@pytest.mark.parametrize("failure, status", ALL_FAILED, ids=["500", "503", "529", "HTML", "silence", "reset", "unreadable"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_when_all_fail_the_answer_says_what_went_wrong(gateway, upstream, second, failure, status, stream):
    upstream.always(failure)
    second.always(failure)
    reply = gateway.chat(ask(stream=stream))
    assert reply.status == status
    assert "10.9.8.7" not in reply.error()["message"] and "127.0.0.1" not in reply.error()["message"]
    assert reply.header("x-prism-attempts") == "2"
    assert reply.header("x-prism-request-id")


def test_when_all_are_over_their_quota_the_answer_is_429_with_retry_after(gateway, upstream, second):
    upstream.always(error_reply(429, headers=[("retry-after", "7")]))
    second.always(error_reply(429, headers=[("retry-after", "7")]))
    reply = gateway.chat(ask())
    assert reply.status == 429 and reply.error()["type"] == "rate_limit_error"
    assert 1 <= int(reply.header("retry-after")) <= 7


@pytest.mark.parametrize("status, expected", [(429, 429), (400, 400), (500, 502)])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_refusal_says_what_is_left_of_the_providers_quota_and_nothing_else_of_its_head(gateway, upstream, second, status, expected, stream):
    quota = [("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-tokens", "6m0s")]
    for one in (upstream, second):
        one.always(error_reply(status, headers=[*quota, ("set-cookie", "a=b"), ("server", "internal"), ("x-request-id", "theirs")]))
    reply = gateway.chat(ask(stream=stream))
    assert reply.status == expected
    assert [reply.header(name) for name, _ in quota] == [value for _, value in quota]
    assert not reply.header("set-cookie") and not reply.header("server") and reply.header("x-request-id") != "theirs"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_one_deadline_bounds_all_attempts(upstream, second, stream):
    """Without the deadline each provider would be waited for 60 seconds."""
    upstream.always(silence)
    second.always(silence)
    with Gateway({"providers": {"first": provider(upstream), "second": provider(second)}}) as gateway:
        began = time.monotonic()
        reply = gateway.chat(ask(stream=stream), [("x-prism-request-timeout", "600")])
        took = time.monotonic() - began
        assert reply.status == 504 and reply.error()
        assert 0.55 <= took < 3, took
        assert reply.header("x-prism-timeout-ms") == "600"


def test_the_deadline_lets_a_second_attempt_use_what_is_left(gateway, upstream, second):
    upstream.always(silence)
    second.always(json_reply(completion()))
    assert_second_answered(gateway.chat(ask(), [("x-prism-request-timeout", "5000")]))


@pytest.mark.parametrize("value", ["soon", "-1", "1.5e3x", ""])
def test_a_deadline_that_is_no_number_is_refused(gateway, upstream, value):
    reply = gateway.chat(ask(), [("x-prism-request-timeout", value)])
    assert reply.status == 400 and "x-prism-request-timeout" in reply.error()["message"]
    assert not upstream.requests


def test_after_the_first_content_there_is_no_way_back(gateway, upstream, second):
    async def content_then_reset(x):
        await x.head(200, EVENT_STREAM)
        await x.chunk(event(chunk({"role": "assistant", "content": "Hel"})))
        await asyncio.sleep(0.1)
        x.reset()

    upstream.always(content_then_reset)
    second.always(sse(*stream_frames("other")))
    reply = gateway.chat(ask(stream=True))
    assert reply.status == 200 and reply.header("x-prism-provider") == "first"
    assert text_of(reply.body) == "Hel" and DONE not in reply.body
    assert events(reply.body)[-1].json()["error"]
    assert not second.requests


def test_three_providers_are_tried_at_most(upstream, second, third):
    providers = {f"p{i}": provider(one, priority=i) for i, one in enumerate((upstream, second, third, upstream, second))}
    for one in (upstream, second, third):
        one.always(error_reply(503))
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 503 and reply.header("x-prism-attempts") == "3"
    assert [len(one.requests) for one in (upstream, second, third)] == [1, 1, 1]


def test_failover_can_be_switched_off(upstream, second):
    upstream.always(error_reply(503))
    config = {"providers": {"first": provider(upstream, priority=0), "second": provider(second, priority=1)},
              "routing": ONE_TRY | {"failover": {"enabled": False}}}
    with Gateway(config) as gateway:
        reply = gateway.chat(ask())
        assert reply.status == 503 and reply.header("x-prism-attempts") == "1"
    assert not second.requests


def test_the_statuses_that_fail_over_can_be_chosen(upstream, second):
    second.always(json_reply(completion()))
    config = {"providers": {"first": provider(upstream, priority=0), "second": provider(second, priority=1)},
              "routing": ONE_TRY | {"failover": {"on_status_codes": [418, 404]}}}
    with Gateway(config) as gateway:
        upstream.always(error_reply(404))
        assert_second_answered(gateway.chat(ask()))
        upstream.always(error_reply(503))
        assert gateway.chat(ask()).status == 503


def test_priority_orders_the_providers(upstream, second):
    for one in (upstream, second):
        one.always(json_reply(completion()))
    with Gateway({"providers": {"later": provider(upstream, priority=5), "sooner": provider(second, priority=1)}}) as gateway:
        assert {gateway.chat(ask()).header("x-prism-provider") for _ in range(4)} == {"sooner"}


@pytest.mark.parametrize("model, headers", [("second/acme-large", ()), ("acme-large", [("x-prism-provider-lock", "second")]),
                                            ("acme-large", [("x-agentcc-provider-lock", "second")])])
def test_a_provider_that_was_named_is_the_only_one_asked(gateway, upstream, second, model, headers):
    second.always(error_reply(503))
    reply = gateway.chat(ask(model), headers)
    assert reply.status == 503 and reply.header("x-prism-provider") == "second"
    assert not upstream.requests and second.last.json()["model"] == "acme-large"


def test_a_lock_to_an_unknown_provider_is_the_callers_mistake(gateway, upstream):
    reply = gateway.chat(ask(), [("x-prism-provider-lock", "secnd")])
    assert reply.status in (400, 404) and "secnd" in reply.error()["message"]
    assert not upstream.requests


def test_ids_are_ours_and_the_clients_are_kept(gateway, upstream):
    upstream.always(json_reply(completion()))
    replies = [gateway.chat(ask(), [("x-prism-request-id", "mine"), ("x-prism-trace-id", "trace-7")]) for _ in range(2)]
    ids = {reply.header("x-prism-request-id") for reply in replies}
    assert len(ids) == 2 and all(one.startswith("req_") for one in ids)
    assert {reply.header("x-prism-trace-id") for reply in replies} == {"trace-7"}
    assert int(replies[0].header("x-prism-latency-ms")) >= 0
    assert replies[0].header("x-prism-model-used") == "acme-large"
    assert replies[0].header("x-prism-cost") is None, "unknown is never 0"
    eventually(lambda: gateway.output.count('"mine"') == 2, what="the client's id in the log")


def test_a_panic_is_that_providers_failure_and_nobody_elses(upstream):
    """Before the first content another provider is asked; in the middle of a stream it ends with an error event."""
    upstream.always(json_reply(completion()))
    targets = {"smart": [{"provider": "simulator", "model_override": "echo?panic=0", "priority": 0},
                         {"provider": "second", "model_override": "acme-large", "priority": 1}]}
    config = {"providers": {"simulator": {"type": "simulator"}, "second": provider(upstream)},
              "routing": ONE_TRY | {"targets": targets}}
    with Gateway(config, panics=True) as gateway:
        reply = gateway.chat(ask("smart"))
        assert reply.status == 200 and reply.header("x-prism-attempts") == "2"
        cut = gateway.chat(ask("simulator/lorem?panic=3", stream=True))
        assert cut.status == 200 and b"provider_defect" in cut.body and b"[DONE]" not in cut.body
        alone = gateway.chat(ask("simulator/echo?panic=0"))
        assert alone.status == 502 and alone.error()["code"] == "provider_defect"
        assert gateway.chat(ask("simulator/echo", "still here")).status == 200
        health = {one["name"]: one for one in gateway.get("/v1/providers/health").json()["data"]}
        assert health["simulator"]["restarts"] >= 1 and health["simulator"]["in_flight"] == 0
        eventually(lambda: '"words":"the simulator panics' in gateway.stdout, what="where it was, in the log")
        assert "stack backtrace" not in gateway.output
