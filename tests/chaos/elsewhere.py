"""A provider, and clients that ask for it, in a process of their own: what they do costs the process that measures nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import threading
from multiprocessing.connection import Connection as Pipe

from support.gateway import ask
from support.http1 import request_bytes
from support.upstream import (
    EVENT_STREAM, Exchange, Upstream, chunk, error_reply, event, reset_at_once, silence, sse, stream_frames,
)

PATIENCE = 0.4  # seconds that the clients here wait
PANICKING = "simulator/echo?panic=0"


async def flood(x: Exchange) -> None:
    """More than anybody reads."""
    await x.head(200, EVENT_STREAM)
    frame = event(chunk({"content": "x" * 4000}))
    while True:
        await x.chunk(frame)


BEHAVIOURS = {
    "is well": sse(*stream_frames("pong")), "hangs": silence, "resets": reset_at_once, "fails": error_reply(500), "floods": flood,
    "panics": silence,  # it is not the upstream that does: another model is asked for
}


class Elsewhere:
    """One upstream in another process, well until it is told otherwise. One that `yields` runs in what the others leave of the
    cores: a provider is on another machine, and only what the gateway does with what it sends is to be seen."""

    def __init__(self, yields: bool = False):
        context = multiprocessing.get_context("spawn")  # a fork would take this process's sockets along
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, yields), daemon=True)

    def __enter__(self) -> Elsewhere:
        self._process.start()
        self.base_url = self._pipe.recv()
        return self

    def __exit__(self, *_) -> None:
        self._pipe.send(None)
        self._process.join(10)

    def be(self, behaviour: str) -> None:
        self._tell("be", behaviour)

    def ask(self, port: int, model: str, per_second: float) -> None:
        """From now on clients ask the gateway for this model, as often as that, and read streams no further than their head."""
        self._tell("ask", port, model, per_second)

    def _tell(self, *message) -> None:
        self._pipe.send(message)
        assert self._pipe.recv() == "done"


def _serve(pipe: Pipe, yields: bool) -> None:
    if yields and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    asked = {}  # in place of the model that is asked for otherwise
    with Upstream() as upstream:
        upstream.always(BEHAVIOURS["is well"])
        pipe.send(upstream.base_url)
        while message := pipe.recv():
            match message:
                case ("be", behaviour):
                    upstream.always(BEHAVIOURS[behaviour])
                    asked["model"] = PANICKING if behaviour == "panics" else None
                case ("ask", *what):
                    threading.Thread(target=lambda: asyncio.run(_ask(asked, *what)), daemon=True).start()
            pipe.send("done")


async def _ask(asked: dict, port: int, model: str, per_second: float) -> None:
    running = set()
    while True:
        one = asyncio.create_task(_ask_once(port, asked.get("model") or model))
        running.add(one)
        one.add_done_callback(running.discard)
        await asyncio.sleep(1 / per_second)


async def _ask_once(port: int, model: str) -> None:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)  # little of what nobody reads is on its way
    try:
        sock.connect(("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 12)
    except OSError:
        return sock.close()
    try:
        writer.write(request_bytes("POST", "/v1/chat/completions", ask(model, stream=True), [("connection", "close")]))
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(PATIENCE / 4)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
