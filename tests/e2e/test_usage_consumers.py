"""The example consumers under clients/examples, as their readers start them, against a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.gateway import ONE_TRY, REPO, Gateway, ask, clean_environment, provider
from support.nats import NatsServer, eventually_stored, run
from support.upstream import completion, json_reply

EXAMPLES = REPO / "clients/examples"
KEYS = [{"name": "app", "key": "sk-prism-app-0123456789"}, {"name": "batch", "key": "sk-prism-batch-0123456789"}]
PRICES = {"custom_pricing": {"acme-large": {"input_per_mtok": 2, "output_per_mtok": 10}}}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
ATTO = 10**18


def python(url: str, totals: Path) -> list:
    return [sys.executable, EXAMPLES / "python/usage_consumer.py", "--url", url, "--totals", totals, "--once"]


def typescript(url: str, totals: Path) -> list:
    folder = EXAMPLES / "typescript"
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True, timeout=300)
    subprocess.run(["npx", "tsc"], cwd=folder, check=True, timeout=120)
    return ["node", folder / "dist/usage-consumer.js", "--url", url, "--totals", totals, "--once"]


def rust(url: str, totals: Path) -> list:
    # beside the gateway's own, so that it is built once
    target = REPO / "target/examples"
    build = ["cargo", "build", "--quiet", "--locked", "--target-dir", target]
    subprocess.run(build, cwd=EXAMPLES / "rust", check=True, timeout=1500)
    return [target / "debug/usage-consumer", url, totals, "usage-by-key", "--once"]


def sums(totals: Path) -> dict[str, tuple]:
    """By key: requests, tokens in and out, attodollars."""
    found = {}
    for name, total in json.loads(totals.read_text())["totals"].items():
        if "cost_atto_usd" in total:
            cost = int(total["cost_atto_usd"] or 0)
        else:
            whole, _, part = total["cost_usd"].partition(".")
            cost = int(whole + part.ljust(18, "0"))
        found[name.split()[0]] = (total["requests"], total["input"], total["output"], cost)
    return found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", [python, typescript, rust])
def test_a_consumer_sums_each_event_once(upstream, tmp_path, command):
    upstream.always(json_reply(completion("hello", usage=USAGE)))
    config = {"providers": {"acme": provider(upstream)}, "routing": ONE_TRY, "auth": {"keys": KEYS}, "cost_tracking": PRICES}
    totals = tmp_path / "totals.json"
    needed = {"node": typescript, "cargo": rust}
    if any(command is used and not shutil.which(tool) for tool, used in needed.items()):
        pytest.skip("its tool chain is not here")
    with NatsServer() as server, Gateway(config | {"nats": {"url": server.url}}) as gateway:
        def call(key: dict, count: int) -> None:
            for _ in range(count):
                assert gateway.chat(ask(), [("authorization", f"Bearer {key['key']}")]).status == 200

        def consume() -> dict[str, tuple]:
            environment = clean_environment(**{name: os.environ[name] for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME")
                                               if name in os.environ})
            done = subprocess.run([str(part) for part in command(server.url, totals)], env=environment, capture_output=True,
                                  text=True, timeout=60, cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
            return sums(totals)

        call(KEYS[0], 3)
        call(KEYS[1], 1)
        known = eventually_stored(server.url, 4)
        each = 10 * 2 * ATTO // 10**6 + 5 * 10 * ATTO // 10**6
        assert consume() == {"app": (3, 30, 15, 3 * each), "batch": (1, 10, 5, each)}

        # an event that comes once more, past every window, is the same event
        async def again(client):
            await client.jetstream().publish(known[0].subject, known[0].data, headers={"Nats-Msg-Id": "another"})
        run(server.url, again)
        call(KEYS[0], 1)
        eventually_stored(server.url, 6)
        assert consume() == {"app": (4, 40, 20, 4 * each), "batch": (1, 10, 5, each)}
