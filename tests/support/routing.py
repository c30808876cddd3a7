"""What the tests of routing share: many requests at once, and scripts for providers that are slow or sometimes fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from .gateway import Gateway, ask
from .http1 import Reply
from .upstream import Exchange, Script, completion, json_reply

OK = json_reply(completion())


def slow(seconds: float, then: Script = OK) -> Script:
    async def script(x: Exchange) -> None:
        await asyncio.sleep(seconds)
        await then(x)

    return script


def by_key(**scripts: Script) -> Script:
    """What a provider does for each of its keys."""

    async def script(x: Exchange) -> None:
        await scripts[x.request.header("authorization").removeprefix("Bearer ")](x)

    return script


def chats(gateway: Gateway, count: int, at_once: int = 1, body: dict | None = None,
          headers: Iterable[tuple[str, str]] = ()) -> list[Reply]:
    """The same request again and again."""
    body, headers = body or ask(), list(headers)
    if at_once == 1:
        return [gateway.chat(body, headers) for _ in range(count)]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: gateway.chat(body, headers), range(count)))


def statuses(replies: list[Reply]) -> Counter:
    return Counter(reply.status for reply in replies)


def answered_by(replies: list[Reply]) -> Counter:
    """How many each provider answered; all were answered."""
    assert {reply.status for reply in replies} == {200}, statuses(replies)
    return Counter(reply.header("x-prism-provider") for reply in replies)


def in_background(call: Callable, count: int) -> list:
    """Futures of as many calls at once."""
    pool = ThreadPoolExecutor(count)
    futures = [pool.submit(call) for _ in range(count)]
    pool.shutdown(wait=False)
    return futures
