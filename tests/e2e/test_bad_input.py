"""Bad input gets a clear answer, costs nothing upstream, and hurts nobody else."""

from __future__ import annotations

import json
import time

import openai
import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import Connection, ConnectionEnded, request_bytes
from support.upstream import completion, error_reply, json_reply

LIMIT = 64 << 10
CHAT = "/v1/chat/completions"
BODY = json.dumps(ask()).encode()
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json"


@pytest.fixture(scope="module")
def gateway(upstream):
    config = {"server": {"max_request_body_size": LIMIT, "header_timeout": "1s", "body_timeout": "1s"},
              "providers": {"acme": provider(upstream, "acme-large", "acme-small", "acme-embed-v3")},
              "routing": ONE_TRY}
    with Gateway(config) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def nothing_is_harmed(gateway, upstream, request):
    """After each test the gateway still answers. What reaches the upstream by mistake is answered, and seen."""
    upstream.always(json_reply(completion()))
    yield
    upstream.reset()
    upstream.always(json_reply(completion()))
    assert gateway.chat(ask()).status == 200
    assert gateway.process.poll() is None and "panicked" not in gateway.output


def message(content) -> bytes:
    return b'{"model":"acme-large","messages":[{"role":"user","content":%s}]}' % content


BROKEN = {
    "empty": b"", "not JSON": b"hello", "half": b'{"model":"acme-large","messages":[', "a list": b"[]", "a string": b'"x"',
    "null": b"null", "a number": b"1", "NaN": b'{"model":"acme-large","messages":[],"n":NaN}', "single quotes": b"{'model':'x'}",
    "trailing comma": b'{"model":"acme-large","messages":[{"role":"user","content":"x"}],}',
    "trailing garbage": json.dumps(ask()).encode() + b"x", "two documents": json.dumps(ask()).encode() * 2,
    "bad UTF-8": message(b'"\xff\xfe"'), "a raw control character": message(b'"a\x01b"'), "a raw newline": message(b'"a\nb"'),
    "bad escape": message(b'"\\x41"'), "deep nesting": b'{"model":"acme-large","messages":' + b"[" * 20_000,
    "UTF-16": json.dumps(ask()).encode("utf-16"), "a NUL": b"\0",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_is_no_json_object_is_a_400(gateway, upstream, body):
    reply = gateway.chat(body)
    assert reply.status == 400
    assert reply.error()["type"] == "invalid_request_error"
    assert not upstream.requests


WRONG = {
    "model missing": ({"messages": ask()["messages"]}, "model"), "model null": (ask(None), "model"), "model a number": (ask(5), "model"),
    "model a list": (ask(["acme-large"]), "model"), "model empty": (ask(""), "model"),
    "messages missing": ({"model": "acme-large"}, "messages"), "messages null": ({"model": "acme-large", "messages": None}, "messages"),
    "messages a string": ({"model": "acme-large", "messages": "hi"}, "messages"),
    "messages an object": ({"model": "acme-large", "messages": {"role": "user"}}, "messages"),
    "stream a string": (ask(stream="yes"), "stream"), "stream a number": (ask(stream=1), "stream"),
    "stream options a list": (ask(stream=True, stream_options=[]), "stream_options"),
    "include_usage a string": (ask(stream=True, stream_options={"include_usage": "yes"}), "stream_options"),
}


@pytest.mark.parametrize("body, field", WRONG.values(), ids=WRONG.keys())
def test_a_field_of_the_wrong_type_is_a_400_that_names_it(gateway, upstream, body, field):
    reply = gateway.chat(body)
    assert reply.status == 400
    error = reply.error()
    assert error["type"] == "invalid_request_error" and error["param"].startswith(field) and field in error["message"]
    assert not upstream.requests


@pytest.mark.parametrize("path, field", [("/v1/completions", "prompt"), ("/v1/embeddings", "input")])
def test_the_other_endpoints_name_what_they_miss(gateway, upstream, path, field):
    reply = gateway.post(path, {"model": "acme-large"})
    assert reply.status == 400 and reply.error()["param"] == field
    assert gateway.post(path, {field: "x"}).error()["param"] == "model"
    assert not upstream.requests


@pytest.mark.parametrize("name, near", [("acme-larg", "acme-large"), ("acme-smal", "acme-small"), ("ACME-large", "acme-large"),
                                        ("acme-embed-v2", "acme-embed-v3")])
def test_an_unknown_model_is_a_404_with_near_matches(gateway, upstream, name, near):
    reply = gateway.chat(ask(name))
    assert reply.status == 404
    error = reply.error()
    assert error["code"] == "model_not_found" and error["param"] == "model"
    assert name in error["message"] and near in error["message"]
    assert not upstream.requests


@pytest.mark.parametrize("name", ["zzz", "x" * 200, "a/b/c/d", "\r\nx-evil: 1", "\u0000", "\U0001f9ea", "../../etc/passwd",
                                  "<script>", "%s%n", "gpt-4o"])
def test_an_unknown_model_of_any_name_is_a_404(gateway, upstream, name):
    reply = gateway.chat(ask(name))
    assert reply.status == 404 and reply.error()["code"] == "model_not_found"
    assert reply.header("x-evil") is None and len(reply.body) < 4000
    assert not upstream.requests


def test_junk_model_names_make_no_metric_series(gateway, upstream):
    def series():
        return len(gateway.metrics().samples)

    upstream.always(error_reply(404, "no such model", code="model_not_found"))
    gateway.chat(ask("junk-first"))
    before = series()
    for i in range(30):
        gateway.chat(ask(f"junk-{i}"))
        gateway.chat(ask(f"acme/junk-{i}" if i % 2 else f"junk/{i}"))
    assert series() <= before + 40, "one series and one histogram for the provider's unlisted models, not one per name"
    assert "junk-17" not in gateway.metrics().text


@pytest.mark.parametrize("method, path", [("GET", "/"), ("POST", "/v1/chat/completion"), ("GET", "/v1"), ("POST", "/v1/nonsense"),
                                          ("GET", "/v1/chat/completions/x"), ("POST", "//v1/chat/completions"),
                                          ("GET", "/v1/../metrics"), ("POST", "/chat/completions/")])
def test_an_unknown_route_is_a_404_that_names_the_routes(gateway, method, path):
    reply = gateway.call(method, path, b"{}" if method == "POST" else None)
    assert reply.status == 404
    assert "/v1/chat/completions" in reply.error()["message"]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages", "/v1/images/generations", "/v1/files"])
def test_a_route_that_is_not_built_yet_is_a_404_that_names_what_exists(gateway, path):
    reply = gateway.post(path, {"model": "acme-large", "input": "x"})
    assert reply.status == 404 and "/v1/chat/completions" in reply.error()["message"]


@pytest.mark.parametrize("method, path, allowed", [("GET", CHAT, "POST"), ("DELETE", CHAT, "POST"), ("POST", "/v1/models", "GET"),
                                                   ("PUT", "/v1/embeddings", "POST"), ("POST", "/healthz", "GET"),
                                                   ("PATCH", "/v1/completions", "POST"), ("DELETE", "/metrics", "GET"),
                                                   ("BREW", CHAT, "POST")])
def test_a_wrong_method_is_a_405_that_says_which_are_right(gateway, method, path, allowed):
    reply = gateway.call(method, path, b"{}")
    assert reply.status == 405 and reply.error()
    assert allowed in [one.strip() for one in reply.header("allow").split(",")]


@pytest.mark.parametrize("headers", [[("x-prism-session-id", "x" * 256)], [("x-prism-metadata", "{no json")],
                                     [("x-prism-metadata", "[1]")], [("x-prism-metadata", '{"a":{"b":1}}')],
                                     [("x-agentcc-session-id", "x" * 256)]])
def test_a_prism_header_that_makes_no_sense_is_a_400(gateway, upstream, headers):
    reply = gateway.chat(ask(), headers)
    assert reply.status == 400 and headers[0][0].split("-", 2)[2] in reply.error()["message"]
    assert not upstream.requests


def test_deep_nesting_harms_nobody(gateway):
    """It may be refused or passed on; it is legal JSON."""
    assert gateway.chat(message(b"[" * 20_000 + b"]" * 20_000)).status in (200, 400)


def test_a_model_name_of_5000_letters_is_refused_in_few_words(gateway, upstream):
    reply = gateway.chat(ask("x" * 5000))
    assert reply.status in (400, 404) and reply.error()["param"] == "model" and len(reply.body) < 4000
    assert not upstream.requests


@pytest.mark.parametrize("content", [b'"\\ud800"', b'"\\u0000"', b'""', b"null", b'[{"type":"text","text":"x"}]', b'"\\ufffe"'])
def test_odd_but_legal_json_is_not_our_business(gateway, upstream, content):
    upstream.always(json_reply(completion()))
    reply = gateway.chat(message(content))
    assert reply.status == 200, reply.body
    assert upstream.last.body == message(content)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None])
