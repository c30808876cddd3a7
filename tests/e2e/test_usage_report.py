"""What was used, asked of the gateway and of its file: once for every request, over kills and restarts."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time

import pytest

from support.gateway import ONE_TRY, Gateway, ask, binary, provider, run
from support.upstream import completion, error_reply, json_reply, sse, stream_frames
from support.waiting import eventually

KEYS = [{"name": "app", "key": "sk-test-app"}, {"name": "web", "key": "sk-test-web"}]
PRICES = {"custom_pricing": {"acme-large": {"input_per_mtok": 2, "output_per_mtok": 10}}}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def config(upstream, **more):
    return {"auth": {"keys": KEYS}, "cost_tracking": PRICES, "routing": ONE_TRY,
            "providers": {"acme": provider(upstream, "acme-large", "acme-small")}, **more}


@pytest.fixture(scope="module")
def gateway(upstream):
    with Gateway(config(upstream), key="sk-test-app") as gateway:
        for key, team in [("app", "search"), ("app", "ads"), ("web", "search")]:
            upstream.script(json_reply(completion("hello", usage=USAGE)))
            asked(gateway, key, [("x-prism-metadata", json.dumps({"team": team}))])
        upstream.script(sse(*stream_frames("he", "llo", usage=True)))
        asked(gateway, "app", model="acme-small", stream=True)
        upstream.script(error_reply(500, "broken"))
        asked(gateway, "web")
        eventually(lambda: usage(gateway)["totals"]["requests"] == 5, what="five requests to be counted")
        yield gateway


def asked(gateway, key, headers=(), model="acme-large", **members):
    return gateway.chat(ask(model, **members), [("authorization", f"Bearer sk-test-{key}"), *headers])


def usage(gateway, query="", key="app", status=200):
    reply = gateway.get(f"/v1/usage?{query}", [("authorization", f"Bearer sk-test-{key}")])
    assert reply.status == status, reply.body
    return json.loads(reply.body)


def prism(*arguments, check=True):
    done = run("usage", *arguments, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def test_rows_totals_and_freshness(gateway):
    report = usage(gateway, "group_by=key,model")
    shown = [(row["key"], row["model"], row["requests"], row["errors"]) for row in report["data"]]
    assert shown == [("app", "acme-large", 2, 0), ("app", "acme-small", 1, 0), ("web", "acme-large", 2, 1)]
    first, small, _ = report["data"]
    assert (first["cost_usd"], first["unpriced"], first["tokens"]["input"], first["tokens"]["output"]) == ("0.00014", 0, 20, 10)
    assert "cost_usd" not in small and small["unpriced"] == 1 and "first_token_ms" in small
    totals = report["totals"]
    assert (totals["requests"], totals["errors"], totals["cost_usd"]) == (5, 1, "0.00021")
    assert totals["latency_ms"]["p50"] >= 0 and report["freshness"]["behind_ms"] >= 0
    assert report["freshness"]["counted_until"].endswith("Z")


def test_filters_and_pages(gateway):
    assert usage(gateway, "metadata.team=search")["totals"]["requests"] == 2
    assert usage(gateway, "key=app&model=acme-large&status=answered")["totals"]["requests"] == 2
    assert usage(gateway, "from=2020-01-01&to=2020-02-01")["totals"]["requests"] == 0
    seen, cursor = [], ""
    while cursor is not None:
        page = usage(gateway, f"group_by=key,status,metadata.team&limit=1{cursor}")
        seen += [(row["key"], row["status"], row.get("metadata", {}).get("team")) for row in page["data"]]
        cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None
    assert seen == [("app", "answered", None), ("app", "answered", "ads"), ("app", "answered", "search"),
                    ("web", "answered", "search"), ("web", "failed", None)]


@pytest.mark.parametrize("query, param", [("from=soon", "from"), ("group_by=colour", "group_by"), ("limit=0", "limit"),
                                          ("cursor=x", "cursor"), ("colour=red", "colour")])
def test_what_is_not_understood_is_named(gateway, query, param):
    error = usage(gateway, query, status=400)["error"]
    assert error["param"] == param and error["type"] == "invalid_request_error"


def test_a_key_is_needed(gateway):
    assert gateway.get("/v1/usage", [("authorization", "Bearer sk-wrong")]).status == 401


def test_a_report_for_people_programs_and_spreadsheets(gateway):
    place = ["--url", gateway.url, "--key", "sk-test-app"]
    table = prism("report", "--by", "key,model", "--where", "status=answered", *place).stdout
    lines = [line.split() for line in table.splitlines()]
    assert lines[0][:4] == ["key", "model", "requests", "errors"]
    assert lines[2][:7] == ["app", "acme-large", "2", "0", "20", "10", "0"] and "0.000140" in lines[2]
    assert ["total", "4", "0"] == lines[6][:3]
    rows = prism("report", "--by", "key", "--csv", *place).stdout.splitlines()
    assert rows[0].startswith("key,requests,errors,") and rows[1].startswith("app,3,0,") and len(rows) == 3
    report = json.loads(prism("report", "--by", "key", "--json", "--store", str(gateway.folder / "data")).stdout)
    assert [row["requests"] for row in report["data"]] == [3, 2]
    refused = prism("report", "--by", "colour", *place, check=False)
    assert refused.returncode == 1 and "`group_by`" in refused.stderr


def test_an_invoice_is_compared(gateway, tmp_path):
    place = ["--url", gateway.url + "/v1", "--key", "sk-test-app"]
    day = usage(gateway, "group_by=day")["data"][0]["day"]
    invoice = tmp_path / "invoice.csv"
    invoice.write_text(f"Date,Model,Cost (USD)\n{day},acme-large,$0.00021\n")
    good = prism("reconcile", str(invoice), "--tolerance", "0.001", *place)
    assert "acme-small" in good.stdout and "1 of 1 without a price" in good.stdout
    invoice.write_text(f"day,model,amount\n{day},acme-large,0.00042\n{day},acme-huge,1\n")
    bad = prism("reconcile", str(invoice), "--store", str(gateway.folder / "data"), check=False)
    assert bad.returncode == 1 and "2 of 3 lines differ" in bad.stderr and "not counted here" in bad.stdout


def test_live(gateway, upstream):
    arguments = [binary(), "usage", "tail", "--store", str(gateway.folder / "data"), "--all"]
    tail = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        lines = [tail.stdout.readline() for _ in range(5)]
        large = next(line for line in lines if "acme/acme-large" in line)
        assert "key=app" in large and "$0.00007" in large and "req_" in large
        assert sum("failed" in line for line in lines) == 1
        upstream.script(json_reply(completion("hello", usage=USAGE)))
        asked(gateway, "web", [("x-prism-user-id", "live")], model="acme-small")
        assert "user=live" in tail.stdout.readline()
    finally:
        tail.kill()
        tail.wait()


def test_every_request_is_counted_once_over_kills(upstream):
    with Gateway(config(upstream), key="sk-test-app") as gateway:
        for pause in (0, 0.9, 1.1, 1.3):  # somewhere around its counting
            for _ in range(10):
                upstream.script(json_reply(completion("hello", usage=USAGE)))
                assert asked(gateway, "app").status == 200
            time.sleep(pause)
            gateway.kill()
            gateway.start()
        eventually(lambda: usage(gateway)["totals"]["requests"] >= 40, what="forty requests to be counted")
        time.sleep(1.5)  # for any that would be counted twice
        assert usage(gateway)["totals"]["requests"] == 40


def test_a_locked_file_is_nothing_to_a_request(upstream):
    with Gateway(config(upstream), key="sk-test-app") as gateway:
        upstream.script(json_reply(completion("hello", usage=USAGE)))
        asked(gateway, "app")
        eventually(lambda: usage(gateway)["totals"]["requests"] == 1, what="the first to be counted")
        lock = sqlite3.connect(gateway.folder / "data/usage.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        for _ in range(5):
            upstream.script(json_reply(completion("hello", usage=USAGE)))
            assert asked(gateway, "app").status == 200
        assert usage(gateway)["totals"]["requests"] == 1, "readers do not wait for it either"
        eventually(lambda: usage(gateway)["freshness"]["behind_ms"] > 0, what="it to say that it is behind")
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: usage(gateway)["totals"]["requests"] == 6, what="all to be counted", timeout=60)


def test_what_is_off_says_so(upstream):
    with Gateway(config(upstream, usage={"enabled": False}), key="sk-test-app") as gateway:
        assert usage(gateway, status=404)["error"]["code"] == "usage_disabled"
