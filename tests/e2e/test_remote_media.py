"""Images and documents that a request names by address, fetched for a provider that takes only bytes."""

from __future__ import annotations

import base64
import ssl
import time

import pytest
import trustme

from support.gateway import Gateway
from support.upstream import Exchange, Upstream, error_reply, json_reply, silence

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "a cat"}]}}, "stopReason": "end_turn",
          "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = trustme.CA()
    authority.path = str(tmp_path_factory.mktemp("ca") / "ca.pem")
    authority.cert_pem.write_to_path(authority.path)
    return authority


class Host(Upstream):
    """It is asked with GET, which other upstreams take for the list of models."""

    def _choose(self, request):
        self.requests.append(request)
        return self.scripts.popleft() if self.scripts else self.default


@pytest.fixture(scope="module")
def host(authority):
    """Where the images are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with Host(tls=context) as upstream:
        yield upstream


@pytest.fixture(autouse=True)
def fresh(host):
    host.reset()
    yield
    assert not host.problems, host.problems


def bedrock(upstream, **extra) -> dict:
    return {"type": "bedrock", "region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up",
            "base_url": upstream.origin, "models": [MODEL], "discover": False} | extra


def start(host, authority, providers: dict, server: dict | None = None, **limits) -> Gateway:
    security = {"fetch_remote_media": True, "remote_media_hosts": [f"127.0.0.1:{host.port}"],
                "remote_media_ca_file": authority.path, "remote_media_max_size": 2000, "remote_media_max_total": 3000,
                "remote_media_max_count": 4, "remote_media_timeout": "1s"}
    return Gateway({"providers": providers, "security": security | limits} | ({"server": server} if server else {}))


@pytest.fixture(scope="module")
def gateway(upstream, second, host, authority):
    with start(host, authority, {"one": bedrock(upstream), "two": bedrock(second)}) as gateway:
        yield gateway


def found(body: bytes = PNG, content_type: str = "image/png", headers=()):
    async def script(x: Exchange) -> None:
        await x.head(200, [("content-type", content_type), ("content-length", str(len(body))), *headers])
        await x.send(body)
        x.keep_alive = True

    return script


def moved(to: str, status: int = 302):
    async def script(x: Exchange) -> None:
        await x.head(status, [("location", to), ("content-length", "0")])
        x.keep_alive = True

    return script


def image(url: str) -> dict:
    return {"type": "image_url", "image_url": {"url": url}}


def ask(*parts: dict, **extra) -> dict:
    return {"model": MODEL, "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, *parts]}]} | extra


def refused(gateway, *parts: dict) -> str:
    """The message of a 400 that names the first part."""
    reply = gateway.chat(ask(*parts), headers=[("x-prism-provider-lock", "one")])
    error = reply.error()
    assert reply.status == 400 and error["code"] == "media_not_fetched", (reply.status, reply.body)
    assert error["param"].startswith("messages[0].content["), error
    return error["message"]


def test_an_image_is_fetched_once_for_all_attempts_and_sent_as_bytes(gateway, upstream, second, host):
    host.always(found())
    upstream.always(error_reply(500))
    second.always(json_reply(ANSWER))
    url = f"{host.origin}/cat.png?size=1"
    reply = gateway.chat(ask(image(url), image(url)), headers=[("authorization", "Bearer secret-of-client"), ("cookie", "a=b")])
    assert reply.status == 200, reply.body
    assert reply.json()["choices"][0]["message"]["content"] == "a cat"
    for provider in (upstream, second):
        content = provider.last.json()["messages"][0]["content"]
        assert content[1:] == [{"image": {"format": "png", "source": {"bytes": base64.b64encode(PNG).decode()}}}] * 2
    assert [request.path for request in host.requests] == ["/cat.png?size=1"]
    sent = host.last.headers
    assert {name.lower() for name, _ in sent} == {"host", "accept", "user-agent"} and "secret" not in str(sent)


def test_a_document_is_fetched_and_named_by_its_address(gateway, upstream, host):
    host.always(found(b"%PDF-1.7 ...", "application/octet-stream"))
    upstream.always(json_reply(ANSWER))
    part = {"type": "file", "file": {"file_data": f"{host.origin}/a/report.pdf?x#y"}}
    assert gateway.chat(ask(part), headers=[("x-prism-provider-lock", "one")]).status == 200
    document = upstream.last.json()["messages"][0]["content"][1]["document"]
    assert document == {"format": "pdf", "name": "report", "source": {"bytes": base64.b64encode(b"%PDF-1.7 ...").decode()}}


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_an_image_that_is_too_large_is_not_read_to_its_end(gateway, upstream, host, declared):
    async def large(x: Exchange) -> None:
        await x.head(200, [("content-type", "image/png"), ("content-length", "4000000") if declared else ("transfer-encoding", "chunked")])
        for _ in range(0 if declared else 3):
            await x.chunk(PNG)
        await x.gone()

    host.always(large)
    assert "`security.remote_media_max_size`" in refused(gateway, image(f"{host.origin}/large"))
    assert not upstream.requests


def test_all_images_of_a_request_together_have_limits(gateway, upstream, host):
    host.always(found())
    images = [image(f"{host.origin}/{number}") for number in range(4)]
    assert "`security.remote_media_max_total`" in refused(gateway, *images[:3])
    host.reset()
    assert "`security.remote_media_max_count`" in refused(gateway, *images, image(f"{host.origin}/one-more"))
    assert not upstream.requests and not host.requests


def test_images_draw_from_the_memory_of_all_bodies(upstream, host, authority):
    host.always(found(PNG + bytes(60_000)))
    upstream.always(json_reply(ANSWER))
    roomy = {"remote_media_max_size": 100_000, "remote_media_max_total": 200_000}
    with start(host, authority, {"one": bedrock(upstream)}, server={"max_request_body_size": 50_000, "max_body_memory": 50_000}, **roomy) as gateway:
        reply = gateway.chat(ask(image(f"{host.origin}/large")))
        assert reply.status == 503 and int(reply.header("retry-after")) >= 1
        assert reply.error()["code"] == "gateway_full" and "server.max_body_memory" in reply.error()["message"]
        assert not upstream.requests
        host.always(found())
        assert gateway.chat(ask(image(f"{host.origin}/small"))).status == 200
        assert gateway.metrics().total("prism_body_memory_bytes") == 0


@pytest.mark.parametrize("body, content_type", [(b"<html>not found</html>", "text/html"), (b"<html>", "image/png"), (PNG, "text/html"),
                                                (b"BM....", "image/bmp"), (b"", "image/png"), (b"%PDF-1.7", "application/pdf")])
def test_what_is_no_image_is_refused(gateway, upstream, host, body, content_type):
    host.always(found(body, content_type))
    assert "image/png, image/jpeg, image/gif, image/webp" in refused(gateway, image(f"{host.origin}/x.png"))
    assert not upstream.requests


def test_what_an_image_is_its_bytes_say(gateway, upstream, host):
    host.always(found(b"\xff\xd8\xff\xe0", "image/png"))
    upstream.always(json_reply(ANSWER))
    assert gateway.chat(ask(image(f"{host.origin}/x.png")), headers=[("x-prism-provider-lock", "one")]).status == 200
    assert upstream.last.json()["messages"][0]["content"][1]["image"]["format"] == "jpeg"


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"])
def test_private_addresses_are_not_connected_to_by_whatever_name(gateway, upstream, host, name):
    """The same server is allowed as `127.0.0.1:PORT`; `localhost` stands for any name that resolves inside."""
    host.always(found())
    began = time.monotonic()
    why = refused(gateway, image(f"https://{name}:{host.port}/x.png"))
    assert "no public address" in why or (name in ("127.1", "2130706433") and "could not be reached" in why)  # no names for TLS
    assert time.monotonic() - began < 0.9 and not host.requests and not upstream.requests


@pytest.mark.parametrize("to", ["https://localhost:{port}/y", "https://169.254.169.254/latest/meta-data/", "http://127.0.0.1:{port}/y",
                                "//localhost:{port}/y", "file:///etc/passwd", "https://a:b@127.0.0.1:{port}/"])
def test_a_redirect_passes_the_guard_again(gateway, upstream, host, to):
    host.script(moved(to.format(port=host.port)))
    host.always(found())
    message = refused(gateway, image(f"{host.origin}/x.png"))
    assert "169.254" not in message and "localhost" not in message
    assert len(host.requests) == 1 and not upstream.requests


def test_two_redirects_are_followed_and_no_third(gateway, upstream, host):
    upstream.always(json_reply(ANSWER))
    host.script(moved("/b", 301), moved(f"{host.origin}/c", 307), found())
    assert gateway.chat(ask(image(f"{host.origin}/a")), headers=[("x-prism-provider-lock", "one")]).status == 200
    assert [request.path for request in host.requests] == ["/a", "/b", "/c"]
    host.always(moved("/again"))
    assert "redirected more than 2 times" in refused(gateway, image(f"{host.origin}/a"))


def test_a_slow_host_is_not_waited_for(gateway, upstream, host):
    async def drip(x: Exchange) -> None:
        await x.head(200, [("content-type", "image/png"), ("content-length", "1000")])
        await x.send(PNG[:20])
        await x.gone()

    for script in (silence, drip):
        host.always(script)
        began = time.monotonic()
        assert "did not arrive in time" in refused(gateway, image(f"{host.origin}/x.png"))
        assert 0.9 < time.monotonic() - began < 2
    assert not upstream.requests


def test_the_requests_own_deadline_is_shorter(gateway, host):
    host.always(silence)
    began = time.monotonic()
    reply = gateway.chat(ask(image(f"{host.origin}/x.png")), headers=[("x-prism-request-timeout", "300")])
    assert reply.status == 400 and time.monotonic() - began < 0.9


@pytest.mark.parametrize("status", [404, 403, 500])
def test_an_error_of_the_host_is_the_callers(gateway, upstream, host, status):
    host.always(error_reply(status, "secret text"))
    message = refused(gateway, image(f"{host.origin}/x.png"))
    assert str(status) in message and "secret" not in message


def test_an_unknown_authority_is_not_trusted(upstream, host, authority):
    with start(host, authority, {"one": bedrock(upstream)}, remote_media_ca_file=None) as gateway:
        host.always(found())
        assert "could not be reached" in refused(gateway, image(f"{host.origin}/x.png"))


def test_only_https_is_fetched(gateway, upstream, host):
    assert "only https" in refused(gateway, image(f"http://127.0.0.1:{host.port}/x.png"))
    assert not host.requests


def test_nothing_is_fetched_unless_the_operator_says_so(upstream, host, authority):
    host.always(found())
    upstream.always(json_reply(ANSWER))
    config = {"providers": {"one": bedrock(upstream)}}
    with Gateway(config) as gateway:
        for part, param in ((image(f"{host.origin}/x.png"), "image_url.url"), ({"type": "file", "file": {"file_id": f"{host.origin}/x"}}, "file.file_id")):
            reply = gateway.chat(ask(part))
            assert reply.status == 400 and reply.error()["param"] == f"messages[0].content[1].{param}"
            assert "`security: {fetch_remote_media: true}`" in reply.error()["message"]
        assert not host.requests and not upstream.requests


def test_it_is_switched_on_while_running(upstream, host, authority):
    from support.waiting import eventually

    host.always(found())
    upstream.always(json_reply(ANSWER))
    config = {"server": {"shutdown_timeout": "2s"}, "providers": {"one": bedrock(upstream)}}
    with Gateway(config) as gateway:
        assert gateway.chat(ask(image(f"{host.origin}/x.png"))).status == 400
        gateway.write(config | {"security": {"fetch_remote_media": True, "remote_media_hosts": [f"127.0.0.1:{host.port}"],
                                             "remote_media_ca_file": authority.path}})
        eventually(lambda: gateway.chat(ask(image(f"{host.origin}/x.png"))).status == 200)


def test_requests_without_addresses_are_untouched(gateway, upstream, host):
    upstream.always(json_reply(ANSWER))
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert gateway.chat(ask(image(data)), headers=[("x-prism-provider-lock", "one")]).status == 200
    assert not host.requests