def test_only_json_is_read_because_a_web_page_may_send_anything_else_unasked(gateway, upstream, kind):
    with gateway.connect() as conn:
        conn.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n" % len(BODY)
                  + (f"content-type: {kind}\r\n" if kind else "").encode() + b"\r\n" + BODY)
        reply = conn.reply()
    assert reply.status == 415 and "application/json" in reply.error()["message"]
    assert not upstream.requests


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.acme+json"])
def test_json_by_any_of_its_names_is_read(gateway, upstream, kind):
    upstream.always(json_reply(completion()))
    with gateway.connect() as conn:
        conn.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\ncontent-type: %s\r\n\r\n"
                  % (len(BODY), kind.encode()) + BODY)
        assert conn.reply().status == 200


# Sizes.

def test_a_body_over_the_limit_is_a_413_before_it_is_sent(gateway):
    with gateway.connect() as conn:
        conn.send(POST + b"\r\ncontent-length: %d\r\n\r\n" % (LIMIT + 1))
        reply = conn.reply()
        assert reply.status == 413 and str(LIMIT) in reply.error()["message"]


def test_a_body_over_the_limit_that_is_sent_anyway_still_reads_its_413(gateway, upstream):
    """An early answer with a body still on its way must not be lost in a reset."""
    reply = gateway.chat(json.dumps(ask(text="x" * (2 << 20))).encode())
    assert reply.status == 413 and reply.error()
    assert not upstream.requests


