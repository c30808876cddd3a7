"""Several gateways with one control plane: in a bucket of a real NATS cluster, whose servers are killed, cut off and emptied."""

from __future__ import annotations

import base64
import os
import socket
import statistics
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from support.gateway import Gateway, ask, run
from support.nats import NatsCluster, NatsServer
from support.nats import run as with_nats
from support.organisations import TOKEN, Office, bearer, control_plane
from support.ports import free_port
from support.upstream import completion, json_reply
from support.waiting import eventually

MASTER = base64.b64encode(os.urandom(32)).decode()
STREAM = "KV_PRISM_CONFIG"
FILE_KEY = "sk-of-the-file"


def config(url: str, replicas: int = 1, **shared) -> dict:
    return control_plane(
        nats={"url": url}, usage={"replicas": replicas}, auth={"keys": [{"name": "file", "key": FILE_KEY}]},
        control_plane={"allow_private": True, "kv_bucket": "PRISM_CONFIG"} | shared, logging={"level": "info"})


def gateway(url: str, replicas: int = 1, **shared) -> Gateway:
    return Gateway(config(url, replicas, **shared), key=FILE_KEY, env={"PRISM_MASTER_KEY": MASTER})


@contextmanager
def gateways(many: int, url: str, replicas: int = 1, **shared):
    with ExitStack() as stack:
        yield [stack.enter_context(gateway(url, replicas, **shared)) for _ in range(many)]


@pytest.fixture(scope="module")
def cluster():
    with NatsCluster() as cluster:
        yield cluster


@pytest.fixture
def empty(cluster):
    """The cluster, without a bucket."""
    async def forget(client):
        try:
            await client.jetstream().delete_stream(STREAM)
        except Exception:
            pass
    with_nats(cluster.url, forget)
    return cluster


class Cable:
    """Between a gateway and a server; can be cut, in both directions and at once."""

    def __init__(self, port: int):
        self.to, self.is_cut, self.ends = port, False, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut or not self.admits(near):
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:  # nobody listens there yet
                near.close()
                continue
            self.ends += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, one, other):
        try:
            while (data := one.recv(65536)) and not self.is_cut:
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def admits(self, near: socket.socket) -> bool:
        return True

    def cut(self):
        self.is_cut = True
        self.drop()

    def drop(self):
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends = []

    def mend(self):
        self.is_cut = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        self.listener.close()


def house(upstream, *models: str) -> dict:
    return {"providers": {"house": {"base_url": upstream.base_url, "api_key": "sk-canary-shared", "discover": False,
                                    "models": list(models)}}}


def status(one: Gateway, key: str, model: str = "m") -> int:
    return one.chat(ask(model), bearer(key)).status


def until(condition, what: str) -> float:
    """Milliseconds until it is so."""
    began = time.monotonic()
    eventually(condition, 10, what, 0.002)
    return (time.monotonic() - began) * 1000


def try_to_mint(office: Office) -> dict | None:
    """By another name each time: what was not acknowledged may be there."""
    reply = office.keys("acme", "POST", {"name": f"new-{time.monotonic_ns()}"})
    return reply.json() if reply.status == 200 else None


def told(name: str, took: list[float]) -> None:
    print(f"{name}: {len(took)} times, median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms")
    assert max(took) < 1000, took


def verify_log(one: Gateway) -> int:
    done = run("audit", "verify", "--config", str(one.config_file), PRISM_MASTER_KEY=MASTER)
    assert done.returncode == 0 and "is whole" in done.stdout, done
    return int(done.stdout.split(": ")[1].split()[0])


