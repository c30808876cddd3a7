"""A stream whose connection is lost goes on where it was lost, as if nothing had been: one upstream call, each chunk once."""

from __future__ import annotations

import asyncio
import threading
import time

import prism
import pytest
from asking import MESSAGES, async_chat, chat, text, with_async
from cutting import Cutting
from scripted import DONE, Scripted, answer, chunk, error, stream
from support.gateway import Gateway, provider
from support.upstream import Upstream, sse, stream_frames

WORDS = [f"wörd{number} " for number in range(200)]
CUTS = (2500, 3100, 900, 50, 4000)
RESUMABLE = prism.create_headers(resumable=20)


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as running:
        yield running
        assert not running.problems


@pytest.fixture(scope="module")
def real(upstream):
    with Gateway({"providers": {"acme": provider(upstream)}}) as running:
        yield running


@pytest.fixture
def words(upstream):
    upstream.reset()
    upstream.always(sse(*stream_frames(*WORDS)))
    return upstream


async def drain(client, **more):
    return [each async for each in await async_chat(client, "acme-large", stream=True, **more)]


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_stream_that_is_cut_five_times_is_one_stream(real, words, reset):
    with Cutting(real.port, *CUTS, reset=reset) as proxy, prism.Prism(base_url=proxy.url) as client:
        cut = chat(client, "acme-large", stream=True, extra_headers=RESUMABLE)
        assert text(cut) == "".join(WORDS)
        assert proxy.connections == len(CUTS) + 1 and len(words.requests) == 1
        assert not cut.prism.replayed


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_the_same_async_and_as_a_setting_of_the_client(real, words, reset):
    with Cutting(real.port, *CUTS, reset=reset) as proxy:
        seen = with_async(proxy.url, drain, default_headers=RESUMABLE)
        assert text(seen) == "".join(WORDS)
        assert proxy.connections == len(CUTS) + 1 and len(words.requests) == 1


def test_cut_wherever_it_may_be(real, words):
    words.always(sse(*stream_frames("a", "é", "c")))
    for after in range(200, 2200, 97):
        with Cutting(real.port, after) as proxy, prism.Prism(base_url=proxy.url) as client:
            before = len(words.requests)
            assert text(chat(client, "acme-large", stream=True, extra_headers=RESUMABLE)) == "aéc"
            assert len(words.requests) == before + 1, f"cut after {after} bytes"


def test_raw_answers_too(real, words):
    with Cutting(real.port, 2500) as proxy, prism.Prism(base_url=proxy.url) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="acme-large", messages=MESSAGES, stream=True, extra_headers=RESUMABLE
        )
        assert text(raw.parse()) == "".join(WORDS)


def test_without_the_wish_it_is_an_error(real, words):
    with Cutting(real.port, 2500) as proxy, prism.Prism(base_url=proxy.url) as client:
        with pytest.raises(prism.APIConnectionError):
            text(chat(client, "acme-large", stream=True))
        assert proxy.connections == 1


def numbered(first: int, *texts: str) -> list[str]:
    return [f"id: s:{number}\n{chunk(each)}" for number, each in enumerate(texts, first)]


def of(server: Scripted, **settings) -> prism.Prism:
    return prism.Prism(base_url=server.url, **settings)


def test_the_last_id_is_asked_for_with_the_same_request():
    with Scripted(stream(numbered(0, "a", "b"), end=b""), error(503), stream([*numbered(2, "c"), DONE])) as server:
        assert text(chat(of(server), stream=True, extra_headers=RESUMABLE)) == "abc"
    first, *again = server.requests
    assert [request.headers.get("last-event-id") for request in again] == ["s:1", "s:1"]
    assert first.headers.get("last-event-id") is None
    assert len({(request.body, request.headers["idempotency-key"]) for request in server.requests}) == 1


def test_lost_before_its_first_event_it_is_joined_by_its_key():
    with Scripted(stream([], end=b""), stream([*numbered(0, "a"), DONE])) as server:
        assert text(chat(of(server), stream=True, extra_headers=RESUMABLE)) == "a"
    first, again = server.requests
    assert again.headers.get("last-event-id") is None
    assert again.headers["idempotency-key"] == first.headers["idempotency-key"]


def forgotten():
    return error(404, code="stream_not_kept")


@pytest.mark.parametrize("scripts", [[forgotten()], [error(401)], [answer(500)], [stream([])], []], ids=str)
def test_what_cannot_be_had_is_the_lost_connection(scripts):
    began = stream(numbered(0, "a"), end=b"") if scripts else stream([chunk("a")], end=b"")
    for work in (
        lambda url: chat(prism.Prism(base_url=url), stream=True, extra_headers=RESUMABLE),
        lambda url: with_async(url, drain, default_headers=RESUMABLE),
    ):
        with Scripted(began, *scripts) as server:
            with pytest.raises(prism.APIConnectionError):
                list(work(server.url))
            assert len(server.requests) <= 11


def test_an_error_event_is_no_lost_connection():
    with Scripted(stream([*numbered(0, "a"), 'data: {"error": {"message": "died"}}\n\n'])) as server:
        with pytest.raises(prism.APIError, match="died"):
            list(chat(of(server), stream=True, extra_headers=RESUMABLE))
        assert len(server.requests) == 1


def test_a_limit_on_silence_is_no_lost_connection():
    def silent(request, peer):
        stream(numbered(0, "a"), end=b"")(request, peer)
        peer.gone()

    with Scripted(silent) as server:
        with pytest.raises(prism.APITimeoutError):
            list(chat(of(server, timeout=0.2), stream=True, extra_headers=RESUMABLE))
        assert len(server.requests) == 1


def test_what_was_closed_does_not_come_back(monkeypatch):
    with Scripted(stream(numbered(0, "a"))) as server, chat(of(server), stream=True, extra_headers=RESUMABLE) as left:
        next(left)
        left.close()
        assert list(left) == [] and len(server.requests) == 1

    from prism import _retries

    monkeypatch.setattr(_retries, "FIRST_WAIT", 60.0)
    monkeypatch.setattr(_retries, "LONGEST_WAIT", 60.0)
    day = prism.create_headers(resumable=3600)
    with Scripted(stream(numbered(0, "a"), end=b"")) as server:
        waiting = chat(of(server), stream=True, extra_headers=day)
        threading.Timer(0.3, waiting.close).start()
        began = time.monotonic()
        assert text(list(waiting)) == "a", "closed while it waits to reconnect"
        assert time.monotonic() - began < 5 and len(server.requests) == 1

        async def leave(client):
            waiting = await async_chat(client, stream=True, extra_headers=day)

            async def close():
                await asyncio.sleep(0.3)
                await waiting.close()

            closing = asyncio.create_task(close())
            seen = [each async for each in waiting]
            await closing
            return seen

        assert text(with_async(server.url, leave)) == "a" and len(server.requests) == 2
