"""Streams: who leaves when, what is cut and how it is told, and that each call is accounted once."""

from __future__ import annotations

import asyncio
import time

import openai
import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import events, text_of
from support.upstream import (
    DONE, EVENT_STREAM, chunk, completion, error_reply, event, json_reply, raw, silence, sse, stream_frames,
)
from support.waiting import eventually

# 100 ms is what is promised; the rest is for a machine that is busy with other things.
AT_ONCE = 0.3
FIRST = event(chunk({"role": "assistant", "content": "Hel"}))


@pytest.fixture(scope="module")
def gateway(upstream):
    providers = {
        "acme": provider(upstream),
        "hasty": provider(upstream, "hasty-model", timeouts={"idle": "300ms", "first_byte": "1s", "request": "1s"}),
        "narrow": provider(upstream, "narrow-model", max_concurrent=1),
    }
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield gateway


@pytest.fixture
def accounted(gateway):
    """`accounted(n)`: since the test began exactly n requests ended, and none is in flight."""
    before = gateway.metrics().total("prism_requests_total", endpoint="chat.completions")

    def check(count: int) -> None:
        def settled():
            metrics = gateway.metrics()
            ended = metrics.total("prism_requests_total", endpoint="chat.completions") - before
            return ended >= count and metrics.total("prism_requests_in_flight") == 0

        eventually(settled, what="requests to be accounted")
        assert gateway.metrics().total("prism_requests_total", endpoint="chat.completions") == before + count

    return check


def begun(gateway, upstream, model="acme-large", **options):
    """A stream whose first chunk has arrived: both ends of it, and the pieces to come."""
    conn = gateway.open_chat(ask(model, stream=True), **options)
    call = upstream.take()
    call.stream_head()
    call.chunk(FIRST)
    pieces = conn.pieces(conn.head())
    assert next(pieces) == FIRST
    return conn, call, pieces


# The client leaves.

@pytest.mark.parametrize("leave", ["close", "reset"])
def test_when_the_client_leaves_mid_stream_the_upstream_call_ends_at_once(gateway, upstream, accounted, leave):
    conn, call, _ = begun(gateway, upstream)
    left = time.monotonic()
    getattr(conn, leave)()
    took = call.closed_within(left)
    print(f"upstream saw the close after {took * 1000:.1f} ms")
    assert took < AT_ONCE
    accounted(1)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_when_the_client_leaves_before_the_head_the_upstream_call_ends_at_once(gateway, upstream, accounted, stream):
    conn = gateway.open_chat(ask(stream=stream))
    call = upstream.take()
    left = time.monotonic()
    conn.close()
    took = call.closed_within(left)
    print(f"upstream saw the close after {took * 1000:.1f} ms")
    assert took < AT_ONCE
    accounted(1)


def test_when_the_client_leaves_while_a_whole_answer_arrives_the_upstream_call_ends(gateway, upstream, accounted):
    conn = gateway.open_chat(ask())
    call = upstream.take()
    call.head(200, [("content-type", "application/json"), ("content-length", "1000")])
    call.send(b'{"id":"x",')
    left = time.monotonic()
    conn.close()
    assert call.closed_within(left) < AT_ONCE
    accounted(1)


def test_the_sdks_close_ends_the_upstream_call(gateway, upstream, accounted):
    client = gateway.openai()
    upstream.script(sse(*[FIRST] * 2000, pause=0.01))
    with client.chat.completions.create(**ask(), stream=True) as stream:
        assert next(stream).choices[0].delta.content == "Hel"
    accounted(1)


def test_many_clients_that_leave_free_what_they_held(gateway, upstream, accounted):
    for _ in range(20):
        conn, call, _ = begun(gateway, upstream)
        conn.reset()
        call.closed_within(time.monotonic())
    accounted(20)


def test_a_permit_comes_back_when_the_client_leaves(gateway, upstream, accounted):
    conn, call, _ = begun(gateway, upstream, "narrow-model")
    full = gateway.chat(ask("narrow-model"))
    assert full.status in (429, 503) and full.error() and int(full.header("retry-after")) >= 1
    conn.close()
    call.closed_within(time.monotonic())
    upstream.always(json_reply(completion()))
    eventually(lambda: gateway.chat(ask("narrow-model")).status == 200, 3, "the permit to come back")


def test_a_permit_comes_back_after_every_ending(gateway, upstream):
    endings = [json_reply(completion()), error_reply(500), error_reply(400), raw(b"junk"), sse(*stream_frames("x")),
               sse(FIRST), json_reply(b"{"), sse(event({"error": {"message": "x"}}))]
    for ending in endings:
        upstream.script(ending)
        assert gateway.chat(ask("narrow-model", stream=True)).status != 429
    upstream.script(json_reply(completion()))
    eventually(lambda: gateway.chat(ask("narrow-model")).status == 200, 3, "the permit to come back")


# The upstream breaks off.