@pytest.mark.timeout(120)
def test_a_change_on_one_serves_on_all_within_a_second(empty, upstream):
    upstream.always(json_reply(completion()))
    with gateways(3, empty.url, 3) as all_of_them:
        offices = [Office(one) for one in all_of_them]
        offices[0].create("acme", house(upstream, "m"))
        made, changed, revoked = [], [], []
        for number in range(12):
            writer, office = all_of_them[number % 3], offices[number % 3]
            others = [one for one in all_of_them if one is not writer]
            key = office.mint("acme", f"app-{number}")
            assert status(writer, key["key"]) == 200, "at once where it was made"
            made += [until(lambda: status(one, key["key"]) == 200, "the key") for one in others]
            assert office.config("acme", "PATCH", {"model_map": {f"alias-{number}": "m"}}).status == 200
            assert status(writer, key["key"], f"alias-{number}") == 200
            changed += [until(lambda: status(one, key["key"], f"alias-{number}") == 200, "the alias") for one in others]
            assert office.keys("acme", "DELETE", then=f"/{key['id']}").status == 200
            assert status(writer, key["key"]) == 401
            revoked += [until(lambda: status(one, key["key"]) == 401, "the revocation") for one in others]
            assert {status(one, key["key"]) for one in all_of_them for _ in range(5)} == {401}, "and it stays so"
        told("a key made elsewhere opens", made)
        told("a configuration made elsewhere serves", changed)
        told("a key revoked elsewhere is refused", revoked)
        tags = {office.config("acme").header("etag") for office in offices}
        assert len(tags) == 1, "everybody has the same state"
        assert verify_log(all_of_them[1]) == 1 + 1 + 12 * 3


@pytest.mark.timeout(120)
def test_of_two_edits_at_once_one_wins_and_the_other_is_told(empty, upstream):
    with gateways(3, empty.url, 3) as all_of_them:
        Office(all_of_them[0]).create("acme", house(upstream, "m"))
        eventually(lambda: all(Office(one).config("acme").status == 200 for one in all_of_them), what="the organisation")
        won, lost = [], []

        def edit(one: Gateway, worker: int):
            office = Office(one)
            for round in range(12):
                seen = office.config("acme")
                models = seen.json()["config"]["providers"]["house"]["models"]
                mine = f"m-{worker}-{round}"
                body = house(upstream, *models, mine)
                body["providers"]["house"]["api_key"] = {"set": True}
                reply = office.config("acme", "PUT", body, if_match=seen.header("etag"))
                assert reply.status in (200, 409, 412), reply.body
                (won if reply.status == 200 else lost).append(mine)

        workers = [threading.Thread(target=edit, args=(all_of_them[number % 3], number)) for number in range(6)]
        [worker.start() for worker in workers]
        [worker.join(60) for worker in workers]
        final = Office(all_of_them[0]).config("acme").json()
        print(f"{len(won)} edits won, {len(lost)} were told to read again")
        assert set(final["config"]["providers"]["house"]["models"]) == {"m", *won}, "nothing lost, nothing half"
        assert final["version"] == 1 + len(won) and won and lost
        assert verify_log(all_of_them[2]) == 2 + len(won)


