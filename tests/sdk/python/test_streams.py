"""Streams that end well, are cut, err, stall, and are left."""

from __future__ import annotations

import asyncio
import gc
import threading

import prism
import pytest
from asking import async_chat, chat, text, with_async
from scripted import DONE, STREAM_HEAD, Scripted, chunk, framed, stream


def client_of(server: Scripted, **settings) -> prism.Prism:
    return prism.Prism(base_url=server.url, max_retries=0, **settings)


async def drain(client):
    return [each async for each in await async_chat(client, stream=True)]


def test_nothing_after_done_is_read():
    with Scripted(stream([chunk("a"), DONE, chunk("b")])) as server:
        assert text(chat(client_of(server), stream=True)) == "a"


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b""], ids=["clean", "broken"])
def test_a_cut_stream_raises_after_what_came(end):
    with Scripted(stream([chunk("a"), chunk("b")], end=end)) as server:
        seen = []
        with pytest.raises(prism.APIConnectionError):
            for each in chat(client_of(server), stream=True):
                seen.append(each)
        assert text(seen) == "ab" and len(server.requests) == 1
        with pytest.raises(prism.APIConnectionError):
            with_async(server.url, drain)


@pytest.mark.parametrize(
    "event",
    [
        'data: {"error": {"message": "died", "type": "upstream", "code": "cut"}}\n\n',
        'event: error\ndata: {"error": {"message": "died", "type": "upstream", "code": "cut"}}\n\n',
    ],
)
def test_an_error_event_is_an_error(event):
    with Scripted(stream([chunk("a"), event, DONE])) as server:
        with pytest.raises(prism.APIError, match="died") as caught:
            list(chat(client_of(server), stream=True))
        assert (caught.value.type, caught.value.code) == ("upstream", "cut")
        with pytest.raises(prism.APIError, match="died"):
            with_async(server.url, drain)


def test_the_word_error_in_a_text_is_none():
    with Scripted(stream([chunk('the "error" is mine'), DONE])) as server:
        assert text(chat(client_of(server), stream=True)) == 'the "error" is mine'


@pytest.mark.parametrize("fault", ["cut=2", "reset=2", "error=2"])
def test_the_gateways_broken_streams(client, gateway, fault):
    seen = []
    with pytest.raises(prism.APIError):
        for each in chat(client, f"simulator/lorem?tokens=20&{fault}", stream=True):
            seen.append(each)
    assert seen
    with pytest.raises(prism.APIError):
        with_async(gateway.url, lambda c: drain_model(c, f"simulator/lorem?tokens=20&{fault}"))


async def drain_model(client, model):
    return [each async for each in await async_chat(client, model, stream=True)]


def endless(left: threading.Event):
    def script(request, peer):
        peer.send(STREAM_HEAD, framed(chunk("a").encode()))
        if peer.gone():
            left.set()

    return script


def leave_by_break(client):
    for _ in chat(client, stream=True):
        break


def leave_by_close(client):
    stream = chat(client, stream=True)
    next(stream)
    stream.close()
    assert list(stream) == []


def leave_by_with(client):
    with chat(client, stream=True) as stream:
        next(stream)


def leave_by_error(client):
    with pytest.raises(ZeroDivisionError), chat(client, stream=True) as stream:
        for _ in stream:
            1 / 0


def leave_unread(client):
    with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True):
        pass


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_close, leave_by_with, leave_by_error, leave_unread])
def test_leaving_closes_the_connection(leave):
    left = threading.Event()
    with Scripted(endless(left)) as server:
        client = client_of(server)
        leave(client)
        gc.collect()
        assert left.wait(3)


async def async_break(client):
    async for _ in await async_chat(client, stream=True):
        break
    gc.collect()
    await asyncio.sleep(0.05)


async def async_with(client):
    async with await async_chat(client, stream=True) as stream:
        await stream.__anext__()


async def cancelled_while_reading(client):
    async def read():
        async for _ in await async_chat(client, stream=True):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_by_a_timeout(client):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(drain(client), 0.2)


@pytest.mark.parametrize("leave", [async_break, async_with, cancelled_while_reading, cancelled_by_a_timeout])
def test_leaving_closes_the_connection_async(leave):
    left = threading.Event()
    with Scripted(endless(left)) as server:

        async def run():
            client = prism.AsyncPrism(base_url=server.url)
            await leave(client)
            assert await asyncio.to_thread(left.wait, 3)
            await client.close()

        asyncio.run(run())


def test_cancelling_a_whole_answer_closes_the_connection():
    left = threading.Event()

    def silent(request, peer):
        if peer.gone():
            left.set()

    async def run(client):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(async_chat(client), 0.2)
        assert await asyncio.to_thread(left.wait, 3)

    with Scripted(silent) as server:
        with_async(server.url, run)


def test_unknown_members_and_values_survive_a_stream():
    strange = 'data: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "new": {"a": 1}, '
    strange += '"choices": [{"index": 0, "delta": {"content": "x", "mood": "good"}, "finish_reason": "bored"}]}\n\n'
    wrong = 'data: {"id": 7, "created": "yesterday", "choices": [{"index": "x", "delta": {"content": "y"}}]}\n\n'
    with Scripted(stream([strange, wrong, DONE])) as server:
        first, second = chat(client_of(server), stream=True)
    assert first.new == {"a": 1} and first.choices[0].finish_reason == "bored"
    assert first.choices[0].delta.mood == "good"
    assert (second.id, second.created, second.model) == (7, "yesterday", None)
    assert second.choices[0].delta.content == "y" and second.choices[0].index == "x"
