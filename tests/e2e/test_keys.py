"""Client keys: who may ask what, and that no secret ever comes out."""

from __future__ import annotations

import openai
import pytest

from support.gateway import Gateway, ask, provider, run
from support.http1 import Connection
from support.ports import free_port, refused_port
from support.upstream import (
    completion, error_reply, event, json_reply, raw, reset_at_once, sse, stream_frames,
)
from support.waiting import eventually

GOOD = "sk-prism-canary-good-7f3a"
KEYS = {
    "good": {"key": GOOD}, "old": {"key": "sk-prism-canary-old", "expires_at": "2020-01-01T00:00:00Z"},
    "fresh": {"key": "sk-prism-canary-fresh", "expires_at": "2999-01-01T00:00:00Z"},
    "models": {"key": "sk-prism-canary-models", "models": ["acme-l*", "exact"]},
    "providers": {"key": "sk-prism-canary-providers", "providers": ["other"]},
    "elsewhere": {"key": "sk-prism-canary-elsewhere", "allowed_ips": ["10.0.0.0/8", "2001:db8::/32"]},
    "here": {"key": "sk-prism-canary-here", "allowed_ips": ["127.0.0.1"]},
}
UPSTREAM_KEY = "sk-upstream-canary-51c2"


@pytest.fixture(scope="module")
def gateway(upstream, second):
    config = {"auth": {"keys": [{"name": name} | fields for name, fields in KEYS.items()]},
              "providers": {"acme": provider(upstream, "acme-large", "acme-small", api_key=UPSTREAM_KEY),
                            "other": provider(second, "other-model", "acme-large", api_key=UPSTREAM_KEY, priority=1)}}
    with Gateway(config, key=GOOD) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def answers(upstream, second):
    upstream.always(json_reply(completion()))
    second.always(json_reply(completion()))


def bearer(name):
    return [("authorization", f"Bearer {KEYS[name]['key']}")]


@pytest.mark.parametrize("headers", [
    [("authorization", f"Bearer {GOOD}")], [("authorization", f"bearer {GOOD}")], [("x-api-key", GOOD)], [("X-API-Key", GOOD)],
])
def test_a_key_is_taken_as_bearer_and_as_x_api_key(gateway, upstream, headers):
    assert gateway.chat(ask(), headers).status == 200
    assert upstream.last.header("authorization") == f"Bearer {UPSTREAM_KEY}", "the provider gets its own key"
    assert GOOD.encode() not in upstream.last.raw_head


