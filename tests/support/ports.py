"""Ports for the servers that tests start.

A port that the kernel gives out for 0 is one of those that it also gives to outgoing connections: between the look and
the server's start, and while a server is down that is to come back, any client on the machine may take it.
"""

from __future__ import annotations

import os
import random
import socket
from itertools import cycle
from pathlib import Path


def _ports() -> list[int]:
    """Those that the kernel gives to nobody by itself, in an order of this process's own."""
    range_file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_outgoing = int(range_file.read_text().split()[0]) if range_file.exists() else 49152
    # of several processes that run tests side by side, each has its own
    own, all_of_them = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    ports = list(range(10_000 + int(own.removeprefix("gw")), max(first_outgoing, 20_000), all_of_them))
    random.shuffle(ports)
    return ports


_candidates = cycle(_ports())


def free_port() -> int:
    """A port that nobody listens on, and that this process was not given before."""
    while True:
        with socket.socket() as sock:
            # as servers do it: connections of the past that wait for their end are in nobody's way
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port := next(_candidates)))
                return port
            except OSError:
                continue


def refused_port() -> int:
    """A port that nobody listens on, now or later."""
    return free_port()
