"""Short ways to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import prism

MESSAGES: Any = [{"role": "user", "content": "one two three"}]


def chat(client: prism.Prism, model: str = "simulator/echo", **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=MESSAGES, **more)


async def async_chat(client: prism.AsyncPrism, model: str = "simulator/echo", **more: Any) -> Any:
    return await client.chat.completions.create(model=model, messages=MESSAGES, **more)


def text(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def with_async(url: str, work: Callable[[prism.AsyncPrism], Awaitable[Any]], **settings: Any) -> Any:
    """Does something with an asynchronous client in a loop of its own."""

    async def run() -> Any:
        async with prism.AsyncPrism(base_url=url, **{"max_retries": 0, **settings}) as client:
            return await work(client)

    return asyncio.run(run())
