"""HTTP/2 and TLS at the door, and TLS towards providers."""

from __future__ import annotations

import socket
import ssl
import time

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import trustme

from support.gateway import Gateway, ask, provider
from support.http1 import Connection, ConnectionEnded
from support.upstream import Upstream, chunk, completion, event, json_reply, sse, stream_frames
from support.waiting import eventually

PREFACE = {":method": "POST", ":path": "/v1/chat/completions", ":scheme": "http", ":authority": "prism.test",
           "content-type": "application/json"}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    """Certificate, key and authority as PEM files."""
    folder = tmp_path_factory.mktemp("tls")
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return {name: str(folder / f"{name}.pem") for name in ("key", "cert", "ca")}


def trusting(authority, alpn=("http/1.1",)) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(list(alpn))
    return context


@pytest.fixture(scope="module")
def secure(upstream, files):
    config = {"server": {"tls": {"cert_file": files["cert"], "key_file": files["key"]}}, "providers": {"acme": provider(upstream)}}
    with Gateway(config) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def plain(upstream):
    with Gateway({"providers": {"acme": provider(upstream)}}) as gateway:
        yield gateway


def test_http_1_over_tls(secure, upstream, authority):
    upstream.always(json_reply(completion()))
    with Connection(secure.port, tls=trusting(authority)) as conn:
        assert conn.sock.selected_alpn_protocol() == "http/1.1"
        conn.request("POST", "/v1/chat/completions", ask())
        assert conn.reply().json() == completion()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_http_2_over_tls_by_alpn(secure, upstream, authority, stream):
    frames = stream_frames("a", "b")
    upstream.always(sse(*frames) if stream else json_reply(completion()))
    with httpx.Client(http2=True, verify=trusting(authority, ("h2", "http/1.1"))) as client:
        reply = client.post(f"https://localhost:{secure.port}/v1/chat/completions", json=ask(stream=stream))
        assert reply.http_version == "HTTP/2" and reply.status_code == 200
        assert reply.content == b"".join(frames) if stream else reply.json() == completion()
        assert reply.headers["x-prism-provider"] == "acme"
        missing = client.get(f"https://localhost:{secure.port}/nonsense")
        assert missing.status_code == 404 and missing.json()["error"]["message"]


def test_the_openai_sdk_over_tls(secure, upstream, authority):
    import httpx2
    import openai

    upstream.always(json_reply(completion()))
    client = openai.OpenAI(base_url=f"https://localhost:{secure.port}/v1", api_key="x",
                           http_client=httpx2.Client(verify=trusting(authority)))
    assert client.chat.completions.create(**ask()).choices[0].message.content == "pong"


def test_plain_http_on_a_tls_port_gets_no_answer_and_hurts_nobody(secure, authority):
    with Connection(secure.port, timeout=5) as conn:
        conn.request("GET", "/healthz")
        with pytest.raises((ConnectionEnded, ConnectionError)):
            conn.reply()
    with Connection(secure.port, tls=trusting(authority)) as conn:
        conn.request("GET", "/healthz")
        assert conn.reply().status == 200


def test_a_silent_handshake_holds_up_nobody(secure, authority):
    silent = [Connection(secure.port) for _ in range(10)]
    with Connection(secure.port, tls=trusting(authority), timeout=5) as conn:
        conn.request("GET", "/healthz")
        assert conn.reply().status == 200
    for conn in silent:
        conn.close()


def test_old_tls_is_refused(secure, authority):
    context = trusting(authority)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        Connection(secure.port, tls=context)


def test_clients_without_a_certificate_are_refused_when_certificates_are_asked_for(upstream, authority, files):
    upstream.always(json_reply(completion()))
    tls = {"cert_file": files["cert"], "key_file": files["key"], "client_ca_file": files["ca"]}

    def asked(context):
        with Connection(gateway.port, tls=context, timeout=5) as conn:
            conn.request("POST", "/v1/chat/completions", ask())
            return conn.reply().status

    with Gateway({"server": {"tls": tls}, "providers": {"acme": provider(upstream)}}) as gateway:
        with pytest.raises((ssl.SSLError, ConnectionError, ConnectionEnded)):
            asked(trusting(authority))
        stranger = trusting(authority)
        trustme.CA().issue_cert("stranger").configure_cert(stranger)
        with pytest.raises((ssl.SSLError, ConnectionError, ConnectionEnded)):
            asked(stranger)
        assert not upstream.requests
        known = trusting(authority)
        authority.issue_cert("client").configure_cert(known)
        assert asked(known) == 200


@pytest.mark.parametrize("broken", [{"cert_file": "no-such.pem"}, {"key_file": "cert"}, {"cert_file": "key"}])
def test_unusable_tls_files_keep_it_from_starting_and_are_named(upstream, files, broken):
    tls = {"cert_file": files["cert"], "key_file": files["key"]} | {name: files.get(value, value) for name, value in broken.items()}
    gateway = Gateway({"server": {"tls": tls}, "providers": {"acme": provider(upstream)}})
    with pytest.raises(AssertionError) as raised:
        gateway.__enter__()
    assert "panicked" not in str(raised.value) and ".pem" in str(raised.value)


