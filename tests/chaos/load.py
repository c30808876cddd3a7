"""More than there is room for: bounds hold, and what was admitted does not suffer."""

from __future__ import annotations

import time
from pathlib import Path

from support.gateway import Gateway, ask, provider
from support.routing import OK, slow
from support.upstream import EVENT_STREAM, Exchange, chunk, event
from support.waiting import eventually

from .fault import Gate, Scale, Streams, calls, fault, quantile, timed, upstreams

ROOM = 8


@fault("ten times the load", "beyond the bound 503 with Retry-After at once; who is admitted waits no longer")
def overload(scale: Scale):
    with upstreams(1) as (only,):
        only.always(slow(0.2))
        with Gateway({"server": {"max_in_flight": ROOM}, "providers": {"only": provider(only)}}) as gateway:
            alone = [one.seconds for one in calls(gateway, 2 * ROOM, at_once=ROOM // 2)]
            crowd = calls(gateway, scale.requests * 2, at_once=10 * ROOM)
        refused = [one for one in crowd if one.reply.status != 200]
        admitted = [one.seconds for one in crowd if one.reply.status == 200]
        sound = all(one.reply.status in (429, 503) and one.reply.header("retry-after") for one in refused)
        own = [int(one.reply.header("x-prism-latency-ms")) for one in refused]
        ratio = quantile(admitted, 0.5) / quantile(alone, 0.5)
        at_once = sum(ms < 5 for ms in own) / max(len(own), 1)
        figure = f"{len(refused)} of {len(crowd)} refused, {at_once:.1%} within 5 ms; admitted p50 × {ratio:.2f}"
        return figure, bool(refused) and sound and at_once > 0.9 and len(only.requests) == len(admitted) + len(alone)


def memory(gateway: Gateway) -> int:
    """Resident, in KiB."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@fault("idle streams", "they cost little memory, and others do not feel them")
def idle(scale: Scale):
    with upstreams(2) as (held, quick):
        quick.always(OK)
        gate = Gate(held)
        held.always(gate.script)
        providers = {"held": provider(held), "quick": provider(quick, "c")}
        with Gateway({"providers": providers}) as gateway:
            before = [timed(gateway, ask("c")).seconds for _ in range(40)]
            empty = memory(gateway)
            with Streams(gateway.port, scale.idle_streams) as streams:
                each = (memory(gateway) - empty) / streams.count
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
            grown = memory(gateway)
            client.close()
            sound = all(one.reply.status == 200 for one in others)
            figure = f"held back after {sent[0] / 1e6:.1f} MB, the gateway at {grown / 1024:.0f} MiB, others answered: {sound}"
            return figure, sound and still and sent[0] < 64e6
