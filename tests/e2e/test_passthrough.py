"""Same format in and out: the client's bytes go up and the upstream's bytes come down."""

from __future__ import annotations

import json

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.upstream import DONE, USAGE_EVENT, chunk, completion, event, json_reply, raw, sse, stream_frames
from support.waiting import eventually

MODELS = ["acme-large", {"id": "acme-alias", "upstream": "deployment-7/acme"}]


@pytest.fixture(scope="module")
def gateway(upstream):
    with Gateway({"providers": {"acme": provider(upstream, *MODELS)}, "routing": ONE_TRY}) as gateway:
        yield gateway


def inserted(original: bytes, edited: bytes) -> bytes:
    """What one insertion made `edited` of `original`; fails when anything else was changed."""
    start = 0
    while start < len(original) and original[start] == edited[start]:
        start += 1
    tail = len(original) - start
    assert tail == 0 or edited[-tail:] == original[start:], f"more than an insertion:\n{original}\n{edited}"
    return edited[start : len(edited) - tail]


# Requests.

ODD_FIELDS = (
    b'"unknown_field": {"nested" : [1, 2.0, -0.0, 1e5, 1E-7, 12345678901234567890, 0.1000000000000000055511151231257827]},'
    b'\n\t"temperature":1.0, "seed" : 12345678901234567890,"metadata":null, "user":"\\u00e9\\/\\ud83d\\ude00", "stop" : [ ] '
)

EXACT = {
    "plain": b'{"model":"acme-large","messages":[{"role":"user","content":"ping"}]}',
    "odd spacing": b' \r\n\t{ "messages" :[ {"content":"ping" , "role":"user"}],\n"model" : "acme-large" }\n ',
    "unknown fields, numbers, nulls": b'{"model":"acme-large",' + ODD_FIELDS + b',"messages":[{"role":"user","content":"x"}]}',
    "raw line separators": '{"model":"acme-large","messages":[{"role":"user","content":"a\u2028b\u2029c\u0085d"}]}'.encode(),
    "emoji": '{"model":"acme-large","messages":[{"role":"user","content":"🧑‍🚀 日本 é"}]}'.encode(),
    "escaped key": b'{"mod\\u0065l":"acme-large","messages":[{"role":"user","content":"x"}]}',
    "escaped model": b'{"model":"acme\\u002dlarge","messages":[{"role":"user","content":"x"}]}',
    "nulls against absent": b'{"model":"acme-large","tools":null,"max_tokens":null,"messages":[{"role":"assistant","content":null,'
    b'"tool_calls":[]},{"role":"user","content":""}]}',
    "escaped quotes and backslashes": b'{"messages":[{"role":"user","content":"\\"model\\":\\"x\\" \\\\"}],"model":"acme-large"}',
    "a model inside other values": b'{"tools":[{"type":"function","function":{"name":"model","parameters":{"model":"other"}}}],'
    b'"messages":[{"role":"user","content":"x","model":"inner"}],"model":"acme-large","metadata":{"model":"m"}}',
    "stream false": b'{"model":"acme-large","stream":false,"messages":[{"role":"user","content":"x"}]}',
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT.keys())
def test_a_request_goes_up_byte_for_byte(gateway, upstream, body):
    upstream.always(json_reply(completion()))
    assert gateway.chat(body).status == 200
    assert upstream.last.body == body
    assert upstream.last.path == "/v1/chat/completions"
    assert upstream.last.header("content-type").startswith("application/json")


@pytest.mark.parametrize("path, essential", [("completions", "prompt"), ("embeddings", "input")])
def test_the_other_endpoints_go_up_byte_for_byte_too(gateway, upstream, path, essential):
    answer = b'{ "object":"x","unknown" : 1.0,"data":[],"usage":{"prompt_tokens":1,"total_tokens":1} }\n'
    upstream.always(json_reply(answer))
    body = b'{ "model" : "acme-large", "%s":["a", "b"],"odd":1e2 }' % essential.encode()
    reply = gateway.post(f"/v1/{path}", body)
    assert (reply.status, reply.body) == (200, answer)
    assert upstream.last.body == body and upstream.last.path == f"/v1/{path}"


