"""Reloads, ends and beginnings of the process under load."""

from __future__ import annotations

import copy
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from support.gateway import Gateway, ask, provider
from support.http1 import Connection
from support.ports import free_port
from support.routing import OK
from support.upstream import Upstream
from support.waiting import eventually

from .fault import Gate, Scale, Streams, fault, timed, upstreams


class Hammer:
    """One request after the other from a few clients, until the block ends."""

    def __init__(self, call, clients: int = 3):
        self.call, self.clients = call, clients
        self.seen: list = []
        self._stop = threading.Event()

    def __enter__(self) -> Hammer:
        self._pool = ThreadPoolExecutor(self.clients)
        for _ in range(self.clients):
            self._pool.submit(self._run)
        return self

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.seen.append(self.call())
            except Exception as problem:
                self.seen.append(problem)

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._pool.shutdown()

    @property
    def failed(self) -> list:
        return [one for one in self.seen if one != 200]


def sees(upstream: Upstream, key: str) -> bool:
    return any(request.header("authorization") == f"Bearer {key}" for request in upstream.requests[-5:])


@fault("reloads and rotated keys under streams", "no stream breaks, no request fails, the new key is used")
def reload(scale: Scale):
    with upstreams(2) as (held, quick):
        gate = Gate(held)
        held.always(gate.script)
        quick.always(OK)
        config = {"providers": {"held": provider(held, api_key="k0"), "quick": provider(quick, "c", api_key="k0")}}
        with Gateway(config) as gateway, Streams(gateway.port, scale.streams) as streams:
            with Hammer(lambda: gateway.chat(ask("c")).status) as hammer:
                for turn in range(1, 4):
                    fresh = copy.deepcopy(config)
                    for one in fresh["providers"].values():
                        one["api_key"] = f"k{turn}"
                    gateway.write(fresh)
                    eventually(lambda: sees(quick, f"k{turn}"), 20, "the new key")
            gate.open()
        figure = f"{streams.whole} of {streams.count} streams whole, {len(hammer.failed)} of {len(hammer.seen)} requests failed"
        return figure, streams.whole == streams.count and not hammer.failed


@fault("SIGTERM under streams", "every stream ends whole, exit code 0")
def drain(scale: Scale):
    with upstreams(1) as (held,):
        gate = Gate(held)
        held.always(gate.script)
        with Gateway({"server": {"shutdown_timeout": "60s"}, "providers": {"held": provider(held)}}) as gateway:
            with Streams(gateway.port, scale.drained_streams) as streams:
                gateway.terminate()
                time.sleep(0.5)
                gate.open()
            code = gateway.process.wait(60)
        return f"{streams.whole} of {streams.count} streams whole, exit code {code}", streams.whole == streams.count and code == 0


@fault("kill -9 and a restart", "it serves again at once on the same port, with nothing to repair")
def killed(scale: Scale):
    with upstreams(1) as (only,):
        only.always(OK)
        with Gateway({"providers": {"only": provider(only)}}) as gateway:
            assert gateway.chat(ask()).status == 200
            gateway.kill()
            began = time.monotonic()
            gateway.start()
            reply = timed(gateway, ask()).reply
            return f"answers {time.monotonic() - began:.2f} s after its start", reply.status == 200


class Balancer:
    """A trivial TCP balancer: a new connection goes to the first backend that is ready and takes it."""

    def __init__(self, ports: list[int]):
        self.ports, self.port = ports, free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, name="balancer", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        for port in sorted(self.ports, key=lambda port: not ready(port)):
            try:
                backend = socket.create_connection(("127.0.0.1", port), 5)
            except OSError:
                continue
            threading.Thread(target=pump, args=(backend, client), daemon=True).start()
            return pump(client, backend)
        client.close()


def ready(port: int) -> bool:
    try:
        with Connection(port, timeout=5) as conn:
            conn.request("GET", "/readyz")
            return conn.reply().status == 200
    except Exception:
        return False


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@fault("a rolling restart", "behind a balancer that asks for readiness no request is lost")
def rolling(scale: Scale):
    """Two instances, each on its own port."""
    with upstreams(1) as (only,):
        only.always(OK)
        config = {"server": {"pre_stop": "500ms"}, "providers": {"only": provider(only)}}
        with Gateway(config) as one, Gateway(config) as other:
            balancer = Balancer([one.port, other.port])

            def call():
                with Connection(balancer.port, timeout=20) as conn:
                    conn.request("POST", "/v1/chat/completions", ask(), [("connection", "close")])
                    return conn.reply().status

            with Hammer(call, clients=2) as hammer:
                for instance in (one, other):
                    time.sleep(0.3)
                    assert instance.stop() == 0
                    instance.start()
                time.sleep(0.3)
            balancer.listener.close()
        return f"{len(hammer.failed)} of {len(hammer.seen)} requests lost", len(hammer.seen) > 20 and not hammer.failed


def handed_over(scale: Scale, config: dict, **options) -> tuple[str, bool]:
    """Each instance follows the last at the same address while clients come and streams run."""
    with upstreams(2) as (held, quick):
        quick.always(OK)
        config = config | {"providers": {"held": provider(held), "quick": provider(quick, "c")}}
        whole = count = 0

        def call():
            with Connection(gateway.port, timeout=20) as conn:
                conn.request("POST", "/v1/chat/completions", ask("c"), [("connection", "close")])
                return conn.reply().status

        with ExitStack() as instances:
            gateway = instances.enter_context(Gateway(config, **options))
            with Hammer(call, clients=4) as hammer:
                for _ in range(scale.restarts):
                    gate = Gate(held)
                    held.always(gate.script)
                    with Streams(gateway.port, scale.streams) as streams:
                        new = instances.enter_context(Gateway(config, **options))
                        gateway.terminate()
                        time.sleep(0.5)
                        gate.open()
                        assert gateway.process.wait(60) == 0
                    gateway, whole, count = new, whole + streams.whole, count + streams.count
                time.sleep(0.3)
        figure = (f"{scale.restarts} restarts: {len(hammer.failed)} of {len(hammer.seen)} connections refused or cut, "
                  f"{whole} of {count} streams whole")
        return figure, len(hammer.seen) > 20 and not hammer.failed and whole == count


@fault("a handover of one socket", "old and new serve from one queue: no connection is refused, nothing is cut")
def inherited(scale: Scale):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        return handed_over(scale, {"server": {"shutdown_timeout": "60s"}}, listener=listener)


@fault("a handover of one port", "old and new share it for a while: no connection is refused, nothing is cut")
def shared(scale: Scale):
    return handed_over(scale, {"server": {"shutdown_timeout": "60s", "reuse_port": True}}, port=free_port())
