"""Logs: one JSON line a request where nobody watches, and nothing private in it."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest

from support.gateway import ONE_TRY, Gateway, ask, binary, clean_environment, provider
from support.http1 import Connection
from support.ports import free_port
from support.upstream import completion, error_reply, json_reply, sse, stream_frames
from support.waiting import eventually

PROMPT = "a very private prompt 8f1c"
ANSWER = "a very private answer 77ab"


@pytest.fixture
def gateway(upstream):
    with Gateway({"providers": {"acme": provider(upstream)}, "routing": ONE_TRY}) as gateway:
        yield gateway


def lines(gateway, *ids) -> list[dict]:
    """The log lines of these requests."""
    return [line for line in map(json.loads, gateway.stdout.splitlines()) if line.get("request_id") in ids]


def test_every_line_is_json_and_a_request_has_exactly_one(gateway, upstream):
    upstream.script(json_reply(completion(ANSWER)), sse(*stream_frames(ANSWER, usage=True)), error_reply(400, f"bad {PROMPT[:0]}"),
                    error_reply(503))
    replies = [gateway.chat(ask(text=PROMPT, stream=stream), [("x-prism-trace-id", "trace-9")]) for stream in (False, True, False, False)]
    replies += [gateway.chat(b"{" + PROMPT.encode()), gateway.chat(ask("nobody-has-it", PROMPT))]
    ids = [reply.header("x-prism-request-id") for reply in replies]
    eventually(lambda: len(lines(gateway, *ids)) >= len(ids), what="the log lines")
    by_id = {one["request_id"]: one for one in lines(gateway, *ids)}
    assert len(lines(gateway, *ids)) == len(ids) == len(by_id)
    assert [by_id[one]["status"] for one in ids] == [200, 200, 400, 503, 400, 404]
    first = by_id[ids[0]]
    assert first["provider"] == "acme" and first["model"] == "acme-large" and first["endpoint"] == "chat.completions"
    assert first["trace_id"] == "trace-9" and first["input_tokens"] == 11 and first["output_tokens"] == 7
    assert "timestamp" in first and first["level"] == "INFO"


def test_no_prompt_and_no_answer_is_logged_at_any_level(upstream):
    upstream.always(json_reply(completion(ANSWER)))
    with Gateway({"providers": {"acme": provider(upstream)}, "logging": {"level": "trace"}}) as gateway:
        gateway.chat(ask(text=PROMPT))
        upstream.always(sse(*stream_frames(ANSWER)))
        gateway.chat(ask(text=PROMPT, stream=True))
        gateway.chat(json.dumps(ask(text=PROMPT)).encode()[:-1])
        gateway.chat({"model": "acme-large", "messages": PROMPT})
        gateway.stop()
        assert PROMPT not in gateway.output and ANSWER not in gateway.output


def test_bodies_are_logged_when_the_operator_asks(upstream):
    upstream.always(json_reply(completion(ANSWER)))
    with Gateway({"providers": {"acme": provider(upstream)}, "logging": {"include_bodies": True}}) as gateway:
        gateway.chat(ask(text=PROMPT))
        eventually(lambda: PROMPT in gateway.output, what="the prompt in the log")


def test_a_line_cannot_be_forged(gateway, upstream):
    upstream.always(json_reply(completion()))
    name = 'x\n{"level":"INFO","request_id":"req_forged"}\r\n\x1b[31m'
    reply = gateway.chat(ask(name))
    eventually(lambda: lines(gateway, reply.header("x-prism-request-id")), what="the log line")
    assert not lines(gateway, "req_forged") and "\x1b" not in gateway.stdout


def test_the_level_can_be_chosen(upstream):
    upstream.always(json_reply(completion()))
    for options in ({"args": ("--log-level", "error")}, {"env": {"PRISM_LOG": "error"}}):
        with Gateway({"providers": {"acme": provider(upstream)}}, **options) as gateway:
            gateway.chat(ask())
            gateway.stop()
            assert gateway.stdout == ""


def test_on_a_terminal_the_log_is_for_people(upstream):
    """A pseudo-terminal for standard output; no configuration file."""
    ours, theirs = pty.openpty()
    port = free_port()
    process = subprocess.Popen([binary(), "--port", str(port)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env=clean_environment())
    os.close(theirs)
    try:
        def ready():
            try:
                with Connection(port) as conn:
                    conn.request("GET", "/readyz")
                    return conn.reply().status == 200
            except OSError:
                return False

        eventually(ready, 20, "the gateway")
        process.terminate()
        assert process.wait(20) == 0
        said = b""
        try:
            while data := os.read(ours, 1 << 16):
                said += data
        except OSError:  # the other end is gone
            pass
        assert str(port).encode() in said, "where it listens"
        assert not any(line.startswith(b"{") for line in said.splitlines()), said
    finally:
        process.kill()
        process.wait()
        os.close(ours)