@pytest.mark.timeout(240)
def test_whoever_is_killed_nothing_acknowledged_is_lost_and_nothing_revoked_comes_back(cluster, empty, upstream):
    upstream.always(json_reply(completion()))
    with gateways(2, empty.url, 3) as (one, other):
        Office(one).create("acme", house(upstream, "m"))
        acknowledged, revoked, unknown, answers, stop = {}, {}, set(), set(), threading.Event()

        def write(at: Gateway, worker: int):
            office, number = Office(at), 0
            while not stop.is_set():
                number += 1
                name = f"{worker}-{number}"
                reply = office.keys("acme", "POST", {"name": name})
                answers.add((reply.status, reply.json().get("error", {}).get("code")))
                if reply.status != 200:
                    unknown.add(name)
                    time.sleep(0.05)
                    continue
                key = reply.json()
                if number % 2:
                    acknowledged[key["id"]] = key
                    continue
                reply = office.keys("acme", "DELETE", then=f"/{key['id']}")
                answers.add((reply.status, reply.json().get("error", {}).get("code")))
                if reply.status == 200:
                    revoked[key["id"]] = key
                elif reply.status == 404:  # while there is no leader its own change comes back late: for that nobody may lose it
                    acknowledged[key["id"]] = key

        writers = [threading.Thread(target=write, args=(at, worker)) for worker, at in enumerate((one, other))]
        [writer.start() for writer in writers]
        for _ in range(2):
            time.sleep(1.5)
            leader = cluster.leader(STREAM)
            leader.kill()
            time.sleep(4)
            leader.start()
        time.sleep(1.5)
        stop.set()
        [writer.join(60) for writer in writers]
        print(f"{len(acknowledged)} keys made, {len(revoked)} revoked, answers {sorted(answers, key=str)}")
        assert {code for code, _ in answers} <= {200, 404, 409, 503}, answers
        assert len(acknowledged) > 20 and len(revoked) > 20
        # everything is started anew, the servers first
        for server in cluster.servers:
            server.kill()
        for server in cluster.servers:
            server.start(wait=False)
        for at in (one, other):
            assert at.stop() == 0
            at.start()
        for at in (one, other):
            eventually(lambda: not at.get("/readyz").json().get("warnings"), 60, "the control plane")
            statuses = {key["name"]: status(at, key["key"]) for key in acknowledged.values()}
            assert set(statuses.values()) == {200}, [name for name, code in statuses.items() if code != 200]
            assert {status(at, key["key"]) for key in revoked.values()} == {401}
        assert verify_log(one) >= 2 + len(acknowledged) + 2 * len(revoked)


@pytest.mark.timeout(240)
def test_a_leader_that_nobody_hears_any_more_takes_nothing_with_it_and_brings_nothing_back(cluster, empty, upstream):
    """It is suspended, as a machine is behind a broken switch, and comes back with what it believed."""
    upstream.always(json_reply(completion()))
    with gateways(2, empty.url, 3) as (one, other):
        Office(one).create("acme", house(upstream, "m"))
        leaving, staying = Office(one).mint("acme", "leaving"), Office(one).mint("acme", "staying")
        eventually(lambda: status(other, leaving["key"]) == status(other, staying["key"]) == 200, what="the keys")
        leader = cluster.leader(STREAM)
        leader.freeze()
        try:
            revoke = lambda: Office(one).keys("acme", "DELETE", then=f"/{leaving['id']}").status in (200, 404)
            eventually(revoke, 60, "the others to elect a leader", 0.2)
            made = eventually(lambda: try_to_mint(Office(one)), 30, "a key to be made", 0.2)
            for at in (one, other):
                eventually(lambda: (status(at, leaving["key"]), status(at, made["key"])) == (401, 200), 30, "both to know", 0.05)
                assert status(at, staying["key"]) == 200
        finally:
            leader.thaw()
        time.sleep(3)
        for at in (one, other):
            eventually(lambda: not at.get("/readyz").json().get("warnings"), 60, "everything to be well")
            for _ in range(10):
                assert [status(at, key["key"]) for key in (leaving, staying, made)] == [401, 200, 200]
        assert verify_log(other) >= 6


class RouteCable(Cable):
    """On the way to a server from the others of its cluster; some of those may be kept out."""

    kept_out: tuple[NatsServer, ...] = ()

    def admits(self, near: socket.socket) -> bool:
        return not any(near.getpeername()[1] in ports_of(server.process.pid) for server in self.kept_out)


def ports_of(process: int) -> set[int]:
    """The local ports of a process's TCP connections."""
    links = set()
    for entry in os.scandir(f"/proc/{process}/fd"):
        try:
            links.add(os.readlink(entry.path))
        except OSError:
            pass
    rows = [row.split() for row in open("/proc/net/tcp").read().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if f"socket:[{row[9]}]" in links}


