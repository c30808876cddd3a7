"""What was acknowledged is there, whoever was killed; and no secret is anywhere that it should not be."""

from __future__ import annotations

import threading

import pytest

from support.gateway import Gateway, ask, run
from support.organisations import TOKEN, Office, bearer, control_plane
from support.upstream import completion, error_reply, json_reply


@pytest.mark.timeout(300)  # a thousand times to the disk
def test_every_acknowledged_write_survives_kill_9():
    with Gateway(control_plane(logging={"level": "warn"}), key=TOKEN) as gateway:
        office = Office(gateway)
        office.create("acme", {})
        acknowledged, stop = [], threading.Event()

        def write(worker):
            number = 0
            while not stop.is_set() and len(acknowledged) < 1000:
                try:
                    reply = office.keys("acme", "POST", {"name": f"{worker}-{number}"})
                except Exception:  # killed in the middle
                    return
                if reply.status == 200:
                    acknowledged.append(reply.json())
                number += 1

        rounds = 0
        while len(acknowledged) < 1000 and rounds < 5:
            before = len(acknowledged)
            writers = [threading.Thread(target=write, args=(f"{rounds}-{number}",)) for number in range(4)]
            [writer.start() for writer in writers]
            while len(acknowledged) < min(1000, before + 200) and any(writer.is_alive() for writer in writers):
                stop.wait(0.02)
            gateway.process.kill()
            gateway.process.wait(10)
            [writer.join(30) for writer in writers]
            gateway.start()
            rounds += 1
        print(f"{len(acknowledged)} acknowledged writes over {rounds} kills")
        kept, cursor = {}, ""
        while cursor is not None:
            page = office.call("GET", f"/v1/orgs/acme/keys?limit=100&cursor={cursor}").json()
            kept |= {key["id"]: key for key in page["data"]}
            cursor = page.get("next_cursor")
        missing = [made["id"] for made in acknowledged if made["id"] not in kept]
        assert len(acknowledged) >= 500 and not missing, missing
        for made in acknowledged[::100]:
            assert gateway.chat(ask("simulator/echo"), bearer(made["key"])).status == 404, "the key is known"
        verified = run("audit", "verify", "--store", str(gateway.folder / "data"))
        assert verified.returncode == 0 and "is whole" in verified.stdout, verified


def test_no_secret_comes_out_anywhere(upstream):
    """Known secrets go in everywhere; every answer, log, metric and file of the store is searched for them."""
    names = ("api", "header", "second", "proxy", "entra", "aws", "session")
    secrets = {name: f"sk-canary-{name}-77e1" for name in names}
    config = {"providers": {
        "house": {"base_url": upstream.base_url, "models": ["m"], "discover": False, "headers": {"x-house": secrets["header"]},
                  "api_keys": [{"key": secrets["api"]}, {"key": secrets["second"]}]},
        "cloud": {"type": "bedrock", "region": "eu-central-1", "access_key_id": "AKIACANARY77E1", "secret_access_key": secrets["aws"],
                  "session_token": secrets["session"]},
        "azure": {"base_url": "https://x.openai.azure.com", "tenant_id": "t", "client_id": "c", "client_secret": secrets["entra"]}}}
    needles = [value.encode() for value in (*secrets.values(), "AKIACANARY77E1")]
    answers = []

    def seen(reply):
        answers.append(reply.raw_head + reply.body)
        return reply

    with Gateway(control_plane(logging={"level": "trace", "include_bodies": True}), key=TOKEN) as gateway:
        office = Office(gateway)
        seen(office.config("acme", "POST", config))
        made = office.mint("acme", role="owner")
        key = made["key"]
        theirs = Office(gateway, key)
        for script in (json_reply(completion()), error_reply(401, f"Incorrect API key provided: {secrets['api']}"),
                       error_reply(500, f"no {secrets['second']}")):
            upstream.always(script)
            seen(gateway.chat(ask("m"), bearer(key)))
        for one in (office, theirs):
            for then in ("", "/versions", "/diff"):
                seen(one.config("acme", then=then))
            seen(one.config("acme", "POST", config, "/validate"))
            seen(one.config("acme", "PATCH", {"providers": {"house": {"api_key": secrets["api"], "nonsense": 1}}}))
            seen(one.config("acme", "PATCH", {"providers": {"house": {"base_url": secrets["proxy"]}}}))
            seen(one.config("acme", "PATCH", {secrets["proxy"]: {}}))
            seen(one.call("GET", "/v1/orgs/acme/providers"))
            seen(one.call("POST", "/v1/orgs/acme/providers/house/test"))
            seen(one.keys("acme"))
        seen(office.config("acme", "POST", {"version": 1}, "/rollback"))
        seen(gateway.call("POST", "/v1/orgs/acme/config", b'{"providers": {"a": {"api_key": "' + needles[0] + b'"'))
        seen(gateway.get("/v1/providers/health"))
        metrics = gateway.call("GET", "/metrics", headers=bearer(office.mint("default", "scraper")["key"]))
        seen(metrics)
        gateway.stop()
        files = {path.name: path.read_bytes() for path in (gateway.folder / "data").rglob("*") if path.is_file()}
        log = gateway.output.encode()
        for needle in [*needles, TOKEN.encode(), key.encode()]:
            assert needle not in log, f"{needle} in the log"
            assert not [name for name, content in files.items() if needle in content], f"{needle} in the store"
            assert not [answer for answer in answers if needle in answer], f"{needle} in an answer"
        gateway.start()