def test_new_certificates_are_used_without_a_restart_and_cut_nothing(upstream, tmp_path):
    """Renewed as certbot does it, one file after the other; the old pair serves until both are there."""
    def issue(authority, *parts):
        leaf = authority.issue_cert("localhost", "127.0.0.1")
        texts = {"cert": b"".join(blob.bytes() for blob in leaf.cert_chain_pems), "key": leaf.private_key_pem.bytes()}
        for part in parts:
            fresh = tmp_path / f"{part}.new"
            fresh.write_bytes(texts[part])
            fresh.replace(tmp_path / f"{part}.pem")
        return texts

    def serves(authority):
        try:
            with Connection(gateway.port, tls=trusting(authority), timeout=5) as conn:
                conn.request("GET", "/healthz")
                return conn.reply().status == 200
        except ssl.SSLError:
            return False

    old, new = trustme.CA(), trustme.CA()
    issue(old, "cert", "key")
    tls = {"cert_file": str(tmp_path / "cert.pem"), "key_file": str(tmp_path / "key.pem")}
    with Gateway({"server": {"tls": tls}, "providers": {"acme": provider(upstream)}}) as gateway:
        with Connection(gateway.port, tls=trusting(old)) as conn:
            conn.request("POST", "/v1/chat/completions", ask(stream=True))
            call = upstream.take()
            call.stream_head()
            call.chunk(event(chunk({"content": "a"})))
            texts = issue(new, "cert")
            eventually(lambda: "the last good one stays" in gateway.output)
            assert serves(old) and not serves(new), "a certificate without its key changes nothing"
            (tmp_path / "key.new").write_bytes(texts["key"])
            (tmp_path / "key.new").replace(tmp_path / "key.pem")
            eventually(lambda: serves(new))
            assert not serves(old)
            for frame in stream_frames("b"):
                call.chunk(frame)
            call.end()
            assert b"[DONE]" in conn.reply().body, "an open connection goes on"


# HTTP/2 without TLS, by prior knowledge.

class H2:
    """One h2c connection, driven by hand."""

    def __init__(self, port: int):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.seen: dict[int, list] = {}
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def post(self, body: bytes, **headers: str) -> int:
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, list((PREFACE | headers).items()))
        self.h2.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def read(self) -> None:
        data = self.sock.recv(1 << 16)
        assert data, "the connection was closed"
        for happened in self.h2.receive_data(data):
            self.seen.setdefault(getattr(happened, "stream_id", None) or 0, []).append(happened)
            if isinstance(happened, h2.events.DataReceived):
                self.h2.acknowledge_received_data(happened.flow_controlled_length, happened.stream_id)
        self.flush()

    def of(self, stream: int, kind: type) -> list:
        return [happened for happened in self.seen.get(stream, []) if isinstance(happened, kind)]

    def until(self, stream: int, kind: type) -> None:
        while not self.of(stream, kind):
            self.read()

    def answer(self, stream: int) -> tuple[int, bytes]:
        self.until(stream, h2.events.StreamEnded)
        status = dict(self.of(stream, h2.events.ResponseReceived)[0].headers)[":status"]
        return int(status), b"".join(data.data for data in self.of(stream, h2.events.DataReceived))


def body(**extra) -> bytes:
    import json

    return json.dumps(ask(**extra)).encode()


def test_h2c_carries_many_requests_on_one_connection(plain, upstream):
    upstream.always(json_reply(completion()))
    client = H2(plain.port)
    streams = [client.post(body()) for _ in range(20)]
    for stream in streams:
        status, answer = client.answer(stream)
        assert status == 200 and b"pong" in answer
    assert upstream.last.body == body()


def test_a_cancelled_h2_stream_ends_its_upstream_call_and_no_other(plain, upstream):
    """RST_STREAM is how a client leaves on HTTP/2: the connection stays."""
    client = H2(plain.port)
    stream = client.post(body(stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(event(chunk({"content": "a"})))
    client.until(stream, h2.events.DataReceived)
    other = client.post(body(stream=True))
    second_call = upstream.take()
    client.h2.reset_stream(stream)
    left = time.monotonic()
    client.flush()
    took = call.closed_within(left)
    print(f"upstream saw the close after {took * 1000:.1f} ms")
    assert took < 0.3
    assert not second_call.is_closed
    second_call.run(sse(*stream_frames("b")))
    assert client.answer(other) == (200, b"".join(stream_frames("b")))


def test_bad_input_over_h2_gets_an_envelope(plain):
    client = H2(plain.port)
    for data, expected in ((b"{", 400), (body(model="nobody"), 404)):
        status, answer = client.answer(client.post(data))
        assert status == expected and b'"error"' in answer


# Towards providers.

@pytest.fixture(scope="module")
def secure_upstream(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Upstream(tls=context) as upstream:
        yield upstream


def test_a_provider_with_a_certificate_of_an_own_authority(secure_upstream, files):
    secure_upstream.reset()
    secure_upstream.always(json_reply(completion()))
    config = {"providers": {"trusted": provider(secure_upstream, "trusted-model", ca_file=files["ca"]),
                            "careless": provider(secure_upstream, "careless-model", skip_tls=True),
                            "strict": provider(secure_upstream, "strict-model", timeouts={"connect": "2s"})}}
    with Gateway(config) as gateway:
        assert gateway.chat(ask("trusted-model")).status == 200
        assert gateway.chat(ask("careless-model")).status == 200
        reply = gateway.chat(ask("strict-model"))
        assert reply.status == 502 and reply.error(), "an unknown authority is not trusted"
    assert len(secure_upstream.requests) == 2
