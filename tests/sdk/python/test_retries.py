"""What is tried again, how often, after how long, and with what."""

from __future__ import annotations

import io
import time
from email.utils import formatdate

import prism
import pytest
from asking import MESSAGES, async_chat, chat, with_async
from prism import _retries
from scripted import CHAT, DONE, Scripted, answer, chunk, error, stream

AGAIN = [408, 409, 429, 500, 502, 503, 504]
NEVER = [400, 401, 403, 404, 413, 422]


def hang_up(request, peer):
    return None


def half_an_answer(request, peer):
    peer.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")


@pytest.mark.parametrize("status", AGAIN)
def test_these_statuses_are_tried_again(status):
    with Scripted(error(status), error(status), answer()) as server:
        assert chat(prism.Prism(base_url=server.url)).id == CHAT["id"]
        assert len(server.requests) == 3
    with Scripted(error(status), error(status), answer()) as server:
        assert with_async(server.url, async_chat, max_retries=2).id == CHAT["id"]


@pytest.mark.parametrize("status", NEVER)
def test_these_are_not(status):
    with Scripted(error(status), answer()) as server:
        with pytest.raises(prism.APIStatusError):
            chat(prism.Prism(base_url=server.url))
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [hang_up, half_an_answer])
def test_a_broken_connection_is_tried_again(fault):
    with Scripted(fault, fault, answer()) as server:
        assert chat(prism.Prism(base_url=server.url)).id == CHAT["id"]
    with Scripted(fault, fault, answer()) as server:
        assert with_async(server.url, async_chat, max_retries=2).id == CHAT["id"]
    with Scripted(fault) as server:
        with pytest.raises(prism.APIConnectionError):
            chat(prism.Prism(base_url=server.url, max_retries=1))
        assert len(server.requests) == 2


def test_a_stream_is_tried_again_until_it_begins():
    with Scripted(error(503), hang_up, stream([chunk("hi"), DONE])) as server:
        assert len(list(chat(prism.Prism(base_url=server.url), stream=True))) == 1
        assert len(server.requests) == 3


@pytest.mark.parametrize(("status", "hint", "tries"), [(400, "true", 2), (503, "false", 1), (503, "maybe", 2)])
def test_the_server_may_say_whether(status, hint, tries):
    with Scripted(error(status, {"x-should-retry": hint})) as server:
        with pytest.raises(prism.APIStatusError):
            chat(prism.Prism(base_url=server.url, max_retries=1))
        assert len(server.requests) == tries


def test_retries_share_the_idempotency_key_and_none_is_made_up():
    with Scripted(error(503), error(503), answer()) as server:
        client = prism.Prism(base_url=server.url)
        chat(client, extra_headers=prism.create_headers(idempotency_key="mine"))
        chat(client)
    keys = [request.headers.get("idempotency-key") for request in server.requests]
    assert keys == ["mine", "mine", "mine", None]


def test_an_answer_of_the_same_key_is_given_again(client):
    mine = prism.create_headers(idempotency_key="given-again")
    first, again = chat(client, extra_headers=mine), chat(client, extra_headers=mine)
    assert (first.prism.replayed, again.prism.replayed) == (False, True) and first.id == again.id
    with pytest.raises(prism.UnprocessableEntityError):
        chat(client, temperature=0.5, extra_headers=mine)


def test_how_often_is_a_setting():
    with Scripted(error(503)) as server:
        for client in (
            prism.Prism(base_url=server.url, max_retries=0),
            prism.Prism(base_url=server.url).with_options(max_retries=0),
        ):
            with pytest.raises(prism.InternalServerError):
                chat(client)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "header", [{"retry-after": "1"}, {"retry-after-ms": "300"}, {"retry-after-ms": "300", "retry-after": "50"}]
)
def test_retry_after_is_obeyed(header):
    with Scripted(error(429, header), answer()) as server:
        began = time.monotonic()
        chat(prism.Prism(base_url=server.url))
        wanted = 0.3 if "retry-after-ms" in header else 1
        assert wanted <= time.monotonic() - began < wanted + 0.5


def test_a_deadline_that_cannot_be_met_is_not_waited_for():
    with Scripted(error(429, {"retry-after": "30"})) as server:
        began = time.monotonic()
        with pytest.raises(prism.RateLimitError):
            chat(prism.Prism(base_url=server.url, timeout=2))
        assert time.monotonic() - began < 1 and len(server.requests) == 1


def test_a_file_is_sent_again_from_where_it_stood():
    from prism._files import Upload

    file = io.BytesIO(b"header body")
    file.seek(7)
    upload = Upload({"file": file, "named": ("a.txt", io.BytesIO(b"x"), "text/plain"), "bytes": b"y"})
    for _ in range(3):
        assert upload.parts()["file"][1].read() == b"body"
    pipe = type("Pipe", (), {"read": lambda self: b"once", "seekable": lambda self: False})()
    assert Upload({"file": pipe}).parts()["file"][1] == b"once"
    with pytest.raises(prism.PrismError, match="a file is"):
        Upload({"file": 7})


def test_the_numbers_of_backoff(monkeypatch):
    monkeypatch.setattr(_retries, "FIRST_WAIT", 0.5)
    monkeypatch.setattr(_retries, "LONGEST_WAIT", 8.0)
    for retries, longest in enumerate([0.5, 1, 2, 4, 8, 8, 8]):
        waits = [_retries.backoff(retries) for _ in range(300)]
        assert 0.75 * longest <= min(waits) and max(waits) <= longest and max(waits) > min(waits)
    assert _retries.backoff(5000) <= 8


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": formatdate(0, usegmt=True)}, 0.0),
    ],
)
def test_reading_retry_after(headers, seconds):
    assert _retries.retry_after(headers) == seconds


def test_retry_after_as_a_date():
    wait = _retries.retry_after({"retry-after": formatdate(time.time() + 20, usegmt=True)})
    assert wait is not None and 18 <= wait <= 20


def test_a_retry_after_beyond_a_minute_is_not_waited_for():
    with Scripted(error(429, {"retry-after": "3600"}), answer()) as server:
        began = time.monotonic()
        assert prism.Prism(base_url=server.url).chat.completions.create(model="m", messages=MESSAGES).id
        assert time.monotonic() - began < 1
