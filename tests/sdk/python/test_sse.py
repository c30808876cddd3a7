"""The decoder: every way to cut a stream gives the same events."""

from __future__ import annotations

import json
import random

import prism
import pytest
from asking import chat, text
from prism import SSEDecoder
from scripted import DONE, Scripted, chunk, stream

TRICKY = (
    "\ufeff: comment\r\n\r\ndata: a\r\ndata: é✓😀\u2028\u2029\x0b\x0c\x1c\x85end\r\n\r\nevent: error\ndata:x\n\nid: 7\rdata: y\r\r"
    'data\n\ndata: {"k": "a: b"}\n\nretry: 30\ndata:  two spaces\n\nunknown: field\ndata: z\r\n\r\n\r\n\r\ndata: unfinished'
).encode()


def decode(raw: bytes, cuts: list[int]) -> list[prism.ServerSentEvent]:
    decoder, events, start = SSEDecoder(), [], 0
    for cut in [*cuts, len(raw)]:
        events += decoder.feed(raw[start:cut])
        start = cut
    return events


def test_what_the_standard_says():
    events = decode(TRICKY, [])
    assert [(event.event, event.data.decode(), event.id, event.retry) for event in events] == [
        (None, "a\né✓😀\u2028\u2029\x0b\x0c\x1c\x85end", None, None),
        ("error", "x", None, None),
        (None, "y", "7", None),
        (None, "", "7", None),
        (None, '{"k": "a: b"}', "7", None),
        (None, " two spaces", "7", 30),
        (None, "z", "7", None),
    ]


def test_every_single_cut():
    whole = decode(TRICKY, [])
    for at in range(len(TRICKY) + 1):
        assert decode(TRICKY, [at]) == whole, at


def test_every_pair_of_cuts_in_a_short_stream():
    raw = "data: é\r\n\r\rdata: b\ndata\r\n\r\n".encode()
    whole = decode(raw, [])
    for first in range(len(raw)):
        for second in range(first, len(raw)):
            assert decode(raw, [first, second]) == whole, (first, second)


def test_byte_by_byte_and_at_random():
    whole, dice = decode(TRICKY, []), random.Random(1)
    assert decode(TRICKY, list(range(len(TRICKY)))) == whole
    for _ in range(2000):
        assert decode(TRICKY, sorted(dice.sample(range(len(TRICKY)), dice.randint(2, 20)))) == whole


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_through_a_client_with_any_line_end_byte_by_byte(newline):
    words = ["one ", "zwei\u2028", "三😀"]
    raw = "".join([*map(chunk, words), DONE]).replace("\n", newline).encode()
    with Scripted(stream([raw[at : at + 1] for at in range(len(raw))])) as server:
        assert text(chat(prism.Prism(base_url=server.url), stream=True)) == "".join(words)


@pytest.mark.parametrize("piece", [b"data: ", b"data: x\n"], ids=["one line", "many lines"])
def test_an_event_has_a_largest_size(piece):
    decoder = SSEDecoder(largest=1000)
    with pytest.raises(prism.APIError, match="larger than 1000 bytes"):
        for _ in range(2000):
            decoder.feed(piece + b"x" * 10 if piece == b"data: " else piece)


def test_many_events_are_not_one_large_one():
    decoder = SSEDecoder(largest=100)
    assert sum(len(decoder.feed(b"data: 0123456789\n\n" * 100)) for _ in range(10)) == 1000


def test_a_large_event_in_small_pieces_is_quick():
    raw = b"data: " + json.dumps("x" * 8_000_000).encode() + b"\n\n"
    events = decode(raw, list(range(0, len(raw), 4096)))
    assert len(events) == 1 and len(events[0].data) == 8_000_002
