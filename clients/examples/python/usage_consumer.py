"""Sums the usage of each key and day from Prism's events, exactly once, for as long as it runs.

    pip install nats-py
    python usage_consumer.py --url nats://127.0.0.1:4222 --totals totals.json

The consumer is durable: JetStream remembers what was acknowledged. A message is acknowledged only when its sums are on disk, so
that a crash in between brings it again; the ids that are kept beside the sums make that no double. `--once` ends when nothing is left.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from decimal import Decimal
from pathlib import Path

import nats
from nats.errors import TimeoutError
from nats.js.api import AckPolicy, ConsumerConfig

REMEMBERED = 100_000  # ids; more than can be unacknowledged at once


class Totals:
    """Sums by key and day, and the ids that they hold, in one file that is replaced as a whole."""

    def __init__(self, path: Path):
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {"totals": {}, "seen": []}
        self.totals: dict[str, dict] = kept["totals"]
        self.seen: dict[str, None] = dict.fromkeys(kept["seen"])

    def add(self, event: dict) -> None:
        if event["request_id"] in self.seen:
            return  # it was counted, and its acknowledgement was lost
        self.seen[event["request_id"]] = None
        name = f"{event.get('key_id', '-')} {event['started_at'][:10]}"
        total = self.totals.setdefault(name, {"requests": 0, "input": 0, "output": 0, "cost_usd": "0", "unpriced": 0})
        tokens = event.get("tokens") or {}
        total["requests"] += 1
        total["input"] += tokens.get("input", 0)
        total["output"] += tokens.get("output", 0)
        if cost := event.get("cost_usd"):
            total["cost_usd"] = str(Decimal(total["cost_usd"]) + Decimal(cost))  # never a float
        elif tokens:
            total["unpriced"] += 1  # unknown is not zero

    def save(self) -> None:
        for old in list(self.seen)[:-REMEMBERED]:
            del self.seen[old]
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"totals": self.totals, "seen": list(self.seen)}, indent=1))
        fresh.replace(self.path)


async def consume(url: str, totals: Totals, durable: str, once: bool) -> None:
    client = await nats.connect(url)
    config = ConsumerConfig(durable_name=durable, ack_policy=AckPolicy.EXPLICIT, ack_wait=30)
    subscription = await client.jetstream().pull_subscribe("prism.usage.v1.>", durable, stream="PRISM_USAGE", config=config)
    while True:
        try:
            messages = await subscription.fetch(500, timeout=1)
        except TimeoutError:
            if once:
                break
            continue
        for message in messages:
            totals.add(json.loads(message.data))
        totals.save()
        for message in messages:
            await message.ack()
    await client.drain()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", default="nats://127.0.0.1:4222")
    arguments.add_argument("--totals", type=Path, default=Path("totals.json"))
    arguments.add_argument("--durable", default="usage-by-key")
    arguments.add_argument("--once", action="store_true", help="end when nothing is left")
    options = arguments.parse_args()
    totals = Totals(options.totals)
    asyncio.run(consume(options.url, totals, options.durable, options.once))
    for name, total in sorted(totals.totals.items()):
        print(name, total["requests"], total["input"], total["output"], total["cost_usd"])


if __name__ == "__main__":
    main()