@pytest.mark.parametrize("name, sent_up", [("acme-alias", "deployment-7/acme"), ("acme/acme-large", "acme-large"),
                                           ("acme/acme-alias", "deployment-7/acme"), ("acme/brand-new", "brand-new")])
def test_a_model_is_renamed_in_place_and_nothing_else_moves(gateway, upstream, name, sent_up):
    upstream.always(json_reply(completion()))
    template = b'{ "seed":1.0, "model" : "%s" ,"messages":[{"role":"user","content":"%s"}],"z":null}'
    reply = gateway.chat(template % (name.encode(), name.encode()))
    assert reply.status == 200, reply.body
    assert upstream.last.body == template % (sent_up.encode(), name.encode())


def test_a_large_prompt_goes_up_unchanged(gateway, upstream):
    upstream.always(json_reply(completion()))
    body = json.dumps(ask(text="x\u2028\n🧪" * 450_000), ensure_ascii=False).encode()
    assert len(body) > 4 << 20
    assert gateway.chat(body).status == 200
    assert upstream.last.body == body


def test_a_model_given_twice_is_refused_because_two_readers_might_disagree(gateway, upstream):
    body = b'{"model":"acme-large","model":"acme-alias","messages":[{"role":"user","content":"x"}]}'
    reply = gateway.chat(body)
    assert reply.status == 400 and reply.error()["type"] == "invalid_request_error"
    assert not upstream.requests


def test_only_allowed_headers_go_up(gateway, upstream):
    upstream.always(json_reply(completion()))
    gateway.chat(ask(), [("cookie", "session=1"), ("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"),
                         ("anthropic-beta", "x"), ("x-custom", "1"), ("via", "1.1 x"), ("connection", "x-hop"),
                         ("x-hop", "1"), ("authorization", "Bearer client-credential"), ("x-prism-user-id", "u")])
    names = {name.lower() for name, _ in upstream.last.headers}
    assert not names & {"cookie", "x-forwarded-for", "forwarded", "anthropic-beta", "x-custom", "via", "x-hop",
                        "x-api-key", "authorization", "x-prism-user-id"}, names
    assert upstream.last.header("host") == f"127.0.0.1:{upstream.port}"


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_base_url_is_understood_with_and_without_slash_and_version(upstream, suffix):
    upstream.always(json_reply(completion()))
    with Gateway({"providers": {"acme": provider(upstream, base_url=upstream.origin + suffix)}}) as gateway:
        assert gateway.chat(ask()).status == 200
    assert upstream.last.path == "/v1/chat/completions"


# Whole answers.

ODD_ANSWER = (
    b' {"unknown":{"z":1,"a":[1.0,1e5,12345678901234567890,null]},\r\n"choices" : [ {"index":0,"finish_reason":"stop","message":'
    b'{"content":"\\u0041\xe2\x80\xa8\xf0\x9f\xa7\xaa","role":"assistant","annotations":[]}} ],"usage":{"total_tokens":18,'
    b'"prompt_tokens":11,"completion_tokens":7,"cost":0.00001},"model":"whatever","id":"x","system_fingerprint":null}\n\n'
)


def test_an_answer_comes_down_byte_for_byte(gateway, upstream):
    upstream.script(json_reply(ODD_ANSWER))
    reply = gateway.chat(ask())
    assert reply.status == 200 and reply.body == ODD_ANSWER
    assert reply.header("content-type") == "application/json"
    assert reply.header("content-length") == str(len(ODD_ANSWER))


def test_an_answer_in_chunks_or_until_close_comes_down_byte_for_byte(gateway, upstream):
    half = len(ODD_ANSWER) // 2
    pieces = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (half, ODD_ANSWER[:half], len(ODD_ANSWER) - half, ODD_ANSWER[half:])
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    upstream.script(raw(head + b"transfer-encoding: chunked\r\n\r\n", pieces), raw(head + b"\r\n", ODD_ANSWER))
    assert gateway.chat(ask()).body == ODD_ANSWER
    assert gateway.chat(ask()).body == ODD_ANSWER


