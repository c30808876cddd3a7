"""What one provider's trouble does to another: two gateways side by side, one with a troubled provider, asked in turns."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from support.gateway import Gateway, ask
from support.http1 import Connection

from .elsewhere import Elsewhere
from .fault import Scale, fault, quantile

TRAFFIC = 20  # requests per second for the provider that is troubled, or may be
SETTLE = 0.5  # seconds until a gateway has felt what its provider does
MOST_WORK = 1.25  # times the CPU: what a gateway takes from the machine slows the one beside it too, and would not show
CALM = "is well"


class Side:
    """A gateway with a provider that may be troubled, and another that is well."""

    def __init__(self, stack: ExitStack, calm: Elsewhere, panics: bool):
        self.troubled = stack.enter_context(Elsewhere(yields=True))
        providers = {"troubled": {"base_url": self.troubled.base_url, "models": ["t"], "discover": False,
                                  "timeouts": {"first_byte": "300ms"}},
                     "calm": {"base_url": calm.base_url, "models": ["c"], "discover": False},
                     "simulator": {"type": "simulator"}}
        routing = {"circuit_breaker": {"enabled": False}, "retry": {"enabled": False}}
        settings = {"providers": providers, "routing": routing, "logging": {"level": "error"}}
        self.gateway = stack.enter_context(Gateway(settings, panics=panics))
        self.troubled.ask(self.gateway.port, "t", TRAFFIC)


def cpu(gateway: Gateway) -> float:
    """Seconds that all its threads have run, those too that have ended."""
    return time.clock_gettime(~gateway.process.pid << 3 | 2)  # as clock_getcpuclockid(3) makes a process's clock


def in_turns(sides: list[Side], requests: int) -> tuple[list[list[float]], list[float]]:
    """Each is asked as often for its calm provider, one request here and one there, so that whatever else the machine does
    meets both: how long each request took, and what each gateway's threads used."""
    seconds, before = ([], []), [cpu(side.gateway) for side in sides]
    with Connection(sides[0].gateway.port) as one, Connection(sides[1].gateway.port) as other:
        for number in range(requests):
            for conn, taken in ((one, seconds[0]), (other, seconds[1]))[:: 1 if number % 2 else -1]:
                began = time.perf_counter()
                conn.request("POST", "/v1/chat/completions", ask("c", stream=True))
                reply = conn.reply()
                taken.append(time.perf_counter() - began)
                assert reply.status == 200, reply
    return seconds, [cpu(side.gateway) - used for side, used in zip(sides, before)]


def beside(trouble: str, scale: Scale) -> tuple[str, bool]:
    """The gateways take turns at having the trouble: no two processes are quite as fast as each other. A quantile is that of all
    rounds together: one has too few requests beyond its 99th percentile."""
    taken, work = ([], []), []
    with ExitStack() as stack:
        calm = stack.enter_context(Elsewhere())
        sides = [Side(stack, calm, panics=trouble == "panics") for _ in range(2)]
        in_turns(sides, scale.window)  # connections, caches
        for turn in range(scale.rounds):
            without, beside_it = sides[:: 1 if turn % 2 else -1]
            without.troubled.be(CALM)
            beside_it.troubled.be(trouble)
            time.sleep(SETTLE)
            seconds, used = in_turns([without, beside_it], scale.window)
            for all_of_them, some in zip(taken, seconds):
                all_of_them.extend(some)
            work.append(used[1] / used[0])

    p50, p99 = (quantile(taken[1], share) / quantile(taken[0], share) for share in (0.5, 0.99))
    millis, more = [quantile(one, 0.99) * 1e3 for one in taken], statistics.median(work)
    figure = (f"p99 × {p99:.3f} ({millis[0]:.2f} → {millis[1]:.2f} ms of {len(taken[1])} requests), p50 × {p50:.2f}, "
              f"CPU × {more:.2f}")
    # a short round on a busy machine only tells a coupling from noise
    return figure, p99 <= 1.05 and more <= MOST_WORK if scale.strict else p50 <= 4


def listed(trouble: str, promise: str = "the p99 of another moves by at most 5 %") -> None:
    @fault(f"beside a provider that {trouble}", promise)
    def _(scale: Scale):
        return beside(trouble, scale)


listed(CALM, "nothing but noise: how far the figures below can be trusted")
for trouble in ("panics", "hangs", "resets", "fails", "floods"):
    listed(trouble)
