"""What is not about requests is published too: keys, providers, the configuration; each under its own subject, no secret in it."""

from __future__ import annotations

import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.nats import NatsServer, stored
from support.organisations import Office, control_plane
from support.upstream import completion, error_reply, json_reply
from support.waiting import eventually

BREAKER = {"failure_threshold": 1, "open_duration": "1s", "half_open_max_requests": 1, "success_threshold": 1}


def notices(url: str, subject: str) -> list[dict]:
    """Those under subjects that begin so, in their order."""
    try:
        found = [one for one in stored(url) if one.subject.startswith(subject)]
    except Exception:  # no stream yet
        return []
    assert all(one.id == one.event["event_id"] for one in found)
    return [one.event for one in found]


def test_what_becomes_of_a_key(upstream):
    with NatsServer() as server, Gateway(control_plane(nats={"url": server.url})) as gateway:
        office = Office(gateway)
        office.create("acme", {"providers": {"simulator": {"type": "simulator"}}})
        key = office.mint("acme")
        path = f"/{key['id']}"
        assert office.keys("acme", "PATCH", {"models": ["simulator/*"]}, path).status == 200
        assert office.keys("acme", "PATCH", {"disabled": True}, path).status == 200
        assert office.keys("acme", "PATCH", {"disabled": False}, path).status == 200
        rotated = office.keys("acme", "POST", {}, f"{path}/rotate").json()
        admin = office.mint("acme", "admin", role="admin")
        assert Office(gateway, admin["key"]).keys("acme", "DELETE", then=path).status == 200
        assert office.keys("acme", "PATCH", {"models": 5}, f"/{admin['id']}").status == 400  # nothing has changed
        assert office.config("acme", "DELETE").status == 200
        found = eventually(lambda: (told := notices(server.url, "prism.key.v1.acme")) and len(told) >= 8 and told, 30, "the notices", 0.1)
        name, by = f"acme/{key['id']}", "admin token"
        assert [(one["key_id"], one["change"], one["by"]) for one in found] == [
            (name, "created", by), (name, "updated", by), (name, "disabled", by), (name, "enabled", by), (name, "rotated", by),
            (f"acme/{admin['id']}", "created", by), (name, "deleted", f"acme/{admin['id']}"), (f"acme/{admin['id']}", "deleted", by)]
        [owner] = notices(server.url, "prism.key.v1.default")
        assert (owner["change"], owner["by"]) == ("created", "the first start")
        everything = b"".join(one.data for one in stored(server.url))
        minted = (gateway.folder / "data/owner.key").read_text().strip()
        for secret in key["key"], rotated["key"], admin["key"], minted:
            assert secret.encode() not in everything


@pytest.mark.parametrize("answer, subject, to", [
    (error_reply(401), "credential", "refused"), (error_reply(429), "quota", "limited")])
def test_what_a_provider_refuses(upstream, answer, subject, to):
    upstream.always(answer)
    with NatsServer() as server, Gateway({"providers": {"acme": provider(upstream, api_key="sk-canary-1")}, "routing": ONE_TRY,
                                          "nats": {"url": server.url}}) as gateway:
        gateway.chat(ask())

        def told():
            return [one for one in notices(server.url, "prism.provider.v1.acme") if one["subject"] == subject]
        [one] = eventually(told, 30, "the notice", 0.1)
        assert (one["provider"], one["to"]) == ("acme", to) and "sk-canary" not in str(one)


def test_a_breaker_opens_and_closes(upstream):
    upstream.models = ["acme-large"]
    upstream.always(error_reply(500, "broken"))
    config = {"providers": {"a.b": provider(upstream)}, "routing": {"retry": {"enabled": False}, "circuit_breaker": BREAKER}}
    with NatsServer() as server, Gateway(config | {"nats": {"url": server.url}}) as gateway:
        assert gateway.chat(ask()).status == 502
        upstream.always(json_reply(completion("hello")))
        eventually(lambda: gateway.chat(ask()).status == 200, 15, "the probe", 0.1)

        def moves(of: str):
            return [(one.get("from"), one["to"]) for one in notices(server.url, "prism.provider.v1.a%2Eb") if one["subject"] == of]
        breaker = eventually(lambda: (seen := moves("breaker")) and seen[-1][1] in ("ramping", "closed") and seen, 30, "it to close", 0.1)
        assert breaker[0] == ("closed", "open") and ("open", "half_open") in breaker
        assert all(before[1] == after[0] for before, after in zip(breaker, breaker[1:], strict=False))
        health = eventually(lambda: moves("health"), 30, "its health", 0.1)
        assert any(to == "unhealthy" for _, to in health), health


def test_a_configuration_is_applied(upstream):
    config = {"providers": {"acme": provider(upstream, api_key="sk-canary-2")}, "server": {"shutdown_timeout": "2s"}}
    with NatsServer() as server, Gateway(config | {"nats": {"url": server.url}}) as gateway:
        gateway.write(config | {"nats": {"url": server.url}, "model_map": {"fast": "acme-large"}})
        [one] = eventually(lambda: notices(server.url, "prism.config.v1"), 30, "the notice", 0.1)
        assert (one["changed"], one["providers"]) == (["model_map"], ["acme"]) and "sk-canary" not in str(one)
