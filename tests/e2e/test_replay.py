"""The same request again, and a stream that lost its connection: one upstream call, the same answer."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import events, text_of
from support.upstream import DONE, EVENT_STREAM, chunk, completion, error_reply, event, json_reply, sse, stream_frames
from support.waiting import eventually

KEYS = [{"name": "a", "key": "sk-prism-a"}, {"name": "b", "key": "sk-prism-b"}]


@pytest.fixture(scope="module")
def gateway(upstream):
    config = {"auth": {"keys": KEYS}, "providers": {"acme": provider(upstream)}, "routing": ONE_TRY}
    with Gateway(config, key="sk-prism-a") as gateway:
        yield gateway


def keyed(key, *more):
    return [("idempotency-key", key), *more]


def without_latency(reply):
    return {name: value for name, value in reply.headers if name not in ("date", "x-prism-latency-ms", "idempotent-replayed",
                                                                        "content-length", "transfer-encoding")}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_finished_answer_is_given_again(gateway, upstream, stream):
    upstream.script(sse(*stream_frames("he", "llo", usage=True)) if stream else json_reply(completion("hello")))
    first = gateway.chat(ask(stream=stream), keyed(f"again-{stream}"))
    again = gateway.chat(ask(stream=stream), keyed(f"again-{stream}"))
    assert first.status == again.status == 200 and first.body == again.body and len(upstream.requests) == 1
    assert first.header("idempotent-replayed") is None and again.header("idempotent-replayed") == "true"
    assert without_latency(first) == without_latency(again), "the same request id: it is the same answer"


def test_a_request_in_flight_is_joined(gateway, upstream):
    release = threading.Event()

    async def slow(x):
        await asyncio.to_thread(release.wait)
        await json_reply(completion("joined"))(x)

    upstream.script(slow)
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(gateway.chat(ask(), keyed("joined")))) for _ in range(5)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(upstream.requests) == 1, what="the call")
    release.set()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 5 and len({reply.body for reply in replies}) == 1
    assert len(upstream.requests) == 1


def test_the_same_key_with_another_request_is_refused(gateway, upstream):
    upstream.always(json_reply(completion()))
    gateway.chat(ask(text="one"), keyed("reused"))
    reply = gateway.chat(ask(text="two"), keyed("reused"))
    assert reply.status == 422 and reply.error()["code"] == "idempotency_key_reused" and len(upstream.requests) == 1


def test_a_key_belongs_to_its_client(gateway, upstream):
    upstream.always(json_reply(completion()))
    gateway.chat(ask(), keyed("mine"))
    other = gateway.chat(ask(text="another"), keyed("mine", ("authorization", "Bearer sk-prism-b")))
    assert other.status == 200 and other.header("idempotent-replayed") is None and len(upstream.requests) == 2


def test_a_failure_is_not_kept(gateway, upstream):
    upstream.script(error_reply(503), json_reply(completion()))
    assert gateway.chat(ask(), keyed("failed")).status == 503
    assert gateway.chat(ask(), keyed("failed")).status == 200 and len(upstream.requests) == 2


@pytest.mark.parametrize("headers", [keyed(""), keyed("x" * 256), [("x-prism-resumable", "soon")], [("x-prism-resumable", "0")],
                                     [("last-event-id", "7")]])
def test_a_bad_header_is_named(gateway, upstream, headers):
    reply = gateway.chat(ask(), headers)
    assert reply.status == 400 and reply.error()["param"] == headers[0][0] and not upstream.requests


def test_nobody_is_answered_from_what_is_kept_without_a_key(gateway, upstream):
    upstream.always(json_reply(completion()))
    gateway.chat(ask(), keyed("secret"))
    assert gateway.chat(ask(), keyed("secret", ("authorization", "Bearer wrong"))).status == 401


def paced(gate, *texts):
    """A stream that waits for the gate after its first text."""
    async def script(x):
        await x.head(200, EVENT_STREAM)
        await x.chunk(event(chunk({"role": "assistant", "content": texts[0]})))
        await asyncio.to_thread(gate.wait)
        for text in texts[1:]:
            await x.chunk(event(chunk({"content": text})))
        await x.chunk(event(chunk({}, finish_reason="stop")))
        await x.chunk(DONE)
        await x.end()
    return script


def test_a_stream_is_resumed_where_it_was_lost(gateway, upstream):
    gate = threading.Event()
    upstream.script(paced(gate, "one ", "two ", "three"))
    connection = gateway.open_chat(ask(stream=True), [("x-prism-resumable", "30")])
    head = connection.head()
    assert head.status == 200
    first = next(connection.pieces(head))
    connection.close()
    gate.set()
    seen = events(first)
    last = seen[-1].id
    reply = gateway.chat(ask(stream=True), [("x-prism-resumable", "30"), ("last-event-id", last)])
    assert reply.status == 200 and len(upstream.requests) == 1
    assert text_of(first) + text_of(reply.body) == "one two three" and DONE.strip() in reply.body
    again = gateway.chat(ask(stream=True), [("last-event-id", last)])
    assert again.body == reply.body, "as often as it takes"
    other = gateway.chat(ask(stream=True), [("last-event-id", last), ("authorization", "Bearer sk-prism-b")])
    assert other.status == 404 and other.error()["code"] == "stream_not_kept"


def test_without_it_a_client_that_leaves_ends_the_call(gateway, upstream):
    gone = threading.Event()

    async def script(x):
        await x.head(200, EVENT_STREAM)
        await x.chunk(event(chunk({"role": "assistant", "content": "x"})))
        await x.gone()
        gone.set()

    upstream.script(script)
    connection = gateway.open_chat(ask(stream=True), keyed("left"))
    connection.head()
    connection.close()
    assert gone.wait(5), "the key alone keeps no call alive"
    upstream.script(sse(*stream_frames("new")))
    assert text_of(gateway.chat(ask(stream=True), keyed("left")).body) == "new"


def test_a_resumable_stream_ends_when_nobody_comes_back(gateway, upstream):
    gone = threading.Event()

    async def script(x):
        await x.head(200, EVENT_STREAM)
        await x.chunk(event(chunk({"role": "assistant", "content": "x"})))
        await x.gone()
        gone.set()

    upstream.script(script)
    connection = gateway.open_chat(ask(stream=True), [("x-prism-resumable", "1")])
    connection.head()
    connection.close()
    assert not gone.wait(0.3) and gone.wait(10)


def test_requests_with_a_key_stand_at_the_door_like_all_others(upstream):
    """A body that does not come holds its place, and what is read again holds one too."""
    config = {"server": {"max_in_flight": 1, "body_timeout": "20s"}, "providers": {"acme": provider(upstream)}}
    upstream.always(json_reply(completion()))
    with Gateway(config) as gateway:
        assert gateway.chat(ask(), keyed("one")).status == 200

        def is_full() -> bool:
            with gateway.connect() as waiting:
                waiting.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                             b"idempotency-key: slow\r\ncontent-length: 100\r\n\r\n{")
                time.sleep(0.1)  # it is refused itself if it comes while the one before is at the door
                return gateway.chat(ask(), keyed("one")).status == 503

        eventually(is_full, what="the door to be full")
        eventually(lambda: gateway.chat(ask(), keyed("one")).header("idempotent-replayed") == "true", what="room again")
