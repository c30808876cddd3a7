"""SIGTERM: readiness turns, running answers finish within the grace, exit 0."""

from __future__ import annotations

import signal
import time

import pytest

from support.gateway import Gateway, ask, provider
from support.http1 import ConnectionEnded, events
from support.upstream import completion, json_reply, stream_frames
from support.waiting import eventually

FRAMES = stream_frames(*"abcd")


def config(upstream, **server) -> dict:
    return {"server": {"shutdown_timeout": "20s"} | server, "providers": {"acme": provider(upstream)}}


def begun(gateway, upstream):
    conn = gateway.open_chat(ask(stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(FRAMES[0])
    pieces = conn.pieces(conn.head())
    assert next(pieces) == FRAMES[0]
    return conn, call, pieces


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_at_once_with_0(upstream, how):
    with Gateway(config(upstream)) as gateway:
        with gateway.connect() as idle:  # a kept-alive connection holds nothing up
            idle.request("GET", "/healthz")
            assert idle.reply().status == 200
            began = time.monotonic()
            gateway.process.send_signal(how)
            assert gateway.process.wait(10) == 0
            assert time.monotonic() - began < 3
            assert idle.is_closed_by_server()


def test_a_running_stream_finishes_and_then_the_exit_code_is_0(upstream):
    with Gateway(config(upstream)) as gateway:
        conn, call, pieces = begun(gateway, upstream)
        gateway.terminate()
        eventually(lambda: "stopping" in gateway.output, what="the signal to be seen")
        for frame in FRAMES[1:]:
            time.sleep(0.05)
            call.chunk(frame)
            assert next(pieces) == frame
        assert gateway.process.poll() is None, "it waits for the stream"
        call.end()
        assert list(pieces) == []
        ended = time.monotonic()
        assert gateway.process.wait(10) == 0
        assert time.monotonic() - ended < 3, "and for nothing else"
        conn.close()


def test_a_whole_answer_that_is_awaited_is_still_given(upstream):
    with Gateway(config(upstream)) as gateway:
        conn = gateway.open_chat(ask())
        call = upstream.take()
        gateway.terminate()
        eventually(lambda: "stopping" in gateway.output, what="the signal to be seen")
        call.run(json_reply(completion()))
        assert conn.reply().status == 200
        assert gateway.process.wait(10) == 0


def test_readiness_turns_503_while_streams_run_and_liveness_does_not(upstream):
    """On a connection that was there before: new ones are not taken any more once the listener has closed."""
    with Gateway(config(upstream, pre_stop="1s")) as gateway:
        _, call, pieces = begun(gateway, upstream)
        assert gateway.get("/readyz").status == 200
        gateway.terminate()
        eventually(lambda: gateway.get("/readyz").status == 503, 3, "readiness to turn")
        assert gateway.get("/livez").status == 200
        assert gateway.get("/readyz").json()["reasons"]
        call.run(lambda x: _rest(x))
        assert b"".join(pieces) == b"".join(FRAMES[1:])
        assert gateway.process.wait(10) == 0


async def _rest(x):
    for frame in FRAMES[1:]:
        await x.chunk(frame)
    await x.end()


def test_before_the_listener_closes_requests_are_still_served(upstream):
    upstream.always(json_reply(completion()))
    with Gateway(config(upstream, pre_stop="1500ms")) as gateway:
        gateway.terminate()
        eventually(lambda: gateway.get("/readyz").status == 503, 2, "readiness to turn")
        assert gateway.chat(ask()).status == 200
        assert gateway.process.wait(10) == 0


def test_new_connections_are_refused_while_streams_finish(upstream):
    with Gateway(config(upstream)) as gateway:
        _, call, pieces = begun(gateway, upstream)
        gateway.terminate()

        def refused():
            try:
                gateway.get("/healthz")
            except (ConnectionError, ConnectionEnded):
                return True

        eventually(refused, what="the listener to close")
        call.run(_rest)
        assert b"".join(pieces) == b"".join(FRAMES[1:])
        assert gateway.process.wait(10) == 0


def test_when_the_grace_is_over_streams_are_cut_and_the_exit_code_is_still_0(upstream):
    with Gateway(config(upstream, shutdown_timeout="700ms")) as gateway:
        conn, call, pieces = begun(gateway, upstream)
        began = time.monotonic()
        gateway.terminate()
        assert gateway.process.wait(10) == 0
        assert 0.5 < time.monotonic() - began < 4
        received = b""
        try:
            for piece in pieces:
                received += piece
        except (ConnectionEnded, ConnectionError):
            pass
        assert b"[DONE]" not in received
        assert all(event.json()["error"] for event in events(received)), "if anything, an error event"
        call.closed_within(time.monotonic())
        conn.close()


def test_a_second_signal_cuts_the_grace_short(upstream):
    with Gateway(config(upstream)) as gateway:
        conn, _, _ = begun(gateway, upstream)
        gateway.terminate()
        eventually(lambda: "stopping" in gateway.output, what="the signal to be seen")
        time.sleep(0.1)
        gateway.terminate()
        assert gateway.process.wait(5) == 0
        conn.close()


def test_the_port_is_free_again_at_once(upstream):
    upstream.always(json_reply(completion()))
    with Gateway(config(upstream)) as gateway:
        assert gateway.chat(ask()).status == 200
        assert gateway.stop() == 0
        gateway.start()
        assert gateway.chat(ask()).status == 200


def test_a_port_in_use_is_said_clearly(upstream):
    with Gateway(config(upstream)) as gateway:
        other = Gateway(config(upstream))
        other._command[other._command.index("--port") + 1] = str(gateway.port)
        with pytest.raises(AssertionError) as raised:
            other.__enter__()
        assert str(gateway.port) in str(raised.value) and "in use" in str(raised.value)
        assert "panicked" not in str(raised.value)