def test_a_large_answer_comes_down_unchanged(gateway, upstream):
    answer = completion("🧪\u2028" * 500_000)
    upstream.script(json_reply(json.dumps(answer, ensure_ascii=False).encode()))
    assert gateway.chat(ask()).json() == answer


def test_upstream_headers_do_not_come_down_unasked(gateway, upstream):
    upstream.script(json_reply(completion(), headers=[("set-cookie", "a=b"), ("server", "internal-7"),
                                                      ("x-internal-host", "10.1.2.3")]))
    reply = gateway.chat(ask())
    assert reply.header("set-cookie") is None and reply.header("x-internal-host") is None
    assert b"internal-7" not in reply.raw_head


# Streams.

FRAMES = stream_frames("Hel", "lo 🧑‍🚀", "\u2028é\u0085", usage=True)

STREAMS = {
    "as OpenAI sends it": FRAMES,
    "CRLF": [frame.replace(b"\n", b"\r\n") for frame in FRAMES],
    "no space after data:": [frame.replace(b"data: ", b"data:") for frame in FRAMES],
    "comments and other fields": [b": hello\n\n", b"retry: 3\nid: 7\n", FRAMES[0], b":\n\n: PROCESSING\n\n", *FRAMES[1:]],
    "named events": [b"event: message\n" + frame for frame in FRAMES],
    "no final blank line": [*FRAMES[:-1], b"data: [DONE]"],
    "one newline at the end": [*FRAMES[:-1], b"data: [DONE]\n"],
    "all in one piece": [b"".join(FRAMES)],
    "a line of 3 MiB": [FRAMES[0], event(chunk({"content": "x🧪" * 600_000})), *FRAMES[2:]],
    "unknown fields and numbers": [FRAMES[0], b'data: {"z":1.0,"choices":[{"index":0,"delta":{"content":"a","x":1e5}}],"a":null}\n\n',
                                   *FRAMES[2:]],
    "empty choices first": [event(chunk(prompt_filter_results=[])), *FRAMES],
}


@pytest.mark.parametrize("frames", STREAMS.values(), ids=STREAMS.keys())
def test_a_stream_whose_usage_was_asked_for_comes_down_byte_for_byte(gateway, upstream, frames):
    upstream.script(sse(*frames))
    body = json.dumps(ask(stream=True, stream_options={"include_usage": True})).encode()
    reply = gateway.chat(body)
    assert reply.status == 200
    assert reply.header("content-type").startswith("text/event-stream")
    assert reply.body == b"".join(frames)
    assert upstream.last.body == body, "nothing had to be asked for"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_usage_that_the_client_did_not_ask_for_is_asked_upstream_and_hidden(gateway, upstream, ending):
    frames = [frame.replace(b"\n", ending) for frame in FRAMES]
    upstream.script(sse(*frames))
    body = json.dumps(ask(stream=True)).encode()
    before = gateway.metrics().total("prism_tokens_total")
    reply = gateway.chat(body)
    assert reply.body == b"".join(frame for frame in frames if b'"usage"' not in frame)
    assert b"stream_options" in inserted(body, upstream.last.body)
    assert upstream.last.json() == ask(stream=True, stream_options={"include_usage": True})
    eventually(lambda: gateway.metrics().total("prism_tokens_total") == before + 18, what="the usage to be counted all the same")


@pytest.mark.parametrize("options", [b"{}", b"null", b'{"include_usage":false}', b'{ "include_usage" : null , "x":1.0 }',
                                     b'{"include_obfuscation":false}', b'{"include_usage":false,"include_obfuscation":true}'])
