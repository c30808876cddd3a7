"""What stands in a gateway's spool of usage events, read from its files."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

from .waiting import eventually

_HEADER = struct.Struct("<II16s")
USAGE = 1


def frames(folder: Path):
    """Every record in the logs below a folder as (kind, bytes); a torn end is left out."""
    for log in sorted(folder.glob("*/*.log")):
        data = log.read_bytes()
        at = 0
        while at + _HEADER.size <= len(data):
            length, checksum, tail = _HEADER.unpack_from(data, at)
            record = data[at + _HEADER.size:at + _HEADER.size + length]
            if len(record) < length or zlib.crc32(struct.pack("<Q", length) + tail + record) != checksum:
                break
            yield tail[15], record
            at += _HEADER.size + length


def usage_events(store: Path) -> list[dict]:
    """The usage events that are kept in a store, in the order of their writing."""
    return [json.loads(record) for kind, record in frames(store / "spool") if kind == USAGE]


def events_of(gateway, count: int, since: int = 0) -> list[dict]:
    """The gateway's events from the `since`th on, when there are that many; and there are no more."""
    store = gateway.folder / "data"
    eventually(lambda: len(usage_events(store)) - since >= count, what=f"{count} usage events")
    found = usage_events(store)[since:]
    assert len(found) == count, [one["status"] for one in found]
    return found
