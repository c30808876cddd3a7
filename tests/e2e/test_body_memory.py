"""All bodies together have a bound in memory: past it requests are refused at once, and nothing is forgotten."""

from __future__ import annotations

import json
import time

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.routing import OK, in_background, slow
from support.upstream import Exchange, completion, json_reply
from support.waiting import eventually

MIB = 1 << 20
MOST = 8 * MIB
ONE = 3 * MIB
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
LARGE = json.dumps(ask(text="x" * ONE)).encode()


@pytest.fixture(scope="module")
def gateway(upstream, second):
    server = {"max_request_body_size": 4 * MIB, "max_body_memory": MOST}
    providers = {"first": provider(upstream, priority=0), "second": provider(second, priority=1)}
    with Gateway({"server": server, "providers": providers, "routing": ONE_TRY}) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_is_given_back(gateway):
    yield
    eventually(lambda: taken(gateway) == 0, what="the memory of the bodies to be given back")


def taken(gateway: Gateway) -> float:
    return gateway.metrics().total("prism_body_memory_bytes")


def is_refused(reply) -> None:
    assert reply.status == 503 and int(reply.header("retry-after")) >= 1
    error = reply.error()
    assert error["code"] == "gateway_full" and "server.max_body_memory" in error["message"]


def test_of_many_large_requests_at_once_those_are_served_that_have_room(gateway, upstream):
    upstream.always(slow(2))
    replies = [future.result() for future in in_background(lambda: gateway.chat(LARGE), 12)]
    refused = [reply for reply in replies if reply.status != 200]
    for reply in refused:
        is_refused(reply)
    assert 1 <= 12 - len(refused) <= MOST // ONE, "the others had no room"
    assert len(upstream.requests) == 12 - len(refused), "nothing of a refused one was sent"
    upstream.always(OK)
    assert gateway.chat(LARGE).status == 200


def test_what_is_announced_and_has_no_room_is_refused_before_it_is_sent(gateway, upstream):
    held = [gateway.open_chat(LARGE) for _ in range(2)]
    calls = [upstream.take() for _ in held]
    assert 2 * ONE <= taken(gateway) <= MOST
    with gateway.connect() as conn:
        conn.send(POST % len(LARGE))
        is_refused(conn.reply())
    with gateway.open_chat(ask()) as small:
        upstream.take().run(OK)
        assert small.reply().status == 200, "what is small needs no room"
    for call in calls:
        call.run(OK)
    assert [conn.reply().status for conn in held] == [200, 200]


def test_who_sends_slowly_holds_little_more_than_was_sent(gateway, upstream):
    upstream.always(OK)
    slow_ones = [gateway.connect() for _ in range(20)]
    for conn in slow_ones:
        conn.send(POST % len(LARGE) + LARGE[:100_000])
    eventually(lambda: taken(gateway) >= 20 * 50_000, what="the beginnings to arrive")
    time.sleep(0.2)
    assert taken(gateway) <= 20 * 256 * 1024
    for conn in slow_ones[:10]:
        conn.close()
    eventually(lambda: taken(gateway) <= MOST - len(LARGE), what="those who left to be forgotten")
    assert gateway.chat(LARGE).status == 200, "the others leave room for a large request"
    for conn in slow_ones[10:]:
        conn.close()


def test_a_large_answer_that_has_no_room_is_a_503_and_nobody_elses_to_repeat(gateway, upstream, second):
    body = json.dumps(completion("y" * ONE)).encode()

    async def held(x: Exchange) -> None:
        await x.head(200, [("content-type", "application/json"), ("content-length", str(len(body)))])
        await x.send(body[:-1])
        await x.gone()

    for _ in range(2):
        upstream.script(held)
    waiting = [gateway.open_chat(ask()) for _ in range(2)]
    eventually(lambda: taken(gateway) >= 2 * ONE - 2 * MIB, what="two answers in memory")
    eventually(lambda: taken(gateway) >= MOST - ONE, what="no room for a third")
    upstream.script(json_reply(body))
    is_refused(gateway.chat(ask()))
    assert len(upstream.requests) == 3 and not second.requests, "another provider's answer would find no room either"
    failed = gateway.metrics().total("prism_attempts_total", provider="first", outcome="failed")
    assert failed == 0, "the provider has answered well"
    for conn in waiting:
        conn.close()
    upstream.always(json_reply(body))
    eventually(lambda: gateway.chat(ask()).status == 200, what="room again")


def test_a_translated_request_needs_room_of_its_own(upstream):
    """The client's body has 3 of the 5 MB, so that there is none for what it would be in Anthropic's format."""
    upstream.always(json_reply({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
                                "content": [{"type": "text", "text": "hello"}], "usage": {"input_tokens": 1, "output_tokens": 1}}))
    claude = {"type": "anthropic", "base_url": upstream.origin, "api_key": "sk-up", "models": ["acme-large"], "discover": False}
    config = {"server": {"max_request_body_size": 4 * MIB, "max_body_memory": 5 * MIB}, "providers": {"claude": claude}}
    with Gateway(config) as gateway:
        is_refused(gateway.chat(LARGE))
        assert not upstream.requests
        assert gateway.chat(ask(text="x" * 2 * MIB)).status == 200
        eventually(lambda: taken(gateway) == 0, what="the memory of both forms to be given back")
        config["server"]["max_body_memory"] = 7 * MIB
        gateway.write(config)
        eventually(lambda: gateway.chat(LARGE).status == 200, what="the reload")


def test_the_process_never_grows_far_beyond_the_bound(gateway, upstream):
    upstream.always(slow(0.05))
    gateway.chat(LARGE)
    before = gateway.memory()
    for _ in range(4):
        replies = [future.result() for future in in_background(lambda: gateway.chat(LARGE), 24)]
        assert {reply.status for reply in replies} <= {200, 503}
    grown = (gateway.memory() - before) / MIB
    # 24 connections have read buffers of 400 KiB each beside it, and freed pages come back with a delay
    assert grown < MOST / MIB + 40, f"{grown:.0f} MiB more"


def test_a_reload_moves_the_bound(upstream):
    upstream.always(OK)
    config = {"server": {"max_request_body_size": 4 * MIB, "max_body_memory": 8 * MIB}, "providers": {"only": provider(upstream)}}
    with Gateway(config) as gateway:
        assert gateway.chat(LARGE).status == 200
        config["server"] |= {"max_request_body_size": 1 * MIB, "max_body_memory": 1 * MIB}
        gateway.write(config)
        eventually(lambda: gateway.chat(LARGE).status == 413, what="the reload")
        upstream.default = None
        with gateway.open_chat(ask(text="x" * (MIB // 2))):
            upstream.take()
            is_refused(gateway.chat(ask(text="x" * (MIB // 4 * 3))))
