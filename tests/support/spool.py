"""What stands in a gateway's spool of usage events, read from its files."""

from __future__ import annotations

import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from .waiting import eventually

_HEADER = struct.Struct("<II16s")
USAGE = 1
VERSION = 2
STATUSES = ("answered", "failed", "cancelled", "cut", "replayed", "interrupted")
SOURCES = ("provider", "estimated")
TOKENS = ("input", "output", "cached_read", "cached_write", "cached_write_1h", "reasoning", "audio_input", "audio_cached",
          "audio_output", "image_input", "image_output", "free_input", "search_units")
WORDS = ("chat.completions", "completions", "embeddings", "rerank",
         "round-robin", "weighted", "least-latency", "least-busy", "cost-optimized", "adaptive", "fastest",
         "stop", "length", "tool_calls", "content_filter",
         "first", "failover", "next_key", "retry", "hedge", "mirror", "answered", "failed", "outrun", "function_call")


def frames(folder: Path):
    """Every record in the logs below a folder as (kind, bytes); a torn end is left out."""
    for log in sorted(folder.glob("*/*.log")):
        data = log.read_bytes()
        at = 0
        while at + _HEADER.size <= len(data):
            length, checksum, tail = _HEADER.unpack_from(data, at)
            record = data[at + _HEADER.size:at + _HEADER.size + length]
            if len(record) < length or zlib.crc32(tail + record, length) != checksum:
                break
            yield tail[15], record
            at += _HEADER.size + length


class _Postcard:
    """https://postcard.jamesmunns.com/wire-format"""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        number = self.number()
        return number >> 1 if number % 2 == 0 else -(number + 1 >> 1)

    def flag(self) -> bool:
        return bool(self.number())

    def text(self) -> str:
        length = self.number()
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def word(self) -> str:
        number = self.number()
        return WORDS[number - 1] if number else self.text()

    def counts(self) -> dict | None:
        bits = self.number()
        counts = {name: self.number() if bits >> at & 1 else 0 for at, name in enumerate(TOKENS)}
        return counts if bits >> 15 else None

    def maybe(self, read):
        return read() if self.flag() else None

    def many(self, read) -> list:
        return [read() for _ in range(self.number())]

    def struct(self, **members) -> dict:
        return {name: read() for name, read in members.items()}


def usage_event(record: bytes) -> dict:
    """A record as the event that is published of it."""
    card = _Postcard(record)
    assert card.number() == VERSION
    text, word, number, flag = card.text, card.word, card.number, card.flag
    maybe = lambda read: lambda: card.maybe(read)  # noqa: E731
    opening = card.struct(
        request_id=text, mirror_of=maybe(text), started_at=card.signed, gateway=text, org=text, key_id=maybe(text), endpoint=word,
        stream=flag, model=text, user_id=maybe(text), session_id=maybe(text), session_name=maybe(text), session_path=maybe(text),
        client_request_id=maybe(text), trace_id=maybe(text), metadata=maybe(text))
    opening["properties"] = dict(card.many(lambda: (text(), text()))) or None
    ending = card.struct(
        status=number, http_status=maybe(number), complete=flag, provider=maybe(text), region=maybe(text), model_served=maybe(text),
        finish_reason=maybe(word), tokens=card.counts, usage_source=maybe(number),
        cost_usd=maybe(number), price_version=maybe(text), tier=maybe(text), duration_ms=maybe(number), first_token_ms=maybe(number),
        routing_strategy=maybe(word), fallback_used=flag, attempt_count=number)
    ending["attempts"] = card.many(lambda: _present(card.struct(
        provider=text, region=maybe(text), model=text, kind=word, outcome=maybe(word), cause=maybe(text),
        http_status=maybe(number), duration_ms=maybe(number)))) or None
    for attempt in ending["attempts"] or []:
        if not attempt["provider"]:
            attempt |= {"provider": ending["provider"], "model": ending["model_served"]}
            attempt |= _present({"region": ending["region"]})
    ending["error"] = card.maybe(text)
    assert card.at == len(record)

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=opening["started_at"])
    opening["started_at"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    opening["metadata"] = opening["metadata"] and json.loads(opening["metadata"])
    ending["status"] = STATUSES[ending["status"]]
    if (source := ending["usage_source"]) is not None:
        ending["usage_source"] = SOURCES[source]
    if (cost := ending["cost_usd"]) is not None:
        ending["cost_usd"] = f"{Decimal(cost).scaleb(-18):f}".rstrip("0").rstrip(".") if cost else "0"
    if ending["tokens"]:
        ending["tokens"] = {name: count for name, count in ending["tokens"].items() if count or name in ("input", "output")}
    if not ending["fallback_used"]:
        del ending["fallback_used"]
    return {"schema": "prism.usage.v1"} | _present(opening) | _present(ending)


def _present(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not None}


def usage_events(store: Path) -> list[dict]:
    """The usage events that are kept in a store, in the order of their writing."""
    return [usage_event(record) for kind, record in frames(store / "spool") if kind == USAGE]


def events_of(gateway, count: int, since: int = 0) -> list[dict]:
    """The gateway's events from the `since`th on, when there are that many; and there are no more."""
    store = gateway.folder / "data"
    eventually(lambda: len(usage_events(store)) - since >= count, what=f"{count} usage events")
    found = usage_events(store)[since:]
    assert len(found) == count, [one["status"] for one in found]
    return found
