"""Usage events reach NATS JetStream, each once, whatever happens to NATS or to the gateway; and no request waits for it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import threading
import time

import pytest
import trustme

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.nats import STREAM, NatsCluster, NatsServer, eventually_stored, ids, run, stored
from support.upstream import completion, json_reply
from support.waiting import eventually

MODEL = "acme-large"


@pytest.fixture(autouse=True)
def answers(request):
    if "upstream" in request.fixturenames:
        request.getfixturevalue("upstream").always(json_reply(completion("hello")))


def config(upstream, url: str | None, nats: dict | None = None, **extra) -> dict:
    whole = {"providers": {"acme": provider(upstream, MODEL, "gpt-4.1")}, "routing": ONE_TRY} | extra
    return whole | ({"nats": {"url": url} | (nats or {})} if url else {})


def call(gateway: Gateway, count: int = 1, model: str = MODEL) -> list[str]:
    """The ids of so many answered requests."""
    replies = [gateway.chat(ask(model)) for _ in range(count)]
    assert all(reply.status == 200 for reply in replies), [reply.status for reply in replies]
    return [reply.header("x-prism-request-id") for reply in replies]


def warnings(gateway: Gateway) -> list[str]:
    reply = gateway.get("/readyz")
    assert reply.status == 200, reply.body
    return reply.json().get("warnings", [])


def connected(gateway: Gateway) -> None:
    eventually(lambda: not warnings(gateway), 30, "the connection to NATS", 0.05)


def test_an_event_is_published_under_its_own_subject(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        [made] = call(gateway, model="gpt-4.1")
        assert gateway.chat(ask("unknown-model")).status == 404  # not admitted: no event
        [found] = eventually_stored(server.url, 1)
        assert (found.subject, found.id) == ("prism.usage.v1.default.acme.gpt-4%2E1", made)
        assert found.event["request_id"] == made and found.event["status"] == "answered"
        assert gateway.metrics().total("prism_nats_connected") == 1
        eventually(lambda: gateway.metrics().total("prism_nats_acknowledged_total") == 1)
        eventually(lambda: gateway.metrics().total("prism_nats_behind_bytes") == 0)


def test_the_stream_is_made_as_configured(upstream):
    usage = {"stream": "EVENTS", "dedup_window": "5m", "max_age": "1d"}
    with NatsServer() as server, Gateway(config(upstream, server.url, usage=usage)) as gateway:
        connected(gateway)

        async def info(client):
            return await client.jetstream().stream_info("EVENTS")
        made = run(server.url, info).config
        assert (made.duplicate_window, made.max_age, made.num_replicas) == (300, 86400, 1)
        assert made.subjects == ["prism.usage.v1.>", "prism.provider.v1.>", "prism.config.v1", "prism.key.v1.>"]
        assert made.discard == "new" and made.retention == "limits" and made.storage == "file"


def test_a_stream_that_is_there_is_used_as_it_is_or_refused_by_name(upstream):
    with NatsServer() as server:
        async def add(client):
            await client.jetstream().add_stream(name=STREAM, subjects=["prism.>"], duplicate_window=7)
        run(server.url, add)
        with Gateway(config(upstream, server.url)) as gateway:
            call(gateway)
            eventually_stored(server.url, 1)
            assert "its dedup window is 7 s" in gateway.output

        async def narrow(client):
            # not deleted and made again: the server may still be clearing away the files of the first
            await client.jetstream().update_stream(name=STREAM, subjects=["prism.usage.v1.acme.>"], duplicate_window=7)
        run(server.url, narrow)
        with Gateway(config(upstream, server.url)) as gateway:
            call(gateway)
            eventually(lambda: "does not take `prism.usage.v1.>`" in "".join(warnings(gateway)), what="the warning")


def test_it_starts_serves_and_stops_without_nats_and_nothing_is_lost(upstream):
    server = NatsServer()
    with Gateway(config(upstream, server.url)) as gateway:
        early = call(gateway, 20)
        eventually(lambda: "usage events wait in the spool" in "".join(warnings(gateway)), what="the warning")
        assert gateway.metrics().total("prism_nats_connected") == 0
        assert gateway.metrics().total("prism_nats_behind_bytes") > 0
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < 10
        with server:
            gateway.start()
            late = call(gateway, 5)
            found = eventually_stored(server.url, 25)
            assert sorted(one.id for one in found) == sorted(early + late)


def test_a_server_that_never_says_a_word_harms_nobody(upstream):
    silent = socket.create_server(("127.0.0.1", 0))
    with Gateway(config(upstream, f"nats://127.0.0.1:{silent.getsockname()[1]}")) as gateway:
        call(gateway, 20)
        eventually(lambda: "it does not answer" in "".join(warnings(gateway)), 30, "the warning")
        assert gateway.stop() == 0
    silent.close()


def test_a_frozen_server_and_a_restarted_one_double_nothing(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        made = call(gateway, 10)
        server.freeze()
        made += call(gateway, 10)
        eventually(lambda: warnings(gateway), 60, "the warning", 0.1)
        server.thaw()
        made += call(gateway, 10)
        assert sorted(one.id for one in eventually_stored(server.url, 30, 60)) == sorted(made)
        for _ in range(3):
            server.kill()
            made += call(gateway, 10)
            server.start()
            made += call(gateway, 10)
            eventually_stored(server.url, len(made), 60)
        assert sorted(ids(server.url)) == sorted(made)


def test_the_rest_is_published_before_the_process_ends(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        connected(gateway)
        made = call(gateway, 50)
        assert gateway.stop() == 0
        assert sorted(ids(server.url)) == sorted(made)


def test_a_killed_gateway_loses_and_doubles_nothing(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        connected(gateway)
        made = []
        for _ in range(3):
            made += call(gateway, 30)
            gateway.kill()
            gateway.start()
        assert sorted(one.id for one in eventually_stored(server.url, len(made), 60)) == sorted(made)


def test_past_the_dedup_window_the_stream_itself_is_asked(upstream):
    """What was stored and not released by a killed process is old enough that the server has forgotten its id."""
    usage = {"dedup_window": "1s"}
    with NatsServer() as server, Gateway(config(upstream, server.url, usage=usage)) as gateway:
        connected(gateway)
        first = call(gateway, 5)
        eventually_stored(server.url, 5)
        eventually(lambda: gateway.metrics().total("prism_nats_behind_bytes") == 0)
        spool = gateway.folder / "data/spool/0"
        cursor = (spool / "nats.cursor").read_bytes()
        made = call(gateway, 40)
        eventually_stored(server.url, 45)
        gateway.kill()
        (spool / "nats.cursor").write_bytes(cursor)  # as if it had died before it could write that down
        time.sleep(1.5)
        gateway.start()
        made += call(gateway, 5)
        found = [one.id for one in eventually_stored(server.url, 50, 60)]
        assert sorted(found) == sorted(first + made)
        assert gateway.metrics().total("prism_nats_duplicates_total") == 40
        assert "held=40" in gateway.output or '"held":40' in gateway.output


def test_a_full_stream_keeps_the_rest_in_the_spool_until_there_is_room(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        connected(gateway)

        async def limit(client, most=10):
            js = client.jetstream()
            known = (await js.stream_info(STREAM)).config
            known.max_msgs = most
            await js.update_stream(known)
        run(server.url, limit)
        made = call(gateway, 30)
        eventually(lambda: "maximum messages exceeded" in "".join(warnings(gateway)), 30, "the warning", 0.05)
        made += call(gateway, 5)
        run(server.url, lambda client: limit(client, 1000))
        assert sorted(one.id for one in eventually_stored(server.url, 35, 60)) == sorted(made)


def test_a_deleted_stream_is_made_again(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        call(gateway, 3)
        eventually_stored(server.url, 3)

        async def delete(client):
            await client.jetstream().delete_stream(STREAM)
        run(server.url, delete)
        made = call(gateway, 3)
        assert sorted(one.id for one in eventually_stored(server.url, 3, 60)) == sorted(made)


def test_servers_change_with_the_configuration_while_running(upstream):
    with NatsServer() as one, NatsServer() as other, Gateway(config(upstream, one.url)) as gateway:
        call(gateway, 3)
        eventually_stored(one.url, 3)
        changed = config(upstream, other.url)
        changed["server"] = {"shutdown_timeout": "2s"}
        gateway.write(changed)
        eventually(lambda: "configuration applied" in gateway.output, 20, "the reload")
        made = call(gateway, 3)
        assert sorted(found.id for found in eventually_stored(other.url, 3)) == sorted(made)
        assert len(ids(one.url)) == 3


def test_what_another_gateway_left_in_the_same_store_is_published_too(upstream, tmp_path):
    store = {"path": str(tmp_path / "data")}
    with NatsServer() as server:
        with Gateway(config(upstream, None, store=store)) as dead:
            made = call(dead, 10)
            dead.kill()
            dead.start()  # so that the block ends well
            with Gateway(config(upstream, server.url, store=store)) as living:
                made += call(living, 5)
                eventually_stored(server.url, 5)
                assert dead.stop() == 0
                found = eventually_stored(server.url, 15, 60)
                assert sorted(one.id for one in found) == sorted(made)


def nkey(prefix: int) -> tuple[str, str]:
    """A user's seed and public key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def encoded(raw: bytes) -> str:
        import binascii
        return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")
    raw = os.urandom(32)
    public = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    seed = bytes([(18 << 3) | (prefix >> 5), (prefix & 31) << 3]) + raw
    return encoded(seed), encoded(bytes([prefix]) + public)