@contextmanager
def parted_cluster():
    """A cluster of three whose first server can be parted from the two others, and what parts it and joins it again."""
    cluster = NatsCluster()
    with ExitStack() as stack:
        routes = [free_port() for _ in range(3)]
        cables = [stack.enter_context(RouteCable(port)) for port in routes]
        ends = [cable.url.removeprefix("nats://") for cable in cables]
        for at, server in enumerate(cluster.servers):
            listed = ", ".join(f'"nats://{end}"' for other, end in enumerate(ends) if other != at)
            server.config = (f'cluster {{ name: "c", listen: "127.0.0.1:{routes[at]}", advertise: "{ends[at]}", '
                             f"no_advertise: true, routes: [{listed}] }}")
        stack.enter_context(cluster)

        def part():
            cables[0].is_cut = True
            for cable in cables[1:]:
                cable.kept_out = (cluster.servers[0],)
            [cable.drop() for cable in cables]

        def join():
            cables[0].is_cut = False
            for cable in cables[1:]:
                cable.kept_out = ()

        yield cluster, part, join


@pytest.mark.timeout(240)
def test_of_a_parted_cluster_the_larger_part_goes_on_and_the_smaller_one_changes_nothing(upstream):
    upstream.always(json_reply(completion()))
    with parted_cluster() as (cluster, part, join):
        alone, others = cluster.servers[0].url, ",".join(server.url for server in cluster.servers[1:])
        with gateway(others, 3) as many, gateway(alone, 3) as few:
            office = Office(many)
            office.create("acme", house(upstream, "m"))
            leaving, staying = office.mint("acme", "leaving"), office.mint("acme", "staying")
            eventually(lambda: status(few, leaving["key"]) == status(few, staying["key"]) == 200, 20, "the keys")
            part()
            eventually(lambda: office.keys("acme", "DELETE", then=f"/{leaving['id']}").status in (200, 404), 60, "the larger part to go on", 0.2)
            made = eventually(lambda: try_to_mint(office), 30, "a key to be made", 0.2)
            assert (status(many, leaving["key"]), status(many, staying["key"]), status(many, made["key"])) == (401, 200, 200)
            refused = Office(few).keys("acme", "POST", {"name": "lost"})
            assert refused.status == 503, "the smaller part acknowledges nothing"
            assert status(few, staying["key"]) == 200, "and serves with what it knows"
            assert few.get("/readyz").json()["warnings"], "and says so"
            join()
            eventually(lambda: (status(few, leaving["key"]), status(few, made["key"])) == (401, 200), 60, "both parts to be one", 0.1)
            for at in (many, few):
                eventually(lambda: not at.get("/readyz").json().get("warnings"), 60, "everything to be well", 0.1)
                names = {key["name"] for key in Office(at).keys("acme").json()["data"]}
                assert {"staying", made["name"]} <= names and "lost" not in names and "leaving" not in names, names


@pytest.mark.timeout(120)
def test_a_gateway_that_is_cut_off_serves_until_it_cannot_know_what_is_revoked(upstream):
    upstream.always(json_reply(completion()))
    with NatsServer() as server, Cable(server.port) as cable, gateway(server.url) as one, \
            gateway(cable.url, max_staleness="4s") as other:
        office = Office(one)
        office.create("acme", house(upstream, "m"))
        kept, leaving = office.mint("acme", "kept"), office.mint("acme", "leaving")
        eventually(lambda: status(other, kept["key"]) == status(other, leaving["key"]) == 200, what="the keys")
        assert other.metrics().total("prism_control_plane_connected") == 1
        cable.cut()
        began = time.monotonic()
        assert office.keys("acme", "DELETE", then=f"/{leaving['id']}").status == 200
        assert status(one, leaving["key"]) == 401
        assert status(other, kept["key"]) == 200, "it goes on"
        refused = Office(other).keys("acme", "POST", {"name": "new"})
        assert refused.status == 503 and refused.error()["code"] == "store_unavailable", refused.body
        assert refused.header("retry-after")
        eventually(lambda: status(other, leaving["key"]) == 503, 10, "the gateway to refuse", 0.05)
        took = time.monotonic() - began
        reply = other.chat(ask("m"), bearer(kept["key"]))
        assert reply.status == 503 and reply.error()["code"] == "control_plane_stale" and reply.header("retry-after")
        assert other.chat(ask("simulator/echo"), bearer(FILE_KEY)).status == 200, "keys of the file are good"
        ready = other.get("/readyz")
        assert ready.status == 200 and any("control plane" in warning for warning in ready.json()["warnings"]), ready.body
        metrics = other.metrics()
        assert metrics.total("prism_control_plane_connected") == 0
        assert metrics.total("prism_control_plane_staleness_seconds") > 3
        print(f"refused {took:.1f} s after the cut")
        assert 2 < took < 6
        cable.mend()
        back = until(lambda: status(other, kept["key"]) == 200, "the gateway to be back")
        print(f"back {back:.0f} ms after the cable was mended")
        assert {status(other, leaving["key"]) for _ in range(20)} == {401}, "it never comes back"
        assert not any("control plane" in warning for warning in other.get("/readyz").json().get("warnings", []))