async def reset_after_first(x):
    await x.head(200, EVENT_STREAM)
    await x.chunk(FIRST)
    await asyncio.sleep(0.05)
    x.reset()


CUT = {
    "reset": reset_after_first,
    "closed inside the chunked body": raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                                          b"%x\r\n%s\r\n" % (len(FIRST), FIRST)),
    "a clean end without [DONE]": sse(FIRST),
    "closed in the middle of a line": sse(FIRST, b'data: {"choices":[{"index":0,"delta":{"content":"lo'),
    "closed in the middle of a character": sse(FIRST, event(chunk({"content": "é"})).split(b"\xa9")[0]),
    "closed before a blank line": sse(FIRST, b'data: {"choices":[{"index":0,"delta":{"content":"lo"}}]}\n'),
    "closed before a blank line, CRLF": sse(FIRST, b'data: {"choices":[{"index":0,"delta":{"content":"lo"}}]}\r\n'),
    "closed after a whole line without its end": sse(FIRST, b'data: {"choices":[{"index":0,"delta":{"content":"lo"}}]}'),
    "closed after a comment": sse(FIRST, b": hi\n"),
    "closed after an event's name": sse(FIRST, b"event: message\n"),
    "until close, without [DONE]": raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + FIRST),
    "broken chunk": raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                        b"%x\r\n%s\r\nzz\r\n" % (len(FIRST), FIRST)),
}


def assert_ends_in_an_error(body: bytes) -> dict:
    assert body.startswith(FIRST), body
    assert b"[DONE]" not in body, "a cut stream is not a complete one"
    *parts, error = [one.json() for one in events(body)]
    assert all("choices" in part for part in parts), "no half event before it"
    error = error["error"]
    assert isinstance(error["message"], str) and error["message"] and error["type"], error
    assert body.endswith((b"\n\n", b"\r\n\r\n")), "the error event is complete"
    assert body.count(b'"error"') == 1, "and told once"
    return error


@pytest.mark.parametrize("script", CUT.values(), ids=CUT.keys())
def test_a_cut_stream_ends_in_an_error_event_and_no_done(gateway, upstream, accounted, script):
    upstream.script(script)
    reply = gateway.chat(ask(stream=True))
    assert reply.status == 200
    error = assert_ends_in_an_error(reply.body)
    assert "127.0.0.1" not in error["message"]
    accounted(1)


def test_a_cut_stream_raises_in_the_sdk(gateway, upstream):
    upstream.script(reset_after_first)
    texts = []
    with pytest.raises(openai.APIError):
        for part in gateway.openai().chat.completions.create(**ask(), stream=True):
            texts.append(part.choices[0].delta.content)
    assert texts == ["Hel"]


def test_a_finish_reason_and_a_clean_end_are_a_complete_stream(gateway, upstream):
    """Some providers send no [DONE]; nothing was lost."""
    frames = stream_frames("hi")[:-1]
    upstream.script(sse(*frames))
    body = gateway.chat(ask(stream=True)).body
    assert body.startswith(b"".join(frames)) and b'"error"' not in body


def test_a_stalled_stream_ends_in_an_error_event(gateway, upstream, accounted):
    conn, call, pieces = begun(gateway, upstream, "hasty-model")
    began = time.monotonic()
    body = FIRST + b"".join(pieces)
    took = time.monotonic() - began
    assert_ends_in_an_error(body)
    assert 0.2 < took < 3, took
    call.closed_within(time.monotonic())
    conn.close()
    accounted(1)


def test_an_upstream_error_event_ends_the_stream(gateway, upstream, accounted):
    trouble = event({"error": {"code": 502, "message": "provider went away", "metadata": {"host": "10.1.1.1"}}})
    upstream.script(sse(FIRST, trouble, event(chunk({"content": "ignored"})), DONE))
    body = gateway.chat(ask(stream=True)).body
    error = assert_ends_in_an_error(body)
    assert "provider went away" in error["message"] and error["code"] in (None, "502")
    assert "ignored" not in text_of(body.rpartition(b"data: ")[0])
    accounted(1)


# Time.

def test_a_stream_that_lives_longer_than_every_total_is_not_cut(gateway, upstream):
    """`timeouts.request` is 1 s and the client's deadline 700 ms; the stream takes 1.8 s."""
    frames = stream_frames(*[f"{i} " for i in range(18)])
    upstream.script(sse(*frames, pause=0.09))
    began = time.monotonic()
    reply = gateway.chat(ask("hasty-model", stream=True), [("x-prism-request-timeout", "700")])
    assert time.monotonic() - began > 1.5
    assert reply.body == b"".join(frames)


def test_a_long_silence_before_the_first_content_is_filled_with_comments(gateway, upstream, accounted):
    """Ten seconds, then the head goes out, so that no proxy on the way takes the silence for death."""
    with gateway.open_chat(ask(stream=True)) as conn:
        call = upstream.take()
        call.stream_head()
        began = time.monotonic()
        reply = conn.head()
        pieces = conn.pieces(reply)
        comment = next(pieces)
        assert reply.status == 200 and comment.startswith(b":") and comment.endswith(b"\n\n")
        assert 8 < time.monotonic() - began < 15
        for frame in stream_frames("late"):
            call.chunk(frame)
        call.end()
        assert text_of(comment + b"".join(pieces)) == "late"
    accounted(1)


