"""What an answer costs: header, log line, metrics, and the command that shows prices."""

from __future__ import annotations

import json
import re

import pytest

from support.gateway import Gateway, ask, provider, run
from support.upstream import completion, json_reply, sse, stream_frames
from support.waiting import eventually

PRICES = {"custom_pricing": {
    "acme-large": {"input_per_mtok": 2.5, "output_per_mtok": "10", "cached_input_per_mtok": "0.000001",
                   "priority": {"input_per_mtok": 5, "output_per_mtok": 20}},
    "free": {"input_per_mtok": 0, "output_per_mtok": 0},
}}


@pytest.fixture(scope="module")
def gateway(upstream):
    acme = provider(upstream, "acme-large", "acme-small", "free")
    with Gateway({"providers": {"acme": acme}, "cost_tracking": PRICES}) as gateway:
        yield gateway


def cost(gateway, upstream, model="acme-large", **members):
    upstream.script(json_reply({**completion("hello"), **members}))
    reply = gateway.chat(ask(model))
    assert reply.status == 200
    return reply.header("x-prism-cost")


def usage(prompt, answer, cached=0):
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
            "prompt_tokens_details": {"cached_tokens": cached}}


def metric(gateway, name, model):
    return gateway.metrics().total(name, provider="acme", model=model)


def test_a_whole_answer_says_what_it_costs_in_plain_decimals(gateway, upstream):
    assert cost(gateway, upstream, usage=usage(100, 20)) == "0.00045"
    # cached tokens are part of the prompt's: 100 × 2.5 + 1,900 × 0.000001 + 20 × 10 millionths
    assert cost(gateway, upstream, usage=usage(2000, 20, 1900)) == "0.0004500019"
    assert cost(gateway, upstream, usage=usage(100, 20), service_tier="priority") == "0.0009"
    assert cost(gateway, upstream, "free", usage=usage(100, 20)) == "0"


def test_what_has_no_price_has_no_cost_and_is_counted(gateway, upstream):
    before = metric(gateway, "prism_unpriced_requests_total", "acme-large")
    assert cost(gateway, upstream, "acme-small", usage=usage(100, 20)) is None
    assert cost(gateway, upstream, usage=usage(100, 20), service_tier="flex") is None
    assert cost(gateway, upstream, usage=None) is None
    eventually(lambda: metric(gateway, "prism_unpriced_requests_total", "acme-small") == 1, what="one without a price")
    eventually(lambda: metric(gateway, "prism_unpriced_requests_total", "acme-large") == before + 2, what="two more")


def test_a_stream_is_counted_and_logged_at_its_end(gateway, upstream):
    before = metric(gateway, "prism_cost_usd_total", "acme-large")
    frames = stream_frames("hello", usage=True)
    upstream.script(sse(*frames))
    reply = gateway.chat(ask(stream=True, stream_options={"include_usage": True}))
    assert reply.header("x-prism-cost") is None
    assert reply.body == b"".join(frame if isinstance(frame, bytes) else frame.encode() for frame in frames)
    # 11 in, 7 out
    eventually(lambda: abs(metric(gateway, "prism_cost_usd_total", "acme-large") - before - 0.0000975) < 1e-12, what="its cost")
    line = eventually(lambda: [one for one in map(json.loads, gateway.stdout.splitlines())
                               if one.get("request_id") == reply.header("x-prism-request-id")], what="its line")
    assert line[0]["cost"] == "0.0000975"


def test_a_stream_has_its_cost_in_the_usage_chunk_when_asked(gateway, upstream):
    frames = [frame if isinstance(frame, bytes) else frame.encode() for frame in stream_frames("hello", usage=True)]
    plain = b"".join(frames)
    for asked, options, priced in [("true", {"include_usage": True}, True), ("false", {"include_usage": True}, False), ("true", None, False)]:
        upstream.script(sse(*frames))
        extra = {"stream_options": options} if options else {}
        reply = gateway.chat(ask(stream=True, **extra), [("x-prism-include-cost", asked)])
        if priced:
            chunks = [json.loads(line[6:]) for line in reply.body.splitlines() if line.startswith(b"data: {")]
            assert [chunk["x_prism"] for chunk in chunks if "x_prism" in chunk] == [{"cost": 0.0000975}]
            assert reply.body.replace(b',"x_prism":{"cost":0.0000975}', b"") == plain, "no other byte differs"
        else:
            assert b"x_prism" not in reply.body
    # formats that are translated have the same usage chunk
    reply = gateway.chat(ask(stream=True), [("x-prism-include-cost", "perhaps")])
    assert reply.status == 400


def test_prices_change_without_a_restart_and_can_be_turned_off(upstream, tmp_path):
    config = {"providers": {"acme": provider(upstream)}, "cost_tracking": PRICES}
    with Gateway(config) as gateway:
        assert cost(gateway, upstream, usage=usage(100, 20)) == "0.00045"
        for costs, wanted in [({"custom_pricing": {"acme/acme-large": {"input_per_mtok": 1, "output_per_mtok": 1}}}, "0.00012"),
                              ({"enabled": False}, None)]:
            gateway.write({**config, "cost_tracking": costs})
            eventually(lambda: cost(gateway, upstream, usage=usage(100, 20)) == wanted, what=f"the cost {wanted}")
        assert metric(gateway, "prism_unpriced_requests_total", "acme-large") == 0


def test_the_cheapest_provider_goes_first_when_that_is_the_strategy(upstream, second, third):
    providers = {name: provider(one) for name, one in [("unpriced", upstream), ("dear", second), ("cheap", third)]}
    prices = {"dear/acme-large": {"input_per_mtok": 5, "output_per_mtok": 5}, "cheap/acme-large": {"input_per_mtok": 1, "output_per_mtok": 2}}
    for one in (upstream, second, third):
        one.always(json_reply(completion("hello")))
    config = {"providers": providers, "cost_tracking": {"custom_pricing": prices}, "routing": {"default_strategy": "cost-optimized"}}
    with Gateway(config) as gateway:
        assert {gateway.chat(ask()).header("x-prism-provider") for _ in range(10)} == {"cheap"}


def test_the_command_shows_prices_and_where_they_come_from(tmp_path):
    shown = run("prices", "openai/gpt-4o-mini").stdout
    assert re.search(r"openai/gpt-4o-mini +\(litellm [\d.]+\)\n +input +0\.15\n +output +0\.6\n +cached +0\.075\n", shown)
    config = tmp_path / "prism.yaml"
    config.write_text(json.dumps({"cost_tracking": PRICES}))
    rows = json.loads(run("prices", "acme-large", "--json", "--config", str(config)).stdout)
    assert rows[0]["model"] == "acme-large" and rows[0]["source"] == "configuration"
    assert rows[0]["usd_per_million"]["cached"] == "0.000001"
    nothing = run("prices", "no-such-model")
    assert nothing.returncode == 1 and "no price is known" in nothing.stderr