@pytest.mark.timeout(120)
def test_a_gateway_starts_while_nats_is_away(upstream):
    upstream.always(json_reply(completion()))
    with NatsServer() as server, gateways(2, server.url) as (one, other):
        Office(one).create("acme", house(upstream, "m"))
        key = Office(one).mint("acme")
        eventually(lambda: status(other, key["key"]) == 200, what="the key")
        assert other.stop() == 0
        server.kill()
        began = time.monotonic()
        other.start()
        print(f"ready without NATS after {time.monotonic() - began:.1f} s")
        assert status(other, key["key"]) == 200
        assert Office(other).config("acme").status == 200
        refused = Office(other).config("acme", "PATCH", {"model_map": {"x": "m"}})
        assert refused.status == 503 and refused.error()["code"] == "store_unavailable", refused.body
        assert any("control plane" in warning for warning in other.get("/readyz").json()["warnings"])
        server.start()
        eventually(lambda: Office(other).config("acme", "PATCH", {"model_map": {"x": "m"}}).status == 200, 20, "a change")
        eventually(lambda: status(one, key["key"], "x") == 200, 10, "the change on the other")
        # who has never seen the bucket has nothing to serve with
        server.kill()
        new = gateway(server.url)
        with pytest.raises(AssertionError, match="the gateway ended with 1"):
            new.start()
        assert "out of reach" in new.stderr, new.stderr


@pytest.mark.timeout(120)
def test_a_lost_bucket_takes_nothing_away_and_is_brought_back(upstream, tmp_path):
    upstream.always(json_reply(completion()))
    with NatsServer() as server, gateways(2, server.url) as (one, other):
        Office(one).create("acme", house(upstream, "m"))
        key = Office(one).mint("acme")
        eventually(lambda: status(other, key["key"]) == 200, what="the key")
        file = tmp_path / "backup"
        done = run("store", "backup", str(file), "--config", str(one.config_file))
        assert done.returncode == 0 and "records are in" in done.stdout, done
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"sk-canary-shared" not in file.read_bytes() and key["key"].encode() not in file.read_bytes()
        again = run("store", "backup", str(file), "--config", str(one.config_file))
        assert again.returncode == 1, "a backup is not overwritten"

        rescue = tmp_path / "rescue"
        done = run("store", "backup", str(rescue), "--replica", str(other.folder / "data"))
        assert done.returncode == 0 and rescue.read_bytes() == file.read_bytes(), done
        with_nats(server.url, lambda client: client.jetstream().delete_stream(STREAM))
        for at in (one, other):
            eventually(lambda: any("is empty" in warning for warning in at.get("/readyz").json().get("warnings", [])), 20,
                       "somebody to say so")
            assert status(at, key["key"]) == 200
            assert Office(at).keys("acme", "POST", {"name": "new"}).status == 503
        # a restart takes nothing away either
        assert other.stop() == 0
        other.start()
        assert status(other, key["key"]) == 200
        done = run("store", "restore", str(file), "--config", str(one.config_file))
        assert done.returncode == 0, done
        for at in (one, other):
            eventually(lambda: not at.get("/readyz").json().get("warnings"), 20, "the control plane")
            assert status(at, key["key"]) == 200
        assert Office(other).keys("acme", "POST", {"name": "new"}).status == 200
        refused = run("store", "restore", str(file), "--config", str(one.config_file))
        assert refused.returncode == 1 and "--replace" in refused.stderr, refused
        verify_log(one)


