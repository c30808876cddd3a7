"""What one provider's trouble does to another: measured in short windows with it and without it, side by side."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from support.gateway import Gateway, ask
from support.http1 import Connection

from .elsewhere import Elsewhere
from .fault import Scale, fault, quantile

TRAFFIC = 20  # requests per second for the troubled one, in every window
SETTLE = 0.5  # seconds until a window shows what its provider does
CALM = "is well"
MACHINES = ("floods",)  # the troubles that are the whole machine's


@dataclass
class Window:
    seconds: list[float]
    cpu: float


class Windows:
    """One client that asks the calm provider again and again, and what the gateway's threads used meanwhile."""

    def __init__(self, gateway: Gateway, requests: int):
        self.gateway, self.requests = gateway, requests

    def measure(self) -> Window:
        seconds, before = [], cpu(self.gateway)
        with Connection(self.gateway.port) as conn:
            for _ in range(self.requests):
                began = time.perf_counter()
                conn.request("POST", "/v1/chat/completions", ask("c", stream=True))
                reply = conn.reply()
                seconds.append(time.perf_counter() - began)
                assert reply.status == 200, reply
        return Window(seconds, cpu(self.gateway) - before)


def cpu(gateway: Gateway) -> float:
    """Seconds that all its threads have run, those too that have ended."""
    return time.clock_gettime(~gateway.process.pid << 3 | 2)  # as clock_getcpuclockid(3) makes a process's clock


def beside(trouble: str, scale: Scale) -> tuple[str, bool]:
    """Each round has a window with and one without, in turns first, so that whatever else the machine does meets both. A
    quantile is that of all windows together: one window has too few requests beyond its 99th percentile. The troubled provider
    is asked as often in both. What takes from the machine wherever it goes is measured against itself past the gateway."""
    with Elsewhere(yields=True) as troubled, Elsewhere() as calm:
        each = {"discover": False, "timeouts": {"first_byte": "300ms"}}
        providers = {"troubled": {"base_url": troubled.base_url, "models": ["t"]} | each,
                     "calm": {"base_url": calm.base_url, "models": ["c"], "discover": False},
                     "simulator": {"type": "simulator"}}
        routing = {"circuit_breaker": {"enabled": False}, "retry": {"enabled": False}}
        with Gateway({"providers": providers, "routing": routing, "logging": {"level": "error"}},
                     panics=trouble == "panics") as gateway:
            windows = Windows(gateway, scale.window)
            windows.measure()
            troubled.ask(gateway.port, "t", TRAFFIC)
            rounds = []
            for turn in range(scale.rounds):
                pair = {}
                for side in ("with", "without")[:: 1 if turn % 2 else -1]:
                    if side == "with":
                        troubled.be(trouble)
                    elif trouble in MACHINES:
                        troubled.be(trouble, past=True)
                    else:
                        troubled.be(CALM)
                    time.sleep(SETTLE)
                    pair[side] = windows.measure()
                rounds.append(pair)

    def together(side: str) -> list[float]:
        return [second for pair in rounds for second in pair[side].seconds]

    p50, p99 = (quantile(together("with"), share) / quantile(together("without"), share) for share in (0.5, 0.99))
    millis = [quantile(together(side), 0.99) * 1e3 for side in ("without", "with")]
    work = statistics.median(pair["with"].cpu / pair["without"].cpu for pair in rounds)
    figure = (f"p99 × {p99:.3f} ({millis[0]:.2f} → {millis[1]:.2f} ms of {len(together('with'))} requests), p50 × {p50:.2f}, "
              f"CPU × {work:.2f}")
    # a short round on a busy machine only tells a coupling from noise
    return figure, p99 <= 1.05 if scale.strict else p50 <= 4


def listed(trouble: str, promise: str = "the p99 of another moves by at most 5 %") -> None:
    @fault(f"beside a provider that {trouble}", promise)
    def _(scale: Scale):
        return beside(trouble, scale)


listed(CALM, "nothing but noise: how far the figures below can be trusted")
for trouble in ("panics", "hangs", "resets", "fails"):
    listed(trouble)
listed("floods", "the p99 of another moves by at most 5 % against the same flood past the gateway")
