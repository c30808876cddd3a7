"""Real NATS servers: one, or a cluster of three; killed, stopped and begun again; and what their streams hold."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from .ports import free_port
from .waiting import eventually

BINARY = Path(sys.executable).parent / "nats-server"
STREAM = "PRISM_USAGE"


class NatsServer:
    """`with NatsServer() as server:` runs one with JetStream until the block ends. `config` is more of its configuration."""

    def __init__(self, config: str = "", *, name: str = "n1", port: int | None = None, folder: Path | None = None):
        self.folder = folder or Path(tempfile.mkdtemp(prefix="nats-test-"))
        self.name, self.port, self.monitor = name, port or free_port(), free_port()
        self.config = config
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> NatsServer:
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self, wait: bool = True) -> None:
        text = f"""
            server_name: {self.name}
            listen: "127.0.0.1:{self.port}"
            http: "127.0.0.1:{self.monitor}"
            jetstream {{ store_dir: "{self.folder / self.name}", sync_interval: "1s" }}
            {self.config}
        """
        file = self.folder / f"{self.name}.conf"
        file.write_text(text)
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([BINARY, "-c", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it listens."""
        eventually(self.listens, 30, lambda: f"{self.name} to listen\n{self.output}", 0.05)

    def listens(self) -> bool:
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}\n{self.output}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                return sock.recv(4) == b"INFO"
        except OSError:
            return False

    @property
    def output(self) -> str:
        log = self.folder / f"{self.name}.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def status(self, page: str) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/{page}", timeout=5) as answer:
            return json.load(answer)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)

    def freeze(self) -> None:
        """It keeps its connections and takes new ones, and says nothing: the kernel still answers for it."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class NatsCluster:
    """Three servers, each of which knows the others."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nats-cluster-"))
        routes = [free_port() for _ in range(3)]
        listed = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        self.servers = [
            NatsServer(f'cluster {{ name: "c", listen: "127.0.0.1:{port}", routes: [{listed}] }}', name=f"n{n}",
                       folder=self.folder)
            for n, port in enumerate(routes, 1)
        ]

    def __enter__(self) -> NatsCluster:
        for server in self.servers:
            server.start(wait=False)
        for server in self.servers:
            server.wait()
        eventually(self.leader_of_all, 60, "a leader of the cluster", 0.2)
        return self

    def __exit__(self, *_) -> None:
        for server in self.servers:
            server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return ",".join(server.url for server in self.servers)

    def leader_of_all(self) -> str | None:
        try:
            return self.servers[0].status("jsz").get("meta_cluster", {}).get("leader")
        except OSError:
            return None

    def leader(self, stream: str = STREAM) -> NatsServer:
        """The server that leads the stream."""
        def found():
            try:
                name = run(self.url, lambda client: _leader(client, stream))
            except Exception:
                return None
            return next((server for server in self.servers if server.name == name), None)
        return eventually(found, 60, f"a leader of {stream}", 0.2)


async def _leader(client, stream: str):
    info = await client.jetstream().stream_info(stream)
    return info.cluster.leader


def run(url: str, work, **options):
    """What `work(client)` comes to, with a client of its own."""
    async def whole():
        client = await nats.connect(url.split(","), connect_timeout=5, max_reconnect_attempts=3, **options)
        try:
            return await work(client)
        finally:
            await client.close()
    return asyncio.run(whole())


@dataclass
class Stored:
    subject: str
    id: str
    data: bytes

    @property
    def event(self) -> dict:
        return json.loads(self.data)


def stored(url: str, stream: str = STREAM, *, bodies: bool = True, **options) -> list[Stored]:
    """Everything that a stream holds, in its order; without `bodies` only what and under which id."""
    async def read(client):
        js = client.jetstream()
        left = (await js.stream_info(stream)).state.messages
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, headers_only=not bodies,
                                mem_storage=True)
        subscription = await js.pull_subscribe("", stream=stream, config=config)
        found = []
        while left > 0:
            for message in await subscription.fetch(min(left, 2000), timeout=20):
                left -= 1
                found.append(Stored(message.subject, (message.headers or {}).get("Nats-Msg-Id", ""), message.data))
        return found
    return run(url, read, **options)


def ids(url: str, stream: str = STREAM) -> list[str]:
    return [one.id for one in stored(url, stream, bodies=False) if one.subject.startswith("prism.usage.")]


def eventually_stored(url: str, count: int, timeout: float = 30, **options) -> list[Stored]:
    """What the stream holds, once it holds that many usage events; and a moment later it holds no more."""
    def enough():
        try:
            found = [one for one in stored(url, **options) if one.subject.startswith("prism.usage.")]
        except Exception:  # no stream yet, no leader yet
            return None
        return found if len(found) >= count else None
    eventually(enough, timeout, f"{count} events in the stream", 0.1)
    time.sleep(0.3)
    return [one for one in stored(url, **options) if one.subject.startswith("prism.usage.")]