def test_stream_options_are_completed_in_place(gateway, upstream, options):
    upstream.script(sse(*FRAMES))
    template = b'{"model":"acme-large","stream":true,"stream_options":%s,"messages":[{"role":"user","content":"x"}],"z":1.0}'
    reply = gateway.chat(template % options)
    assert USAGE_EVENT not in reply.body and reply.body.endswith(DONE)
    sent = upstream.last.json()
    assert sent["stream_options"] == (json.loads(options) or {}) | {"include_usage": True}
    head, tail = template.split(b"%s")
    assert upstream.last.body.startswith(head) and upstream.last.body.endswith(tail)


@pytest.mark.parametrize("usage", [{"usage": None}, {"usage": None, "x": 1}])
def test_chunks_with_an_empty_usage_are_not_hidden(gateway, upstream, usage):
    """OpenAI sends `usage: null` in every chunk when the usage was asked for."""
    frames = [event(chunk({"content": "a"}) | usage), event(chunk({}, "stop") | usage), USAGE_EVENT, DONE]
    upstream.script(sse(*frames))
    reply = gateway.chat(ask(stream=True))
    assert reply.body == frames[0] + frames[1] + DONE


def test_usage_in_a_chunk_with_content_is_not_hidden(gateway, upstream):
    frames = [event(chunk({"content": "a"}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})), DONE]
    upstream.script(sse(*frames))
    assert gateway.chat(ask(stream=True)).body == b"".join(frames)


SMALL = [event('{"choices":[{"delta":{"content":"é🧪\u2028"}}]}'),
         event('{"choices":[{"delta":{},"finish_reason":"stop"}]}', b"\r\n\r\n"),
         event('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'),
         DONE]


@pytest.mark.parametrize("hide", [False, True], ids=["usage asked for", "usage hidden"])
def test_a_stream_may_be_cut_anywhere_between_two_writes(gateway, upstream, hide):
    """Every cut: inside characters, line ends, field names and the hidden chunk. Two connections share the work."""
    whole = b"".join(SMALL)
    wanted = b"".join(frame for frame in SMALL if b'"usage"' not in frame) if hide else whole
    body = ask(stream=True) if hide else ask(stream=True, stream_options={"include_usage": True})

    async def two_writes(x, cut):
        from asyncio import sleep

        await x.head(200, [("content-type", "text/event-stream"), ("content-length", str(len(whole)))])
        await x.send(whole[:cut])
        await sleep(0.002)
        await x.send(whole[cut:])
        x.keep_alive = True

    cuts = range(1, len(whole))
    upstream.script(*((lambda x, cut=cut: two_writes(x, cut)) for cut in cuts))
    with gateway.connect() as conn:
        for cut in cuts:
            conn.request("POST", "/v1/chat/completions", body)
            assert conn.reply().body == wanted, f"cut at {cut}: {whole[:cut][-20:]!r} | {whole[cut:][:20]!r}"


def test_a_stream_may_arrive_byte_by_byte(gateway, upstream):
    whole = b"".join(SMALL)
    upstream.script(sse(*(whole[i : i + 1] for i in range(len(whole))), pause=0.0005))
    assert gateway.chat(ask(stream=True)).body == b"".join(frame for frame in SMALL if b'"usage"' not in frame)


def test_each_chunk_reaches_the_client_before_the_next_is_sent(gateway, upstream):
    """Nothing waits for more to come."""
    with gateway.open_chat(ask(stream=True)) as conn:
        call = upstream.take()
        call.stream_head()
        frames = stream_frames(*"abc")
        call.chunk(frames[0])
        pieces = conn.pieces(conn.head())
        assert next(pieces) == frames[0]
        for frame in frames[1:]:
            call.chunk(frame)
            assert next(pieces) == frame
        call.end()
        assert list(pieces) == []


def test_connections_are_used_again(gateway, upstream):
    """Keep-alive on both sides, after whole answers and after streams."""
    upstream.script(json_reply(completion()), sse(*FRAMES), json_reply(completion()))
    with gateway.connect() as conn:
        for stream in (False, True, False):
            conn.request("POST", "/v1/chat/completions", ask(stream=stream))
            assert conn.reply().status == 200
