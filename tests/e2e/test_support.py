"""The scripted upstream does what the other tests rely on; no gateway is involved."""

import time

import httpx
import pytest

from support.http1 import Connection, ConnectionEnded, events, text_of
from support.metrics import Metrics
from support.upstream import completion, event, json_reply, raw, sse, stream_frames


def connect(upstream):
    return Connection(upstream.port)


def test_the_bytes_of_a_request_are_kept_as_they_came(upstream):
    upstream.always(json_reply(completion()))
    body = b'{ "model" :"m",\n"n":1.0}'
    with connect(upstream) as conn:
        conn.request("POST", "/v1/x", body, [("X-Odd", " Value ")])
        assert conn.reply().json()["choices"][0]["message"]["content"] == "pong"
        conn.send(b"POST /v1/y HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert conn.reply().status == 200
    assert upstream.requests[0].body == body
    assert ("X-Odd", "Value") in upstream.requests[0].headers
    assert upstream.requests[1].body == b"abcde" and upstream.requests[1].path == "/v1/y"


def test_streams_are_sent_frame_by_frame(upstream):
    frames = stream_frames("Hel", "lo")
    upstream.script(sse(*frames))
    with connect(upstream) as conn:
        conn.request("POST", "/v1/x", b"{}")
        reply = conn.head()
        assert list(conn.pieces(reply)) == frames
    assert text_of(b"".join(frames)) == "Hello"
    assert events(event("a\u2028b") + b"event: e\r\ndata: x\r\n\r\n")[1].name == "e"


def test_a_held_request_is_driven_by_the_test_and_sees_the_peer_leave(upstream):
    conn = connect(upstream)
    conn.request("POST", "/v1/x", b"{}")
    call = upstream.take()
    call.stream_head()
    call.chunk(b"data: 1\n\n")
    assert b"data: 1" in conn.until(b"\n\n")
    assert not call.is_closed
    left = time.monotonic()
    conn.close()
    assert call.closed_within(left) < 0.3


def test_a_reset_is_a_reset_and_raw_bytes_are_raw(upstream):
    upstream.script(raw(b"HTTP/1.1 200 OK\r\n\r\n", b"x", reset=True, pause=0.05), raw(b"garbage"))
    with connect(upstream) as conn:
        conn.request("POST", "/v1/x", b"{}")
        with pytest.raises(ConnectionResetError):
            while True:
                conn._more()
    with connect(upstream) as conn:
        conn.request("POST", "/v1/x", b"{}")
        with pytest.raises(ConnectionEnded) as ended:
            conn.head()
        assert ended.value.data == b"garbage"


def test_listings_are_kept_apart_from_requests(upstream):
    upstream.models = ["one", "two"]
    assert [model["id"] for model in httpx.get(f"{upstream.base_url}/models").json()["data"]] == ["one", "two"]
    assert not upstream.requests and len(upstream.listings) == 1


def test_metrics_are_read_with_their_labels():
    metrics = Metrics('# HELP a b\na_total{x="1",y="q\\"{}"} 2\na_total{x="2"} 3\nb 1.5\n')
    assert metrics.total("a_total") == 5 and metrics.total("a_total", x="1") == 2 and metrics.total("b") == 1.5
