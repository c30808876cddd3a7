"""Connect, read, total, idle: each bounds what it says and nothing else."""

from __future__ import annotations

import time

import httpx
import prism
import pytest
from asking import async_chat, chat, text, with_async
from scripted import DONE, Scripted, answer, chunk, stream

SOON = 0.3


def silent(request, peer):
    peer.gone(3)


def dripping(request, peer):
    """Always a byte, never an end."""
    peer.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n")
    peer.send(*[b" "] * 60, pause=0.05)


def stalling(request, peer):
    stream([chunk("a")], end=b" ")(request, peer)
    peer.gone(3)


def took(action) -> float:
    began = time.monotonic()
    with pytest.raises(prism.APITimeoutError):
        action()
    return time.monotonic() - began


TIMEOUTS = {
    "number": SOON,
    "total": prism.Timeout(total=SOON),
    "read": prism.Timeout(total=None, read=SOON),
    "httpx": httpx.Timeout(SOON),
}


@pytest.mark.parametrize("timeout", TIMEOUTS.values(), ids=TIMEOUTS)
def test_silence_ends(timeout):
    with Scripted(silent) as server:
        assert took(lambda: chat(prism.Prism(base_url=server.url, timeout=timeout, max_retries=0))) < 1.5
        assert took(lambda: chat(prism.Prism(base_url=server.url, max_retries=0), timeout=timeout)) < 1.5
        assert took(lambda: with_async(server.url, async_chat, timeout=timeout)) < 1.5


def test_total_bounds_an_answer_that_drips():
    with Scripted(dripping) as server:
        assert took(lambda: chat(prism.Prism(base_url=server.url, timeout=SOON, max_retries=0))) < 1
        assert took(lambda: with_async(server.url, async_chat, timeout=SOON)) < 1


def test_total_bounds_all_retries_together():
    with Scripted(silent) as server:
        patient = prism.Prism(base_url=server.url, max_retries=50, timeout=prism.Timeout(total=1, read=SOON))
        assert 0.8 < took(lambda: chat(patient)) < 1.6
        assert 2 <= len(server.requests) <= 5


def test_idle_ends_a_stream_that_stalls():
    with Scripted(stalling) as server:
        client = prism.Prism(base_url=server.url, timeout=prism.Timeout(total=2, idle=SOON), max_retries=3)
        assert took(lambda: list(chat(client, stream=True))) < 1.5
        assert len(server.requests) == 1  # what was read cannot be unread

    async def drain(client):
        return [each async for each in await async_chat(client, stream=True)]

    with Scripted(stalling) as server:
        assert took(lambda: with_async(server.url, drain, timeout=prism.Timeout(idle=SOON))) < 1.5


def test_total_does_not_end_a_stream_that_flows():
    with Scripted(stream([chunk("a")] * 10 + [DONE], pause=0.1)) as server:
        client = prism.Prism(base_url=server.url, timeout=prism.Timeout(total=0.4, idle=1))
        assert text(chat(client, stream=True)) == "a" * 10

    async def drain(client):
        return [each async for each in await async_chat(client, stream=True)]

    with Scripted(stream([chunk("a")] * 10 + [DONE], pause=0.1)) as server:
        assert len(with_async(server.url, drain, timeout=prism.Timeout(total=0.4, idle=1))) == 10


def test_connect_bounds_a_connection():
    # Reserved for documentation: packets go nowhere, or at once back.
    client = prism.Prism(base_url="http://192.0.2.1", timeout=prism.Timeout(total=20, connect=SOON), max_retries=0)
    began = time.monotonic()
    with pytest.raises(prism.APIConnectionError):
        chat(client)
    assert time.monotonic() - began < 3


def test_the_gateways_stall(client):
    with pytest.raises(prism.APITimeoutError):
        list(chat(client, "simulator/lorem?tokens=9&stall=2", stream=True, timeout=prism.Timeout(total=5, idle=SOON)))


def test_none_waits():
    with Scripted(lambda request, peer: time.sleep(0.3) or answer()(request, peer)) as server:
        assert chat(prism.Prism(base_url=server.url, timeout=None)).id