def test_a_whole_answer_is_bounded_by_the_request_timeout(gateway, upstream, accounted):
    async def trickle(x):
        await x.head(200, [("content-type", "application/json"), ("content-length", "1000")])
        while True:
            await x.send(b" ")
            await asyncio.sleep(0.05)

    upstream.script(trickle)
    began = time.monotonic()
    reply = gateway.chat(ask("hasty-model"))
    assert reply.status == 504 and reply.error()
    assert time.monotonic() - began < 4
    accounted(1)


def test_silence_before_the_first_byte_is_a_504(gateway, upstream, accounted):
    upstream.script(silence)
    reply = gateway.chat(ask("hasty-model", stream=True))
    assert reply.status == 504 and reply.error()["message"]
    accounted(1)


# Bounds.

def test_a_client_that_does_not_read_stops_the_upstream(gateway, upstream, accounted):
    """Backpressure instead of memory: of 64 MiB on offer only what the sockets and one read hold is taken."""
    frame = event(chunk({"content": "x" * 60_000}))
    taken = []

    async def pour(x):
        await x.head(200, EVENT_STREAM)
        x._peer.writer.transport.set_write_buffer_limits(high=1 << 16)
        for _ in range(1000):
            await x.chunk(frame)
            taken.append(len(frame))
        await x.end()

    upstream.script(pour)
    conn = gateway.open_chat(ask(stream=True), receive_buffer=1 << 16)

    def stuck():
        before = len(taken)
        time.sleep(0.3)
        return before > 3 and len(taken) == before

    eventually(stuck, 20, "the upstream to be stopped")
    assert sum(taken) < 24 << 20, f"{sum(taken) >> 20} MiB went into the gateway"
    conn.close()
    accounted(1)


def test_at_the_bound_of_the_door_requests_are_turned_away_at_once(upstream):
    with Gateway({"server": {"max_in_flight": 2}, "providers": {"acme": provider(upstream)}}) as gateway:
        held = [gateway.open_chat(ask()) for _ in range(2)]
        calls = [upstream.take() for _ in held]
        began = time.monotonic()
        reply = gateway.chat(ask())
        assert reply.status == 503 and reply.error() and int(reply.header("retry-after")) >= 1
        assert time.monotonic() - began < 2
        assert gateway.get("/healthz").status == 200, "health is answered all the same"
        for call in calls:
            call.run(json_reply(completion()))
        assert [conn.reply().status for conn in held] == [200, 200]
        upstream.always(json_reply(completion()))
        assert gateway.chat(ask()).status == 200


# Accounting.

@pytest.mark.parametrize("script, stream", [
    (json_reply(completion()), False), (error_reply(400), False), (error_reply(503), False),
    (sse(*stream_frames("a", "b", usage=True)), True), (sse(FIRST, event({"error": {"message": "x"}})), True),
], ids=["answer", "400", "503", "stream", "error event"])
def test_every_call_is_counted_once(gateway, upstream, accounted, script, stream):
    upstream.script(script)
    gateway.chat(ask(stream=stream))
    accounted(1)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tokens_are_counted_as_the_provider_reported_them(gateway, upstream, stream):
    before = gateway.metrics()
    upstream.script(sse(*stream_frames("a", usage=True)) if stream else json_reply(completion()))
    gateway.chat(ask(stream=stream))

    def counted(kind):
        return gateway.metrics().total("prism_tokens_total", provider="acme", kind=kind) - before.total(
            "prism_tokens_total", provider="acme", kind=kind)

    eventually(lambda: counted("output"), what="tokens to be counted")
    assert (counted("input"), counted("output")) == (11, 7)


def test_usage_that_arrived_before_the_client_left_is_counted(gateway, upstream):
    before = gateway.metrics().total("prism_tokens_total", kind="output")
    conn, call, _ = begun(gateway, upstream)
    call.chunk(event(chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6})))
    conn.until(b'"stop"')
    conn.close()
    call.closed_within(time.monotonic())
    eventually(lambda: gateway.metrics().total("prism_tokens_total", kind="output") == before + 5, what="the usage")


def test_many_streams_run_side_by_side(gateway, upstream):
    upstream.always(sse(*stream_frames(*"abcdef"), pause=0.02))

    async def all_of_them():
        client = gateway.async_openai()

        async def one():
            stream = await client.chat.completions.create(**ask(), stream=True)
            return "".join([part.choices[0].delta.content or "" async for part in stream])

        return await asyncio.gather(*(one() for _ in range(60)))

    began = time.monotonic()
    assert set(asyncio.run(all_of_them())) == {"abcdef"}
    assert time.monotonic() - began < 10