@pytest.mark.parametrize("way", ["token", "user", "nkey", "nkey_file"])
def test_it_logs_in(upstream, way, tmp_path):
    seed, public = nkey(20 << 3)
    server_side, gateway_side, client = {
        "token": ('authorization { token: "t0ken" }', {"token": "t0ken"}, {"token": "t0ken"}),
        "user": ('authorization { user: "u", password: "p w" }', {"user": "u", "password": "${NATS_PASSWORD}"},
                 {"user": "u", "password": "p w"}),
        "nkey": (f'authorization {{ users: [{{ nkey: "{public}" }}, {{ user: "t", password: "t" }}] }}', {"nkey": seed},
                 {"user": "t", "password": "t"}),
        "nkey_file": (f'authorization {{ users: [{{ nkey: "{public}" }}, {{ user: "t", password: "t" }}] }}',
                      {"nkey_file": str(tmp_path / "seed")}, {"user": "t", "password": "t"}),
    }[way]
    (tmp_path / "seed").write_text(f"# a comment\n{seed}\n")
    with NatsServer(server_side) as server:
        with Gateway(config(upstream, server.url, gateway_side), env={"NATS_PASSWORD": "p w"}) as gateway:
            call(gateway)
            assert len(eventually_stored(server.url, 1, **client)) == 1
        with Gateway(config(upstream, server.url)) as stranger:
            call(stranger)
            eventually(lambda: "Authorization Violation" in "".join(warnings(stranger)), 20, "the warning")
            assert seed not in stranger.output


