"""Administration from the command line, over the same API."""

from __future__ import annotations

import json

import pytest

from support.gateway import Gateway, ask, run
from support.organisations import TOKEN, bearer, control_plane
from support.upstream import completion, json_reply


@pytest.fixture(scope="module")
def gateway():
    with Gateway(control_plane(), key=TOKEN) as gateway:
        yield gateway


def prism(gateway, *args, ok=True):
    done = run(*args, PRISM_URL=gateway.url, PRISM_ADMIN_TOKEN=TOKEN)
    assert (done.returncode == 0) is ok, (args, done)
    return done.stdout if ok else done.stderr


def test_an_organisation_from_the_command_line(gateway, upstream, tmp_path):
    upstream.always(json_reply(completion()))
    file = tmp_path / "acme.json"
    file.write_text(json.dumps({"providers": {"house": {"base_url": upstream.base_url, "api_key": "sk-canary-cli", "models": ["m"]}}}))
    made = json.loads(prism(gateway, "org", "create", "acme", str(file)))
    assert made["version"] == 1 and "canary" not in json.dumps(made)
    listed = prism(gateway, "org", "list")
    assert listed.splitlines()[0].split() == ["ORG", "VERSION", "PROVIDERS", "UPDATED", "BY"] and "acme" in listed
    file.write_text(json.dumps({"model_map": {"fast": "m"}}))
    prism(gateway, "org", "update", "acme", str(file))
    assert "model_map" in prism(gateway, "org", "diff", "acme")
    assert len(prism(gateway, "org", "versions", "acme").splitlines()) == 3
    file.write_text(json.dumps({"providers": {"house": {"wieght": 1}}}))
    assert "providers.house.wieght" in prism(gateway, "org", "validate", "acme", str(file), ok=False)

    table = prism(gateway, "key", "create", "acme", "app", "--models", "m,fast")
    key = table.split()[-1]
    assert gateway.chat(ask("fast"), bearer(key)).status == 200
    made = json.loads(prism(gateway, "key", "list", "acme", "--json"))["data"][0]
    assert made["models"] == ["m", "fast"] and key not in json.dumps(made)
    prism(gateway, "key", "update", "acme", made["id"], "--budget", "2.5", "--budget-period", "daily", "--rpm", "60", "--tpm", "9000",
          "--max-concurrent", "4", "--denied-tools", "web_search", "--metadata", "team=search", "--metadata", "tier=gold")
    changed = json.loads(prism(gateway, "key", "get", "acme", made["id"], "--json"))
    assert changed["budget"] == {"limit": 2.5, "period": "daily"} and changed["metadata"] == {"team": "search", "tier": "gold"}
    assert (changed["rate_limit_rpm"], changed["rate_limit_tpm"], changed["max_concurrent"]) == (60, 9000, 4)
    assert changed["denied_tools"] == ["web_search"] and changed["models"] == ["m", "fast"]
    refused = run("key", "update", "acme", made["id"], "--metadata", "team", PRISM_URL=gateway.url, PRISM_API_KEY=TOKEN)
    assert "NAME=VALUE" in refused.stderr
    prism(gateway, "key", "update", "acme", made["id"], "--budget", "0")  # a budget does not pay for what has no price
    prism(gateway, "key", "disable", "acme", made["id"])
    assert gateway.chat(ask("m"), bearer(key)).status == 401
    prism(gateway, "key", "enable", "acme", made["id"])
    rotated = prism(gateway, "key", "rotate", "acme", made["id"], "--overlap", "60").split()[-1]
    assert gateway.chat(ask("m"), bearer(key)).status == gateway.chat(ask("m"), bearer(rotated)).status == 200
    prism(gateway, "key", "delete", "acme", made["id"])
    assert gateway.chat(ask("m"), bearer(rotated)).status == 401

    upstream.models = ["m", "n"]
    assert prism(gateway, "provider", "list", "acme").splitlines()[1].startswith("house")
    tested = json.loads(prism(gateway, "provider", "test", "acme", "house", "--json"))
    assert tested["ok"] is True and tested["models"] == ["m", "n"]
    upstream.models = None
    assert json.loads(prism(gateway, "provider", "test", "acme", "house", "--json"))["ok"] is False
    assert "bedrock" in prism(gateway, "provider", "types")
    prism(gateway, "org", "delete", "acme")
    assert "404" in prism(gateway, "org", "get", "acme", ok=False)


def test_a_refusal_is_said_and_a_key_is_asked_for(gateway):
    assert "401" in run("org", "list", PRISM_URL=gateway.url, PRISM_API_KEY="wrong").stderr
    assert "a key is needed" in run("org", "list", PRISM_URL=gateway.url).stderr


def test_the_master_key_is_rotated_under_a_running_gateway(gateway, upstream, tmp_path):
    upstream.always(json_reply(completion()))
    file = tmp_path / "globex.json"
    file.write_text(json.dumps({"providers": {"house": {"base_url": upstream.base_url, "api_key": "sk-canary-rotated", "models": ["m"]}}}))
    prism(gateway, "org", "create", "globex", str(file))
    key = prism(gateway, "key", "create", "globex", "app").split()[-1]
    store = ["--store", str(gateway.folder / "data")]
    assert "wrapped with the new master key" in run("master-key", "rotate", *store).stdout
    assert run("master-key", "retire", *store).returncode == 0
    assert gateway.chat(ask("m"), bearer(key)).status == 200
    assert upstream.last.header("authorization") == "Bearer sk-canary-rotated"
    verified = run("audit", "verify", *store)
    assert verified.returncode == 0, verified
    head = verified.stdout.split()[-1]
    assert run("audit", "verify", *store, "--contains", head).returncode == 0
    assert "was cut" in run("audit", "verify", *store, "--contains", "0" * 64).stderr
