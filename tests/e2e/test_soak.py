"""Thousands of requests that end badly leave nothing behind: memory, metric series and places stay as they were."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import Connection, ConnectionEnded
from support.upstream import (
    EVENT_STREAM, Exchange, completion, error_reply, json_reply, raw, reset_at_once, sse, stream_frames,
)
from support.waiting import eventually

MIB = 1 << 20
FRAMES = stream_frames("a" * 500, "b" * 500)
ROUNDS, WARM_UP = 120, 60


async def cut(x: Exchange) -> None:
    await x.head(200, EVENT_STREAM)
    await x.chunk(FRAMES[0])
    x.reset()


async def dripping(x: Exchange) -> None:
    await x.head(200, EVENT_STREAM)
    for frame in FRAMES * 50:
        await x.chunk(frame)
    await x.gone()


# What the provider does, and for which request it does so.
BAD_ANSWERS = {
    "500": error_reply(500), "429": error_reply(429, headers=[("retry-after", "0")]), "401": error_reply(401), "400": error_reply(400),
    "reset": reset_at_once, "garbage": raw(b"\0\1\2 garbage\r\n\r\n"), "no-json": json_reply(b"<html>" * 5000),
    "half-an-answer": raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{"),
    "cut": cut, "dripping": dripping, "large": json_reply(completion("x" * 300_000)), "stream": sse(*FRAMES),
}


@pytest.fixture(scope="module")
def gateway(upstream):
    config = {"server": {"max_request_body_size": MIB}, "routing": ONE_TRY,
              "providers": {"acme": provider(upstream, *BAD_ANSWERS)}}
    with Gateway(config) as gateway:
        yield gateway


async def as_asked(x: Exchange) -> None:
    await BAD_ANSWERS[x.request.json()["model"]](x)


def test_memory_stays_flat_whatever_goes_wrong(gateway, upstream):
    upstream.always(as_asked)
    number = count()

    def leaves(body: dict, after: int) -> None:
        with gateway.open_chat(body) as conn:
            if after:
                conn.exactly(after)

    def one_round(_) -> None:
        for model in BAD_ANSWERS:
            stream = model in ("cut", "dripping", "stream")
            try:
                if model == "dripping":
                    leaves(ask(model, stream=True), after=5000)
                else:
                    gateway.chat(ask(model, text="x" * 20_000, stream=stream))
            except (ConnectionEnded, ConnectionError):
                pass
        assert gateway.chat(ask(f"junk-{next(number)}")).status == 404
        assert gateway.chat(b'{"model": ' + b"[" * 500).status == 400
        assert gateway.get(f"/v1/nothing/{next(number)}").status == 404
        assert gateway.post(f"/v1/chat/completions?n={next(number)}", ask("400"), [("x-prism-metadata", "{")]).status == 400
        leaves(ask("stream", stream=True), after=0)
        with Connection(gateway.port) as conn:
            conn.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                      b"content-length: 900000\r\n\r\n" + b" " * 100_000)
        with Connection(gateway.port) as conn:
            conn.send(b"\0\0 nonsense\r\n\r\n")

    def rounds(number: int) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one_round, range(number)))
        eventually(lambda: gateway.metrics().total("prism_requests_in_flight") == 0, what="all requests to end")

    rounds(WARM_UP)
    series, memory = len(gateway.metrics().samples), [gateway.memory()]
    for _ in range(4):
        rounds(ROUNDS)
        memory.append(gateway.memory())
    grown = [(later - earlier) / MIB for earlier, later in pairwise(memory)]
    assert gateway.metrics().total("prism_body_memory_bytes") == 0
    assert len(gateway.metrics().samples) <= series + 5, "no series for junk"
    # what leaks grows each time; buffers, caches and pages of the program come once
    assert min(grown) < 1, f"{grown} MiB more after each {ROUNDS * (len(BAD_ANSWERS) + 7)} requests"
    assert json.loads(gateway.chat(ask("large")).body)["model"] == "scripted-2026"