def test_it_logs_in_with_a_credentials_file(upstream, tmp_path):
    """An operator, an account and a user, as `nsc` makes them; the tokens are signed here."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    operator, account, user, system = (nkey(kind << 3) for kind in (14, 0, 20, 0))

    def signed(issuer: tuple[str, str], subject: str, name: str, about: dict) -> str:
        def part(value) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
        claims = {"jti": name, "iat": int(time.time()), "iss": issuer[1], "name": name, "sub": subject, "nats": about}
        text = f'{part({"typ": "JWT", "alg": "ed25519-nkey"})}.{part(claims)}'
        raw = base64.b32decode(issuer[0] + "=" * (-len(issuer[0]) % 8))[2:34]
        signature = Ed25519PrivateKey.from_private_bytes(raw).sign(text.encode())
        return f'{text}.{base64.urlsafe_b64encode(signature).decode().rstrip("=")}'

    unlimited = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1,
                 "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    operator_jwt = signed(operator, operator[1], "o", {"type": "operator", "version": 2, "system_account": system[1]})
    account_jwt = signed(operator, account[1], "a", {"type": "account", "version": 2, "limits": unlimited})
    system_jwt = signed(operator, system[1], "s", {"type": "account", "version": 2, "limits": unlimited | {"disk_storage": 0, "mem_storage": 0}})
    user_jwt = signed(account, user[1], "u", {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1})
    credentials = tmp_path / "user.creds"
    credentials.write_text(f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
                           f"-----BEGIN USER NKEY SEED-----\n{user[0]}\n------END USER NKEY SEED------\n")
    server_side = f"""
        operator: "{operator_jwt}"
        system_account: "{system[1]}"
        resolver: MEMORY
        resolver_preload: {{ {account[1]}: "{account_jwt}", {system[1]}: "{system_jwt}" }}
    """
    with NatsServer(server_side) as server:
        with Gateway(config(upstream, server.url, {"credentials_file": str(credentials)})) as gateway:
            call(gateway)
            eventually(lambda: gateway.metrics().total("prism_nats_acknowledged_total") == 1, 20, "the acknowledgement")


@pytest.mark.parametrize("first", [False, True])
def test_tls_with_certificates_on_both_sides(upstream, tmp_path, first):
    ca, other = trustme.CA(), trustme.CA()
    for name, cert in (("server", ca.issue_cert("127.0.0.1", "localhost")), ("client", ca.issue_cert("gateway@example.com"))):
        cert.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        cert.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    server_side = f"""
        tls {{ cert_file: "{tmp_path / 'server.pem'}", key_file: "{tmp_path / 'server.key'}", ca_file: "{tmp_path / 'ca.pem'}",
               verify: true, timeout: 5, handshake_first: {str(first).lower()} }}
    """
    ours = {"ca_file": str(tmp_path / "ca.pem"), "cert_file": str(tmp_path / "client.pem"), "key_file": str(tmp_path / "client.key"),
            "handshake_first": first}
    server = NatsServer(server_side)
    server.listens = lambda: "Server is ready" in server.output  # with TLS first it says nothing to strangers
    with server:
        url = server.url.replace("nats://", "tls://")
        with Gateway(config(upstream, url, {"tls": ours})) as gateway:
            call(gateway)
            eventually(lambda: gateway.metrics().total("prism_nats_acknowledged_total") == 1, 20, "the acknowledgement")
        with Gateway(config(upstream, url, {"tls": ours | {"ca_file": str(tmp_path / "other.pem")}})) as stranger:
            call(stranger)
            eventually(lambda: "certificate" in "".join(warnings(stranger)), 20, "the warning")


def test_tls_is_insisted_on(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url.replace("nats://", "tls://"))) as gateway:
        call(gateway)
        eventually(lambda: "it offers no TLS" in "".join(warnings(gateway)), 20, "the warning")


@pytest.mark.timeout(180)
def test_a_cluster_that_loses_its_leader(upstream):
    with NatsCluster() as cluster:
        # one address is enough: the others are learned from it
        with Gateway(config(upstream, cluster.servers[0].url, usage={"replicas": 3})) as gateway:
            made = call(gateway, 10)
            eventually_stored(cluster.url, 10, 60)
            leader = cluster.leader()
            leader.kill()
            made += call(gateway, 30)
            living = ",".join(server.url for server in cluster.servers if server is not leader)
            assert sorted(one.id for one in eventually_stored(living, 40, 90)) == sorted(made)
            leader.start()


def test_clients_do_not_wait_for_nats(upstream):
    """A thousand events wait in the spool, a server is frozen in the middle: answers come as before."""
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        connected(gateway)
        server.freeze()
        slow = []

        def client():
            with gateway.connect() as conn:
                for _ in range(100):
                    began = time.monotonic()
                    conn.request("POST", "/v1/chat/completions", ask(MODEL))
                    assert conn.reply().status == 200
                    slow.append(time.monotonic() - began)
        threads = [threading.Thread(target=client) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(slow) == 400 and max(slow) < 5  # the patience with NATS
        server.thaw()
        assert len(eventually_stored(server.url, 400, 60)) == 400


def test_its_url_comes_from_the_environment(upstream):
    with NatsServer() as server:
        with Gateway(config(upstream, None), env={"PRISM_NATS_URL": server.url}) as gateway:
            call(gateway)
            assert len(eventually_stored(server.url, 1)) == 1
        with Gateway(None, env={"PRISM_NATS_URL": server.url}) as gateway:
            assert gateway.chat(ask("simulator/echo")).status == 200
            assert len(eventually_stored(server.url, 2)) == 2