def test_a_chunked_body_over_the_limit_is_a_413(gateway, upstream):
    with gateway.connect() as conn:
        conn.send(POST + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(9):
            conn.send(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        assert conn.reply().status == 413
    assert not upstream.requests


def test_a_body_at_the_limit_passes(gateway, upstream):
    upstream.always(json_reply(completion()))
    body = json.dumps(ask()).encode()
    body += b" " * (LIMIT - len(body))
    assert gateway.chat(body).status == 200 and upstream.last.body == body


def test_the_rest_of_a_refused_body_is_never_taken_for_a_request(gateway, upstream):
    inner = request_bytes("POST", CHAT, ask())
    with gateway.connect(timeout=5) as conn:
        conn.send(f"POST /v1/nonsense HTTP/1.1\r\nhost: x\r\ncontent-length: {len(inner)}\r\n\r\n".encode() + inner)
        assert conn.reply().status == 404
        conn.sock.settimeout(1)
        try:
            assert conn.rest() == b""
        except TimeoutError:
            pass
    assert not upstream.requests


# Time.

def test_slow_headers_are_cut_off(gateway):
    with gateway.connect(timeout=8) as conn:
        began = time.monotonic()
        conn.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ")
        received = conn.rest()
        took = time.monotonic() - began
    assert 0.8 <= took < 5, took
    assert received == b"" or received.startswith(b"HTTP/1.1 408"), received


def test_headers_that_drip_are_cut_off_too(gateway):
    with gateway.connect(timeout=8) as conn:
        conn.send(b"GET /healthz HTTP/1.1\r\n")
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 6:
                conn.send(b"x: y\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < 5


def test_an_idle_connection_is_kept_longer_than_a_slow_head(gateway):
    with gateway.connect(timeout=8) as conn:
        for _ in range(2):
            conn.request("GET", "/healthz")
            assert conn.reply().status == 200
            time.sleep(1.6)
        began = time.monotonic()
        conn.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        assert conn.is_closed_by_server()
        assert 0.8 <= time.monotonic() - began < 5


def test_an_idle_connection_is_closed_in_the_end(upstream):
    config = {"server": {"idle_timeout": "500ms"}, "providers": {"acme": provider(upstream)}}
    with Gateway(config) as gateway, gateway.connect(timeout=8) as conn:
        conn.request("GET", "/healthz")
        assert conn.reply().status == 200
        began = time.monotonic()
        assert conn.is_closed_by_server()
        assert 0.3 <= time.monotonic() - began < 5


def test_who_is_refused_while_sending_much_reads_why(upstream):
    """The rest of the body is read and thrown away: a reset would take the answer with it."""
    upstream.always(json_reply(completion()))
    keys = {"keys": [{"name": "app", "key": "k"}]}
    with Gateway({"server": {"max_request_body_size": LIMIT}, "auth": keys, "providers": {"acme": provider(upstream)}}) as gateway:
        large = json.dumps(ask(text="x" * (24 << 20))).encode()
        with gateway.connect() as conn:
            conn.request("POST", CHAT, large)
            assert conn.reply().status == 401
            conn.request("POST", CHAT, large, [("authorization", "Bearer k")])
            assert conn.reply().status == 413
            conn.request("POST", CHAT, ask(), [("authorization", "Bearer k")])
            assert conn.reply().status == 200, "on the same connection, which is as good as before"


@pytest.mark.parametrize("framing", [b"content-length: 500", b"transfer-encoding: chunked"], ids=["length", "chunked"])
def test_a_slow_body_is_a_408(gateway, upstream, framing):
    with gateway.connect(timeout=8) as conn:
        began = time.monotonic()
        conn.send(POST + b"\r\n" + framing + b"\r\n\r\n"
                  + (b"5\r\n" if b"chunked" in framing else b"") + b'{"mod')
        reply = conn.reply()
        took = time.monotonic() - began
        assert reply.status == 408 and reply.error(), reply
        assert 0.8 <= took < 5, took
        assert conn.is_closed_by_server()
    assert not upstream.requests


def test_slow_clients_hold_up_nobody(gateway, upstream):
    upstream.always(json_reply(completion()))
    slow = [gateway.connect() for _ in range(40)]
    for conn in slow:
        conn.send(POST + b"\r\ncontent-length: 500\r\n\r\n{")
    began = time.monotonic()
    assert gateway.chat(ask()).status == 200
    assert time.monotonic() - began < 1
    for conn in slow:
        conn.close()


def test_a_client_that_leaves_in_its_body_leaves_nothing_behind(gateway, upstream):
    for _ in range(5):
        with gateway.connect() as conn:
            conn.send(POST + b"\r\ncontent-length: 500\r\n\r\n{")
    assert not upstream.requests


# Framing. What is ambiguous is refused, and the connection with it.

def test_a_chunked_request_is_read_whole(gateway, upstream):
    upstream.always(json_reply(completion()))
    with gateway.connect() as conn:
        conn.send(POST + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        for i in range(len(BODY)):
            conn.send(b"1;ext=1\r\n" + BODY[i : i + 1] + b"\r\n")
        conn.send(b"0\r\ntrailer: x\r\n\r\n")
        assert conn.reply().status == 200
    assert upstream.last.body == BODY


def test_expect_100_continue_is_answered(gateway, upstream):
    upstream.always(json_reply(completion()))
    with gateway.connect(timeout=5) as conn:
        conn.send(POST + b"\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(BODY))
        assert conn.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        conn.send(BODY)
        assert conn.reply().status == 200


def test_http_1_0_is_answered(gateway):
    with gateway.connect() as conn:
        conn.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert conn.rest().startswith(b"HTTP/1.0 200")


SMUGGLED = request_bytes("POST", CHAT, ask("acme-small"))


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    return b"\r\n".join([POST, *headers]) + b"\r\n\r\n" + body


LENGTH = b"content-length: %d" % len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
AMBIGUOUS = {
    "length and chunked": post(LENGTH, b"transfer-encoding: chunked", body=CHUNKED),
    "chunked and length": post(b"transfer-encoding: chunked", b"content-length: 4", body=CHUNKED),
    "chunked and length, a request behind": post(b"transfer-encoding: chunked", LENGTH, body=CHUNKED + SMUGGLED),
    "nothing in chunks and length": post(LENGTH, b"transfer-encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "two lengths": post(LENGTH, b"content-length: 3"), "two lengths in one": post(b"content-length: %d, 3" % len(BODY)),
    "a length with a sign": post(b"content-length: +%d" % len(BODY)), "a negative length": post(b"content-length: -1"),
    "a length in words": post(b"content-length: many"), "a length beyond 64 bits": post(b"content-length: 99999999999999999999999"),
    "chunked twice": post(b"transfer-encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "chunked not last": post(b"transfer-encoding: chunked, identity", body=b"0\r\n\r\n"),
    "an unknown coding": post(b"transfer-encoding: xchunked", body=b"0\r\n\r\n"),
    "a space before the colon": post(b"transfer-encoding : chunked", LENGTH),
    "obs-fold": post(b"transfer-encoding:\r\n chunked", body=b"0\r\n\r\n"), "obs-fold in another": post(LENGTH, b"x-a: b\r\n\tc"),
    "a NUL in a value": post(LENGTH, b"x-a: b\0c"), "a bare CR in a value": post(LENGTH, b"x-a: b\rc: d"),
    "a space in a name": post(LENGTH, b"x a: b"), "no colon": post(LENGTH, b"nonsense"),
    "a bad chunk size": post(b"transfer-encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": post(b"transfer-encoding: chunked", body=b"fffffffffffffffff\r\n{}\r\n"),
    "a chunk longer than it says": post(b"transfer-encoding: chunked", body=b"1\r\n{}\r\n0\r\n\r\n"),
    "no request line": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "an unknown version": b"GET /healthz HTTP/3.7\r\n\r\n",
    "a space in the path": b"GET /health z HTTP/1.1\r\nhost: x\r\n\r\n", "a control character in the path": b"GET /\x01 HTTP/1.1\r\nhost: x\r\n\r\n",
    "headers without end": post(LENGTH, *[b"x-%d: y" % i for i in range(500)]), "a huge header": post(LENGTH, b"x-a: " + b"y" * (1 << 20)),
    "a huge path": b"GET /" + b"x" * (1 << 20) + b" HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_ambiguous_or_broken_framing_is_refused_and_the_connection_closed(gateway, upstream, data):
    """The HTTP library answers before there is a request, and its answer is ours all the same."""
    with gateway.connect(timeout=8) as conn:
        try:
            conn.send(data)
            reply = conn.reply()
        except (ConnectionResetError, BrokenPipeError):
            pass  # refused while the client was still writing
        except ConnectionEnded as ended:
            assert ended.data == b""
        else:
            assert reply.status in (400, 408, 413, 414, 431, 501, 505), reply
            assert reply.error() and reply.header("x-prism-request-id")
            assert conn.is_closed_by_server()
    assert not upstream.requests


@pytest.mark.parametrize("name", ["length and chunked", "two lengths"])
def test_contradicting_lengths_get_a_clear_answer(gateway, name):
    with gateway.connect(timeout=8) as conn:
        conn.send(AMBIGUOUS[name])
        assert conn.reply().status == 400


def test_bare_line_feeds_smuggle_nothing(gateway, upstream):
    """A lone LF may end a line or be refused; either way this is one request."""
    upstream.always(json_reply(completion()))
    with gateway.connect(timeout=5) as conn:
        conn.send(POST.replace(b"\r", b"") + b"\nconnection: close\ncontent-length: %d\n\n" % len(BODY) + BODY)
        assert conn.reply().status in (200, 400)
        assert conn.is_closed_by_server()
    assert len(upstream.requests) <= 1


@pytest.mark.parametrize("value", [b"\xff\xfe", "é".encode(), b"a\tb", b"{}' or 1=1", b"%0d%0aX-Evil: 1", b"\\r\\nx-evil: 1"])
def test_odd_header_values_inject_nothing(gateway, upstream, value):
    upstream.always(json_reply(completion()))
    with gateway.connect(timeout=5) as conn:
        conn.send(post(LENGTH, b"x-prism-trace-id: " + value, b"x-prism-session-id: " + value))
        reply = conn.reply()
    assert reply.status in (200, 400) and reply.header("x-evil") is None
    for sent in upstream.requests:
        assert "x-evil" not in dict(sent.headers)


def test_requests_may_be_pipelined(gateway, upstream):
    upstream.always(json_reply(completion()))
    with gateway.connect() as conn:
        conn.send(request_bytes("POST", CHAT, ask()) * 3 + request_bytes("GET", "/healthz"))
        assert [conn.reply().status for _ in range(4)] == [200] * 4
    assert len(upstream.requests) == 3


# What the SDK makes of it.

TYPED = [(400, openai.BadRequestError, 400), (404, openai.NotFoundError, 404), (409, openai.ConflictError, 409),
         (422, openai.UnprocessableEntityError, 422), (429, openai.RateLimitError, 429), (500, openai.InternalServerError, 502),
         (503, openai.InternalServerError, 503), (529, openai.InternalServerError, 503), (401, openai.InternalServerError, 502),
         (403, openai.InternalServerError, 502), (418, openai.APIStatusError, None), (302, openai.InternalServerError, 502),
         (402, openai.APIStatusError, None), (204, openai.InternalServerError, 502)]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status, kind, shown", TYPED, ids=[str(status) for status, *_ in TYPED])
def test_upstream_errors_become_the_sdks_typed_exceptions(gateway, upstream, status, kind, shown, stream):
    headers = [("retry-after", "3")] if status == 429 else [("location", "http://10.0.0.1/")] if status == 302 else []
    script = error_reply(status, "because", headers, code="some_code")
    upstream.always(script)
    with pytest.raises(kind) as raised:
        # a model of its own: a quota that is used up is remembered
        list(gateway.openai().chat.completions.create(**ask(f"acme/m-{status}-{stream}"), stream=stream))
    error = raised.value
    assert shown in (None, error.status_code) and error.status_code != 500
    assert error.body["message"] and error.type
    assert error.response.headers["x-prism-request-id"].startswith("req_")
    if status == 429:
        assert 1 <= int(error.response.headers["retry-after"]) <= 3


def test_our_own_refusals_are_typed_too(gateway):
    client = gateway.openai()
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(**ask("acme-larg"))
    assert raised.value.code == "model_not_found" and raised.value.param == "model"
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="acme-large", messages="hi")
    assert raised.value.param == "messages"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nothing/like/that")


@pytest.mark.parametrize("path", [CHAT, "/v1/nonsense", "/v1/models/none"])
def test_every_refusal_carries_an_id(gateway, path):
    reply = gateway.call("POST" if "chat" in path else "GET", path, b"{" if "chat" in path else None)
    assert reply.header("x-prism-request-id").startswith("req_")
    assert reply.error()


def test_the_default_limit_takes_what_agents_send(upstream):
    upstream.always(json_reply(completion()))
    with Gateway({"providers": {"acme": provider(upstream)}}) as gateway:
        assert gateway.chat(json.dumps(ask(text="x" * (30 << 20))).encode(), timeout=50).status == 200
        with Connection(gateway.port) as conn:
            conn.send(POST + b"\r\ncontent-length: %d\r\n\r\n" % ((32 << 20) + 1))
            assert conn.reply().status == 413
