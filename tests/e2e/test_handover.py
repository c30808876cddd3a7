"""One gateway follows another at the same address: nobody who connects is refused, nothing that runs is cut."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from support.gateway import Gateway, ask, provider
from support.http1 import Connection
from support.ports import free_port
from support.routing import OK
from support.upstream import stream_frames
from support.waiting import eventually

FRAMES = stream_frames(*"abcd")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener


class Callers:
    """Clients that open a connection for each request, and what each of them saw."""

    def __init__(self, port: int, count: int = 4):
        self.port, self.seen, self._stop = port, [], threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with Connection(self.port) as conn:
                    conn.request("POST", "/v1/chat/completions", ask())
                    self.seen.append(conn.reply().status)
            except Exception as problem:
                self.seen.append(problem)

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def config(upstream, **server) -> dict:
    return {"server": {"shutdown_timeout": "20s"} | server, "providers": {"acme": provider(upstream)}}


def begun(gateway, upstream):
    conn = gateway.open_chat(ask(stream=True))
    call = upstream.take()
    call.stream_head()
    call.chunk(FRAMES[0])
    pieces = conn.pieces(conn.head())
    assert next(pieces) == FRAMES[0]
    return conn, call, pieces


async def rest(x):
    for frame in FRAMES[1:]:
        await x.chunk(frame)
    await x.end()


@pytest.mark.parametrize("how", ["inherited socket", "shared port"])
def test_a_restart_under_load_loses_nobody(upstream, listener, how):
    if how == "inherited socket":
        options, settings = {"listener": listener}, config(upstream)
    else:
        options, settings = {"port": free_port()}, config(upstream, reuse_port=True)
    with Gateway(settings, **options) as old:
        _, call, pieces = begun(old, upstream)
        upstream.always(OK)
        with Gateway(settings, **options) as new, Callers(old.port) as callers:
            time.sleep(0.3)
            old.terminate()
            eventually(lambda: "stopping" in old.output, what="the signal to be seen")
            time.sleep(0.5)
            call.run(rest)
            assert b"".join(pieces) == b"".join(FRAMES[1:]), "what runs in the old one goes on"
            assert old.process.wait(10) == 0
            time.sleep(0.3)
            assert new.process.poll() is None
        assert len(callers.seen) > 20 and set(callers.seen) == {200}, callers.seen


def test_connections_wait_while_nobody_listens_on_an_inherited_socket(upstream, listener):
    upstream.always(OK)
    with Gateway(config(upstream), listener=listener) as gateway:
        assert gateway.stop() == 0
        with gateway.open_chat(ask()) as waiting:
            time.sleep(0.2)
            gateway.start()
            assert waiting.reply().status == 200


def test_a_gateway_that_goes_asks_its_clients_to_use_other_connections(upstream):
    upstream.always(OK)
    with Gateway(config(upstream, pre_stop="1s")) as gateway, gateway.connect() as conn:
        conn.request("POST", "/v1/chat/completions", ask())
        assert conn.reply().header("connection") is None
        gateway.terminate()
        eventually(lambda: gateway.get("/readyz").status == 503, 3, "readiness to turn")
        conn.request("POST", "/v1/chat/completions", ask())
        reply = conn.reply()
        assert reply.status == 200 and reply.header("connection") == "close"
        assert conn.is_closed_by_server()


def refused(**options) -> str:
    with pytest.raises(AssertionError) as raised:
        Gateway({}, **options).__enter__()
    return str(raised.value)


def test_what_is_inherited_must_listen_and_may_be_open_to_nobody_else():
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        assert "without keys" in refused(listener=everywhere, host=None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        assert "the inherited socket" in refused(listener=datagrams)


def test_a_port_is_shared_only_when_both_say_so(upstream):
    with Gateway(config(upstream, reuse_port=True)) as gateway:
        assert "in use" in refused(port=gateway.port)
