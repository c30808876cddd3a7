"""Providers that fail in every way there is: the others answer, and nobody is hammered."""

from __future__ import annotations

import asyncio
import time

from support.gateway import Gateway, ask, provider
from support.routing import OK
from support.upstream import Exchange, error_reply, reset_at_once, silence

from .fault import Scale, all_answered, answered, calls, fault, then, upstreams

QUICK = {"connect": "1s", "first_byte": "300ms", "request": "300ms"}


async def loris(x: Exchange) -> None:
    """An answer, a byte at a time."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n" + b" " * 100_000:
        await x.send(bytes([byte]))
        await asyncio.sleep(0.03)


def replaced(scale: Scale, script, most_asked=None) -> tuple[str, bool]:
    """One of two providers fails: everything is answered, and the failing one is asked a few times only."""
    with upstreams(2) as (bad, good):
        bad.always(script)
        good.always(OK)
        providers = {"bad": provider(bad, timeouts=QUICK), "good": provider(good)}
        with Gateway({"providers": providers, "routing": {"circuit_breaker": {"failure_threshold": 5}}}) as gateway:
            replies = calls(gateway, scale.requests)
        asked = len(bad.requests)
        return f"{answered(replies)}, the failing one was asked {asked} times", all_answered(replies) and asked <= (most_asked or 12)


@fault("a provider hangs", "the others answer, the breaker opens")
def hangs(scale: Scale):
    return replaced(scale, silence)


@fault("a provider's code panics", "the others answer, its actor is started anew, the breaker opens")
def panics(scale: Scale):
    with upstreams(1) as (good,):
        good.always(OK)
        targets = [{"provider": "simulator", "model_override": "echo?panic=0"}, {"provider": "good"}]
        routing = {"targets": {"acme-large": targets}, "circuit_breaker": {"failure_threshold": 5}}
        with Gateway({"providers": {"simulator": {"type": "simulator"}, "good": provider(good)}, "routing": routing}, panics=True) as gateway:
            replies = calls(gateway, scale.requests)
            health = {one["name"]: one for one in gateway.get("/v1/providers/health").json()["data"]}
        restarts, breaker = health["simulator"]["restarts"], health["simulator"]["breaker"]["state"]
        sound = all_answered(replies) and restarts >= 1 and breaker == "open"
        return f"{answered(replies)}, {restarts} restarts", sound


@fault("a provider resets connections", "the others answer, the breaker opens")
def resets(scale: Scale):
    return replaced(scale, reset_at_once)


@fault("slow-loris answers", "a trickle is a timeout, the others answer")
def trickles(scale: Scale):
    return replaced(scale, loris)


@fault("a storm of 429", "it is asked until it refuses, then left alone as long as it says")
def storm(scale: Scale):
    return replaced(scale, error_reply(429, headers=[("retry-after", "60")]))


@fault("a provider's name does not resolve", "the others answer, the breaker opens")
def no_name(scale: Scale):
    with upstreams(1) as (good,):
        good.always(OK)
        lost = {"base_url": "http://nowhere.invalid/v1", "models": ["acme-large"], "discover": False}
        with Gateway({"providers": {"lost": lost, "good": provider(good)}}) as gateway:
            replies = calls(gateway, scale.requests)
        return answered(replies), all_answered(replies)


@fault("a partial outage", "one in three fails at one of two: nobody notices, few attempts more")
def partial(scale: Scale):
    with upstreams(2) as (flaky, good):
        flaky.always(then(OK, OK, error_reply(503)))
        good.always(OK)
        with Gateway({"providers": {"flaky": provider(flaky), "good": provider(good)}}) as gateway:
            replies = calls(gateway, scale.requests)
        extra = (len(flaky.requests) + len(good.requests)) / len(replies) - 1
        return f"{answered(replies)}, {extra:.0%} attempts more", all_answered(replies) and extra <= 0.3


@fault("everything fails", "no more attempts than the providers and the retry budget; never 500")
def outage(scale: Scale):
    with upstreams(2) as (one, other):
        for upstream in (one, other):
            upstream.always(error_reply(500))
        with Gateway({"providers": {"one": provider(one), "other": provider(other)}}) as gateway:
            began = time.monotonic()
            replies = calls(gateway, scale.requests)
            took = time.monotonic() - began
        attempts = len(one.requests) + len(other.requests)
        most = 2 * len(replies) + 0.2 * len(replies) + 3 * (1 + took / 10)
        statuses = {timed.reply.status for timed in replies}
        return f"{attempts} attempts for {len(replies)} requests, statuses {sorted(statuses)}", attempts <= most and 500 not in statuses


@fault("an open breaker", "503 with Retry-After at once; back within two pauses, with bounded probes and unbilled looks")
def recovery(scale: Scale):
    with upstreams(1) as (only,):
        only.always(error_reply(500))
        rules = {"failure_threshold": 3, "open_duration": "1s", "half_open_max_requests": 1, "success_threshold": 1}
        routing = {"circuit_breaker": rules, "retry": {"enabled": False}}
        with Gateway({"providers": {"only": provider(only)}, "routing": routing}) as gateway:
            calls(gateway, 3, at_once=1)
            opened, asked = time.monotonic(), len(only.requests)
            resting = gateway.chat(ask())
            only.always(OK)
            while (reply := gateway.chat(ask())).status != 200:
                assert reply.status == 503 and reply.header("retry-after") and time.monotonic() < opened + 30
                time.sleep(0.02)
            took = time.monotonic() - opened
            sound = resting.status == 503 and resting.header("retry-after") and len(only.requests) == asked + 1
            billed = [look for look in only.listings if look.method != "GET"]
            return f"back after {took:.2f} s of a pause of 1 s ± 20 %", bool(sound) and not billed and 0.7 <= took <= 10
