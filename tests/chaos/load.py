"""More than there is room for: bounds hold, and what was admitted does not suffer."""

from __future__ import annotations

import time

from support.gateway import Gateway, ask, provider
from support.http1 import Connection, request_bytes
from support.routing import OK, slow
from support.upstream import EVENT_STREAM, Exchange, chunk, event, sse, stream_frames
from support.waiting import eventually

from .fault import Gate, Scale, Streams, calls, fault, quantile, timed, upstreams

ROOM = 8
AT_ONCE = 0.005  # seconds
MIB = 1 << 20


@fault("ten times the load", "beyond the bound 503 with Retry-After; who is admitted waits no longer")
def overload(scale: Scale):
    with upstreams(1) as (only,):
        only.always(slow(0.2))
        with Gateway({"server": {"max_in_flight": ROOM}, "providers": {"only": provider(only)}}) as gateway:
            alone = [one.seconds for one in calls(gateway, 4 * ROOM, at_once=ROOM // 2)]
            crowd = calls(gateway, scale.requests * 2, at_once=10 * ROOM)
        refused = [one for one in crowd if one.reply.status != 200]
        admitted = [one.seconds for one in crowd if one.reply.status == 200]
        sound = all(one.reply.status in (429, 503) and one.reply.header("retry-after") for one in refused)
        ratio = quantile(admitted, 0.5) / quantile(alone, 0.5)
        figure = f"{len(refused)} of {len(crowd)} refused, admitted p50 × {ratio:.2f}"
        lost = len(only.requests) != len(admitted) + len(alone)
        return figure, bool(refused) and sound and not lost and ratio <= (1.25 if scale.strict else 6)


@fault("refusals beside running answers", "99 of 100 within 5 ms, or of /healthz on the same connection at that moment")
def refusals(scale: Scale):
    """The door is full of streams that run. One client asks in turn for what is refused and for what never is."""
    with upstreams(1) as (only,):
        only.always(sse(*stream_frames(*"x" * 100_000), pause=0.02))
        with Gateway({"server": {"max_in_flight": ROOM}, "providers": {"only": provider(only)}}) as gateway:
            streams = [gateway.open_chat(ask(stream=True)) for _ in range(ROOM)]
            eventually(lambda: len(only.requests) == ROOM, what="the door to be full")
            refused, trivial = [], []
            with gateway.connect() as conn:
                for _ in range(5 * scale.requests):
                    refused.append(moment(conn, "POST", "/v1/chat/completions", ask(), expected=503))
                    trivial.append(moment(conn, "GET", "/healthz", None, expected=200))
            for stream in streams:
                stream.close()
        p50, p99, least = quantile(refused, 0.5), quantile(refused, 0.99), quantile(trivial, 0.99)
        # what a busy machine delays it delays on both sides alike
        late = sum(one - other > AT_ONCE for one, other in zip(refused, trivial))
        noise = sum(other - one > AT_ONCE for one, other in zip(refused, trivial))
        figure = (f"{len(refused)} refused, p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms (/healthz {least * 1e3:.2f} ms), "
                  f"{late} more than 5 ms later than it, {noise} sooner")
        return figure, p99 <= AT_ONCE or late <= 0.01 * len(refused) + 2 * noise


def moment(conn: Connection, method: str, path: str, body: dict | None, expected: int) -> float:
    """Seconds until the whole answer is there."""
    began = time.perf_counter()
    conn.request(method, path, body)
    reply = conn.reply()
    took = time.perf_counter() - began
    assert reply.status == expected and (expected != 503 or reply.header("retry-after")), reply
    return took


@fault("many large bodies", "those that have room are answered, the others get 503 at once, memory stays within its bound")
def large_bodies(scale: Scale):
    """Some clients send a whole body at a time, others a part of one and no more."""
    body = ask(text="x" * (4 * MIB))
    with upstreams(1) as (only,):
        only.always(slow(0.1))
        config = {"server": {"max_body_memory": 64 * MIB}, "providers": {"only": provider(only)}}
        with Gateway(config) as gateway:
            timed(gateway, body)
            empty = gateway.memory()
            part = request_bytes("POST", "/v1/chat/completions", body)[: 200_000]
            slow_ones = [gateway.connect() for _ in range(50)]
            for conn in slow_ones:
                conn.send(part)
            replies = calls(gateway, scale.large_bodies, at_once=24, body=body)
            grown = (gateway.memory() - empty) / MIB
            for conn in slow_ones:
                conn.close()
            eventually(lambda: not gateway.metrics().total("prism_body_memory_bytes"), what="the memory to be given back")
        served = sum(one.reply.status == 200 for one in replies)
        refused = [one.reply for one in replies if one.reply.status != 200]
        sound = all(reply.status == 503 and reply.header("retry-after") for reply in refused)
        figure = f"{served} answered and {len(refused)} refused of {len(replies)}, {grown:.0f} MiB more for 64 MiB of bodies"
        return figure, sound and served > 0 and grown < 160


@fault("idle streams", "they cost little memory, and others do not feel them")
def idle(scale: Scale):
    with upstreams(2) as (held, quick):
        quick.always(OK)
        gate = Gate(held)
        held.always(gate.script)
        providers = {"held": provider(held), "quick": provider(quick, "c")}
        with Gateway({"providers": providers}) as gateway:
            before = [timed(gateway, ask("c")).seconds for _ in range(40)]
            empty = gateway.memory()
            with Streams(gateway.port, scale.idle_streams) as streams:
                each = (gateway.memory() - empty) / 1024 / streams.count
                beside = [timed(gateway, ask("c")).seconds for _ in range(40)]
                gate.open()
            ratio = quantile(beside, 0.5) / quantile(before, 0.5)
            figure = f"{streams.whole} of {streams.count} ended whole, {each:.0f} KiB each, others' p50 × {ratio:.2f}"
            return figure, streams.whole == streams.count and each < 400 and ratio < 4


@fault("a client that does not read", "only its own upstream waits for it, in bounded memory")
def slow_reader(scale: Scale):
    sent = [0]

    async def endless(x: Exchange) -> None:
        await x.head(200, EVENT_STREAM)
        frame = event(chunk({"content": "x" * 16_000}))
        while True:
            await x.chunk(frame)
            sent[0] += len(frame)

    with upstreams(2) as (endless_one, quick):
        endless_one.always(endless)
        quick.always(OK)
        with Gateway({"providers": {"endless": provider(endless_one), "quick": provider(quick, "c")}}) as gateway:
            client = gateway.open_chat(ask(stream=True), receive_buffer=1 << 14)
            client.head()
            eventually(lambda: sent[0], what="the stream to begin")

            def stalled():
                before = sent[0]
                time.sleep(0.5)
                return sent[0] == before

            eventually(stalled, 30, "the provider to be held back")
            others = calls(gateway, scale.requests, body=ask("c"))
            still = stalled()
            resident = gateway.memory()
            client.close()
            sound = all(one.reply.status == 200 for one in others)
            figure = f"held back after {sent[0] / 1e6:.1f} MB, the gateway at {resident / 1048576:.0f} MiB, others answered: {sound}"
            return figure, sound and still and sent[0] < 64e6
