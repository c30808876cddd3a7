"""With NATS every gateway counts what all of them have done, from the stream: each event once, whatever happens meanwhile."""

from __future__ import annotations

import json
import subprocess

import pytest

from support.gateway import ONE_TRY, Gateway, ask, binary, provider, run as prism
from support.nats import STREAM, NatsCluster, NatsServer, eventually_stored, ids, run
from support.upstream import completion, json_reply
from support.waiting import eventually

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.fixture(autouse=True)
def answers(upstream):
    upstream.always(json_reply(completion("hello", usage=USAGE)))


def config(upstream, url: str | None, **extra) -> dict:
    whole = {"providers": {"acme": provider(upstream)}, "routing": ONE_TRY} | extra
    return whole | ({"nats": {"url": url}} if url else {})


def call(gateway: Gateway, count: int) -> list[str]:
    """The ids of so many answered requests."""
    replies = [gateway.chat(ask()) for _ in range(count)]
    assert all(reply.status == 200 for reply in replies), [reply.status for reply in replies]
    return [reply.header("x-prism-request-id") for reply in replies]


def usage(gateway: Gateway) -> dict:
    reply = gateway.get("/v1/usage")
    assert reply.status == 200, reply.body
    return reply.json()


def counted(gateway: Gateway) -> int:
    return usage(gateway)["totals"]["requests"]


def behind(gateway: Gateway) -> int:
    return usage(gateway)["freshness"]["behind_ms"]


def agree(url: str, many: int, *gateways: Gateway, timeout: float = 60) -> None:
    """The stream holds that many events, each once, and every gateway has counted exactly those."""
    found = [one.id for one in eventually_stored(url, many, timeout)]
    assert len(found) == len(set(found)) == many
    for gateway in gateways:
        eventually(lambda: counted(gateway) >= many and behind(gateway) == 0, timeout, f"{many} to be counted", 0.1)
        totals = usage(gateway)["totals"]
        assert (totals["requests"], totals["tokens"]["input"]) == (many, 10 * many)


def test_each_gateway_answers_for_all(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as one, Gateway(config(upstream, server.url)) as other:
        call(one, 20)
        call(other, 15)
        agree(server.url, 35, one, other)
        report = prism("usage", "report", "--by", "provider", "--json", "--url", other.url, timeout=60)
        assert [row["requests"] for row in json.loads(report.stdout)["data"]] == [35]
        # nothing of it is kept for somebody who counts from the spool
        eventually(lambda: one.metrics().total("prism_nats_behind_bytes") == 0)
        assert not (one.folder / "data/spool/0/analytics.cursor").exists()


def test_while_nats_is_away_it_says_how_far_behind_it_is(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as one, Gateway(config(upstream, server.url)) as other:
        call(one, 10)
        agree(server.url, 10, one, other)
        for _ in range(2):
            server.kill()
            for gateway in one, other:
                eventually(lambda: behind(gateway) > 0, 20, "it to be behind", 0.05)
            before = behind(one)
            many = counted(one)
            call(one, 10)
            call(other, 5)
            assert counted(one) == many and behind(one) > before
            server.start()
            agree(server.url, many + 15, one, other)


def test_restarts_and_kills_count_once(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as one, Gateway(config(upstream, server.url)) as other:
        many = 0
        for end in (one.kill, one.stop, one.kill):
            call(one, 20)
            call(other, 10)
            end()
            call(other, 10)
            many += 40
            one.start()
        agree(server.url, many, one, other)


def test_the_last_requests_are_counted_before_the_process_ends(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        agree_soon = call(gateway, 3)
        agree(server.url, len(agree_soon), gateway)
        call(gateway, 20)
        assert gateway.stop() == 0
        report = prism("usage", "report", "--json", "--store", str(gateway.folder / "data"), timeout=60)
        assert json.loads(report.stdout)["totals"]["requests"] == 23


def test_nats_comes_goes_and_comes_again_and_everything_is_counted_once(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as other, Gateway(config(upstream, None)) as gateway:
        call(other, 10)
        call(gateway, 10)
        eventually(lambda: counted(gateway) == 10, what="its own to be counted")
        call(gateway, 5)  # some of them are counted by now, some are not
        gateway.write(config(upstream, server.url, server={"shutdown_timeout": "2s"}))  # while it runs
        eventually(lambda: "configuration applied" in gateway.output, 20, "the reload")
        call(gateway, 5)
        agree(server.url, 30, gateway, other)

        gateway.write(config(upstream, None, server={"shutdown_timeout": "2s"}))
        assert gateway.stop() == 0
        gateway.start()
        call(gateway, 7)
        eventually(lambda: counted(gateway) == 37, 30, "its own to be counted again")
        call(other, 3)
        assert len(eventually_stored(server.url, 33)) == 33, "its own stay with it"

        gateway.kill()
        gateway.write(config(upstream, server.url, server={"shutdown_timeout": "2s"}))
        gateway.start()
        call(gateway, 4)
        # what was not published is, now that it can be
        agree(server.url, 44, gateway, other)


def test_a_stream_that_is_made_again_is_counted_from_its_beginning(upstream):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as gateway:
        call(gateway, 10)
        agree(server.url, 10, gateway)

        async def delete(client):
            await client.jetstream().delete_stream(STREAM)
        run(server.url, delete)
        call(gateway, 5)
        eventually(lambda: counted(gateway) == 15 and behind(gateway) == 0, 60, "the others to be counted")
        assert len(ids(server.url)) == 5


@pytest.mark.timeout(240)
def test_a_cluster_that_loses_its_leader_is_read_on(upstream):
    with NatsCluster() as cluster:
        settings = config(upstream, cluster.servers[0].url, usage={"replicas": 3})
        with Gateway(settings) as one, Gateway(settings) as other:
            call(one, 10)
            agree(cluster.url, 10, one, other)
            leader = cluster.leader()
            leader.kill()
            call(one, 20)
            call(other, 10)
            living = ",".join(server.url for server in cluster.servers if server is not leader)
            agree(living, 40, one, other, timeout=90)
            leader.start()


def test_the_tail_shows_all_gateways(upstream, tmp_path):
    with NatsServer() as server, Gateway(config(upstream, server.url)) as one, Gateway(config(upstream, server.url)) as other:
        made = call(one, 3)
        eventually_stored(server.url, 3)
        arguments = [binary(), "usage", "tail", "--config", str(one.config_file), "--all"]
        tail = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            lines = [tail.stdout.readline() for _ in range(3)]
            assert sorted(line.split()[-1] for line in lines) == sorted(made)  # those of one moment come in any order
            [there] = call(other, 1)
            assert there in tail.stdout.readline()
            server.kill()
            server.start()
            [again] = call(other, 1)
            assert again in tail.stdout.readline(), "nothing twice, nothing left out"
        finally:
            tail.kill()
            tail.wait()
        local = [binary(), "usage", "tail", "--store", str(one.folder / "data"), "--all", "--json"]
        spool = subprocess.Popen(local, stdout=subprocess.PIPE, text=True)
        stream = subprocess.Popen([*arguments, "--json"], stdout=subprocess.PIPE, text=True)
        try:
            assert [spool.stdout.readline() for _ in range(3)] == [stream.stdout.readline() for _ in range(3)]
        finally:
            for process in spool, stream:
                process.kill()
                process.wait()