@pytest.mark.parametrize("headers", [
    [("authorization", "")], [("authorization", "Bearer")], [("authorization", "Bearer ")], [("authorization", "Bearer wrong")],
    [("authorization", GOOD)], [("authorization", f"Basic {GOOD}")], [("x-api-key", "")], [("x-api-key", "wrong")],
    [("authorization", f"Bearer {GOOD}x")], [("authorization", f"Bearer {GOOD[:-1]}")], [("authorization", f"Bearer {GOOD.upper()}")],
    [("authorization", "Bearer " + "x" * 5000)], [("authorization", f"Bearer {KEYS['old']['key']}")],
    [("authorization", f"Bearer {UPSTREAM_KEY}")],
])
def test_a_missing_wrong_or_expired_key_is_a_401(gateway, upstream, headers):
    for method, path in [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/metrics")]:
        reply = gateway.call(method, path, ask() if method == "POST" else None, headers)
        assert reply.status == 401, (path, reply)
        assert reply.error()["type"] in ("authentication_error", "invalid_request_error")
    assert not upstream.requests


def test_no_key_at_all_is_a_401_that_says_how(gateway):
    with gateway.connect() as conn:
        conn.request("POST", "/v1/chat/completions", ask())
        reply = conn.reply()
    assert reply.status == 401 and "Bearer" in reply.error()["message"]


def test_the_key_comes_before_the_body(gateway):
    """A stranger learns nothing of models, and its body is not read."""
    with gateway.connect() as conn:
        conn.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        assert conn.reply().status == 401
    assert gateway.chat(b"{", bearer("old")).status == 401
    assert gateway.chat(ask("no-such-model"), bearer("old")).status == 401


def test_a_key_that_has_not_expired_works(gateway):
    assert gateway.chat(ask(), bearer("fresh")).status == 200


@pytest.mark.parametrize("model, status", [("acme-large", 200), ("acme/acme-large", 200), ("acme-small", 403), ("acme/acme-small", 403),
                                           ("other-model", 403)])
def test_a_key_reaches_only_its_models(gateway, model, status):
    reply = gateway.chat(ask(model), bearer("models"))
    assert reply.status == status
    if status == 403:
        assert model.split("/")[-1] in reply.error()["message"]


def test_a_key_sees_only_its_models(gateway):
    ids = {model["id"] for model in gateway.get("/v1/models", bearer("models")).json()["data"]}
    assert any("acme-large" in one for one in ids) and not any("acme-small" in one or "other-model" in one for one in ids)
    assert gateway.get("/v1/models/acme/acme-small", bearer("models")).status in (403, 404)


def test_a_key_reaches_only_its_providers(gateway, upstream, second):
    reply = gateway.chat(ask(), bearer("providers"))
    assert reply.status == 200 and reply.header("x-prism-provider") == "other"
    assert gateway.chat(ask("acme-small"), bearer("providers")).status in (403, 404)
    assert gateway.chat(ask("acme/acme-large"), bearer("providers")).status in (403, 404)
    assert gateway.chat(ask(), [*bearer("providers"), ("x-prism-provider-lock", "acme")]).status in (400, 403, 404)
    second.always(error_reply(503))
    assert gateway.chat(ask(), bearer("providers")).status == 503, "failover stays inside"
    assert not upstream.requests


def test_a_key_works_only_from_its_addresses(gateway):
    assert gateway.chat(ask(), bearer("here")).status == 200
    assert gateway.chat(ask(), bearer("elsewhere")).status == 403
    with Connection(gateway.port, source="127.0.0.9") as conn:
        conn.request("POST", "/v1/chat/completions", ask(), bearer("here"))
        assert conn.reply().status == 403


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded"])
def test_a_forwarded_address_is_not_believed_from_just_anybody(gateway, header):
    value = "for=10.1.2.3" if header == "forwarded" else "10.1.2.3"
    assert gateway.chat(ask(), [*bearer("elsewhere"), (header, value)]).status == 403


def test_a_forwarded_address_is_believed_from_a_trusted_proxy(upstream):
    config = {"server": {"trusted_proxies": ["127.0.0.0/8", "192.168.0.0/16"]}, "providers": {"acme": provider(upstream)},
              "auth": {"keys": [{"name": "x", "key": GOOD, "allowed_ips": ["10.0.0.0/8"]}]}}
    with Gateway(config, key=GOOD) as gateway:
        assert gateway.chat(ask(), [("x-forwarded-for", "10.1.2.3")]).status == 200
        assert gateway.chat(ask(), [("x-forwarded-for", "10.1.2.3, 192.168.0.1")]).status == 200
        assert gateway.chat(ask(), [("x-forwarded-for", "10.1.2.3, 8.8.8.8")]).status == 403, "the last stranger counts"
        assert gateway.chat(ask()).status == 403


def test_the_sdk_sees_typed_errors(gateway):
    with pytest.raises(openai.AuthenticationError):
        gateway.openai(api_key="wrong").models.list()
    with pytest.raises(openai.PermissionDeniedError):
        gateway.openai(api_key=KEYS["models"]["key"]).chat.completions.create(**ask("acme-small"))


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/openapi.json", "/docs/"])
def test_health_and_documents_need_no_key(gateway, path):
    with gateway.connect() as conn:
        conn.request("GET", path)
        assert conn.reply().status == 200


@pytest.mark.parametrize("path", ["/metrics", "/v1/models", "/v1/models/acme/acme-large", "/v1/models/none"])
def test_everything_else_needs_one(gateway, path):
    with gateway.connect() as conn:
        conn.request("GET", path)
        assert conn.reply().status == 401


# Open doors.

def test_another_address_without_keys_is_refused_at_start(upstream):
    done = run("--host", "0.0.0.0", "--port", str(free_port()), timeout=20)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "auth.keys" in said or "auth:" in said or "auth.enabled" in said, said
    assert "0.0.0.0" in said


def test_another_address_is_fine_with_keys_or_when_told_so(upstream):
    for auth in ({"keys": [{"name": "x", "key": GOOD}]}, {"enabled": False}):
        config = {"providers": {"acme": provider(upstream)}, "auth": auth}
        with Gateway(config, key=GOOD) as gateway:
            assert gateway.chat(ask()).status == 200
        with Gateway(config | {"server": {"host": "0.0.0.0"}}, key=GOOD, host=None) as gateway:
            assert gateway.chat(ask()).status == 200


# Canaries: each secret, through every path that could show it.

CANARIES = [GOOD, UPSTREAM_KEY, "canary-header-secret", "canary-wrong-key"]


def assert_nothing_leaks(text: str | bytes, where: str) -> None:
    text = text if isinstance(text, str) else text.decode("utf-8", "replace")
    for canary in CANARIES:
        assert canary not in text, f"{canary} in {where}"


def echoing(status: int):
    """An upstream that repeats the credential, as some do: `Incorrect API key provided: sk-…`."""

    async def script(x):
        text = f"Incorrect API key provided: {x.request.header('authorization')}; header {x.request.header('x-secret')}"
        await error_reply(status, text, [("x-echo", UPSTREAM_KEY)], code=UPSTREAM_KEY, param=UPSTREAM_KEY, type=UPSTREAM_KEY)(x)

    return script


async def echo_in_stream(x):
    key = x.request.header("authorization")
    await sse(stream_frames("hi")[0], event({"error": {"message": f"bad key {key}"}}))(x)


async def echo_as_text(x):
    key = x.request.header("authorization")
    await json_reply(f"<html>{key}</html>".encode(), 502, content_type="text/html")(x)


@pytest.mark.parametrize("level", ["info", "trace"])
def test_no_secret_ever_comes_out(upstream, level):
    config = {"auth": {"keys": [{"name": "app", "key": GOOD}]}, "logging": {"level": level},
              "providers": {"acme": provider(upstream, api_key=UPSTREAM_KEY, headers={"x-secret": "canary-header-secret"}, discover=1),
                            "dead": {"base_url": f"http://127.0.0.1:{refused_port()}/v1", "models": ["dead-model"], "api_key": UPSTREAM_KEY}}}
    scripts = [echoing(status) for status in (400, 401, 403, 404, 422, 429, 500, 503)]
    scripts += [echo_in_stream, echo_as_text, reset_at_once, raw(UPSTREAM_KEY.encode() + b"\r\n\r\n"), json_reply(completion())]
    upstream.models = echoing(401)
    with Gateway(config, key=GOOD) as gateway:
        eventually(lambda: upstream.listings, what="the models to be listed")
        seen = []
        for script in scripts:
            for stream in (False, True):
                upstream.script(script)
                seen.append(gateway.chat(ask(stream=stream)))
        assert upstream.last.header("x-secret") == "canary-header-secret"
        seen.append(gateway.chat(ask("dead-model")))
        for headers in ([("authorization", "Bearer canary-wrong-key")], [("x-api-key", "canary-wrong-key")]):
            seen.append(gateway.chat(ask(), headers))
        seen.append(gateway.get("/v1/models?key=canary-wrong-key"))
        seen += [gateway.get(path) for path in ("/metrics", "/healthz", "/readyz", "/v1/providers/health", "/v1/models",
                                                "/openapi.json", "/v1/nonsense", "/v1/models/none")]
        for reply in seen:
            assert_nothing_leaks(reply.raw_head + reply.body, f"an answer: {reply}")
        gateway.stop()
        assert_nothing_leaks(gateway.output, "the log")
        assert "panicked" not in gateway.output


def test_a_secret_does_not_come_out_of_a_mistake_in_the_file(upstream, tmp_path):
    file = tmp_path / "prism.yaml"
    file.write_text(f"providers:\n  acme: {{base_url: 'http://x/v1', api_key: {UPSTREAM_KEY}, api_keyy: {GOOD}, timeouts: 5}}\n"
                    f"auth:\n  keys: [{{name: a, key: {GOOD}, expires_at: nonsense}}, {{name: b, key: {GOOD}}}]\n")
    done = run("check", "--config", str(file))
    assert done.returncode != 0
    assert_nothing_leaks(done.stdout + done.stderr, "prism check")