@pytest.mark.timeout(120)
def test_organisations_move_from_a_file_to_a_bucket_and_back(upstream, tmp_path):
    upstream.always(json_reply(completion()))
    file, back = tmp_path / "backup", tmp_path / "back"
    env = {"PRISM_MASTER_KEY": MASTER}
    with NatsServer() as server, Gateway(control_plane(), key=TOKEN, env=env) as alone:
        Office(alone).create("acme", house(upstream, "m"))
        key = Office(alone).mint("acme")
        assert alone.stop() == 0
        alone.write(config(server.url) | {"server": {"shutdown_timeout": "2s"}})
        with pytest.raises(AssertionError, match="the gateway ended with 1"):
            alone.start()
        assert "prism store backup" in alone.stderr, alone.stderr
        data = str(alone.folder / "data")
        assert run("store", "backup", str(file), "--store", data).returncode == 0
        done = run("store", "restore", str(file), "--config", str(alone.config_file))
        assert done.returncode == 0, done
        alone.start()
        assert status(alone, key["key"]) == 200
        with gateway(server.url) as second:
            assert status(second, key["key"]) == 200
        # and to a machine without NATS
        assert run("store", "backup", str(back), "--config", str(alone.config_file)).returncode == 0
        with Gateway(control_plane(), key=TOKEN, env=env) as elsewhere:
            assert elsewhere.stop() == 0
            done = run("store", "restore", str(back), "--store", str(elsewhere.folder / "data"), "--replace")
            assert done.returncode == 0, done
            elsewhere.start()
            assert status(elsewhere, key["key"]) == 200
            done = run("audit", "verify", "--store", str(elsewhere.folder / "data"))
            assert "is whole: 5 entries" in done.stdout and back.read_text().count("store.restore") == 1, "both moves are in it"


def test_without_the_master_key_nobody_joins():
    with NatsServer() as server, gateway(server.url):
        for env in ({}, {"PRISM_MASTER_KEY": base64.b64encode(os.urandom(32)).decode()}):
            stranger = Gateway(config(server.url), key=TOKEN, env=env)
            with pytest.raises(AssertionError, match="the gateway ended with 1"):
                stranger.start()
            assert "master key" in stranger.stderr, stranger.stderr


@pytest.mark.timeout(120)
def test_nobody_waits_for_a_change_that_nats_does_not_answer(upstream):
    upstream.always(json_reply(completion()))
    with NatsServer() as server, gateway(server.url) as one:
        office, replies = Office(one), []
        for org in ("acme", "globex"):
            office.create(org, house(upstream, "m"))
        asleep = office.mint("globex")
        server.freeze()
        try:
            change = threading.Thread(target=lambda: replies.append(office.config("acme", "PATCH", {"model_map": {"x": "m"}})))
            change.start()
            time.sleep(0.3)
            began = time.monotonic()
            assert status(one, asleep["key"]) == 200, "an organisation wakes"
            took = time.monotonic() - began
            change.join(30)
        finally:
            server.thaw()
        reply = replies[0]
        assert (reply.status, reply.error()["code"]) == (503, "change_unconfirmed"), reply.body
        print(f"answered in {took * 1000:.0f} ms while the change waited")
        assert took < 2
        eventually(lambda: office.config("acme", "PATCH", {"model_map": {"y": "m"}}).status == 200, 30, "a change")
        after = office.config("acme").json()
        assert after["config"]["model_map"]["y"] == "m"
        # the one of which nobody knew is there whole, or not at all
        assert after["version"] == (3 if "x" in after["config"]["model_map"] else 2)
        assert verify_log(one) == 1 + 2 + 1 + after["version"] - 1
