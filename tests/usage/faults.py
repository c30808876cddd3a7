"""What goes wrong, one at a time, while requests come in."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.gateway import Gateway
from support.nats import NatsCluster, NatsServer, stored
from support.waiting import eventually

from .load import Load, Tally


class Skip(Exception):
    """Cannot be done here, and why."""


@dataclass
class Round:
    """Load for so long, and what the fault is."""

    seconds: float
    figures: list[str] = field(default_factory=list)


@dataclass
class Fault:
    name: str
    run: Callable[[Round], Counted]


@dataclass
class Counted:
    tally: Tally
    events: int
    missing: int
    double: int
    statuses: Counter
    figure: str = ""


FAULTS: list[Fault] = []


def fault(name: str):
    def listed(run):
        FAULTS.append(Fault(name, run))
        return run
    return listed


def count(url: str, gateway: Gateway, tally: Tally, figure: str = "") -> Counted:
    """Waits until everything is published, then compares the stream with what clients were promised."""
    seen = "nothing"

    def calm() -> bool:
        nonlocal seen
        try:
            metrics = gateway.metrics()
        except (OSError, AssertionError) as problem:
            seen = repr(problem)
            return False
        now = {name: metrics.total(f"prism_{name}") for name in ("requests_in_flight", "nats_connected", "nats_behind_bytes")}
        seen = str(now)
        return list(now.values()) == [0, 1, 0]

    for settled in (0, 0.5):
        time.sleep(settled)
        eventually(calm, 180, lambda: f"everything to be published: {seen}", 0.2)
    events = [one.event for one in stored(url) if one.subject.startswith("prism.usage.v1.")]
    ids = Counter(event["request_id"] for event in events)
    asked = Counter(event["client_request_id"] for event in events)
    missing = sum(1 for promised in tally.admitted if promised not in ids)
    double = sum(many - 1 for many in ids.values()) + sum(many - 1 for many in asked.values())
    return Counted(tally, len(events), missing, double, Counter(event["status"] for event in events), figure)


def config(url: str, **extra) -> dict:
    return {"providers": {"simulator": {}}, "nats": {"url": url}, "logging": {"level": "warn"}} | extra


def pause(seconds: float) -> None:
    time.sleep(seconds * (0.8 + random.random() * 0.4))


@fault("kill -9 of the gateway")
def gateway_killed(round: Round) -> Counted:
    with NatsServer() as server, Gateway(config(server.url)) as gateway:
        kills = 3
        with Load(gateway.port) as load:
            for _ in range(kills):
                pause(round.seconds / (kills + 1))
                gateway.kill()
                gateway.start()
            pause(round.seconds / (kills + 1))
        return count(server.url, gateway, load.tally, f"{kills} kills")


@fault("kill -9 of the NATS leader")
def leader_killed(round: Round) -> Counted:
    with NatsCluster() as cluster, Gateway(config(cluster.url, usage={"replicas": 3})) as gateway:
        with Load(gateway.port) as load:
            pause(round.seconds / 3)
            leader = cluster.leader()
            leader.kill()
            pause(round.seconds / 3)
            leader.start()
            pause(round.seconds / 3)
        return count(cluster.url, gateway, load.tally)


@fault("NATS blackholed")
def frozen(round: Round) -> Counted:
    with NatsServer() as server, Gateway(config(server.url)) as gateway:
        with Load(gateway.port) as load:
            pause(round.seconds / 3)
            server.freeze()
            pause(max(round.seconds / 3, 12))  # past the publisher's patience
            server.thaw()
            pause(round.seconds / 3)
        return count(server.url, gateway, load.tally)


@contextmanager
def small_disk(size: str):
    if os.geteuid() != 0:
        raise Skip("only root can mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        folder.rmdir()
        raise Skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        folder.rmdir()


@fault("disk full")
def disk_full(round: Round) -> Counted:
    with small_disk("96m") as disk, NatsServer() as server:
        with Gateway(config(server.url, store={"path": str(disk)})) as gateway:
            with Load(gateway.port) as load:
                pause(round.seconds / 4)
                server.freeze()
                ballast = disk / "ballast"
                free = os.statvfs(disk)
                with open(ballast, "wb") as file:
                    left = free.f_bavail * free.f_frsize - (256 << 10)
                    try:
                        file.write(bytes(max(left, 0)))
                        file.flush()
                    except OSError:
                        pass  # the events were quicker
                eventually(lambda: load.tally.refused, 60, "requests to be refused")
                pause(round.seconds / 4)
                ballast.unlink()
                server.thaw()
                before = len(load.tally.admitted)
                eventually(lambda: len(load.tally.admitted) > before, 60, "requests to be admitted again")
                pause(round.seconds / 4)
            return count(server.url, gateway, load.tally, f"{load.tally.refused} refused meanwhile")


@fault("clients leaving at random bytes")
def leaving(round: Round) -> Counted:
    with NatsServer() as server, Gateway(config(server.url)) as gateway:
        with Load(gateway.port, stream=2, leaving=0.7) as load:
            pause(round.seconds)
        return count(server.url, gateway, load.tally, f"{load.tally.left} left")
