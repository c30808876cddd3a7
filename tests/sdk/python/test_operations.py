"""Every operation of the document, through both clients, against the real gateway."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
import time

import prism
import pytest
from asking import MESSAGES, async_chat, chat, text, with_async
from conftest import REPO, SDK
from prism import types
from support.gateway import Gateway
from test_organisations import CALLS as ADMINISTRATION

CALLS = {
    "chat.completions.create": (dict(model="simulator/echo", messages=MESSAGES), types.ChatCompletion),
    "completions.create": (dict(model="simulator/echo", prompt="a b"), types.Completion),
    "embeddings.create": (dict(model="simulator/embedding", input=["a", "b"]), types.EmbeddingResponse),
    "rerank.create": (dict(model="simulator/rerank", query="a b", documents=["c", {"text": "a b"}]), types.RerankResponse),
    "models.list": ({}, types.ModelList),
    "usage.list": (dict(group_by="day,model"), prism.SyncPage),
    "models.retrieve": (dict(model="simulator/echo"), types.ModelInfo),
    "route.explain": (dict(request={"model": "simulator/echo", "messages": MESSAGES}), types.RouteExplanation),
    "route.decisions.retrieve": ({}, types.RouteDecision),
    "limits.retrieve": ({}, types.Limits),
    "providers.health": ({}, types.ProvidersHealth),
    "health.retrieve": ({}, types.Liveness),
    "health.live": ({}, types.Liveness),
    "health.ready": ({}, types.Readiness),
    "health.metrics": ({}, prism.BinaryResponse),
}


@pytest.fixture(autouse=True)
def a_recent_request(client):
    """Its id is what a decision is asked for by."""
    CALLS["route.decisions.retrieve"][0]["request_id"] = chat(client).prism.request_id


def documented() -> dict[str, dict]:
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    operations = (operation for item in document["paths"].values() for operation in item.values())
    return {operation["x-sdk-method"]: operation for operation in operations}


def method(client, name: str):
    for part in name.split("."):
        client = getattr(client, part)
    return client


def awaited(kind):
    """What the asynchronous client answers in its place."""
    return prism.AsyncPage if kind is prism.SyncPage else kind


def test_every_operation_has_a_call_in_this_file():
    assert set(CALLS) | set(ADMINISTRATION) == set(documented())


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_answers_with_its_type(client, name):
    arguments, kind = CALLS[name]
    answer = method(client, name)(**arguments)
    assert type(answer) is kind
    if kind is prism.SyncPage:
        assert answer.data == list(answer) and not answer.has_next_page()
    elif isinstance(answer, prism.BaseModel):
        assert answer.to_dict() == json.loads(answer.to_json())
    else:
        assert answer.content.decode() == answer.text


@pytest.mark.parametrize("name", CALLS)
def test_an_async_operation_answers_with_its_type(gateway, name):
    arguments, kind = CALLS[name]

    async def ask(client):
        return await method(client, name)(**arguments)

    assert type(with_async(gateway.url, ask)) is awaited(kind)


@pytest.mark.parametrize("name", CALLS)
def test_the_raw_answer_of_an_operation(client, gateway, name):
    arguments, kind = CALLS[name]
    resource, _, leaf = name.rpartition(".")
    raw = getattr(method(client, resource).with_raw_response, leaf)(**arguments)
    assert raw.status_code == 200 and type(raw.parse()) is kind
    assert raw.text == raw.content.decode()
    assert kind is prism.BinaryResponse or raw.json() == json.loads(raw.text)
    with getattr(method(client, resource).with_streaming_response, leaf)(**arguments) as streamed:
        assert type(streamed.parse()) is kind

    async def both(client):
        raw = await getattr(method(client, resource).with_raw_response, leaf)(**arguments)
        async with getattr(method(client, resource).with_streaming_response, leaf)(**arguments) as streamed:
            return raw.parse(), await streamed.parse()

    assert [type(answer) for answer in with_async(gateway.url, both)] == [awaited(kind)] * 2


def test_usage_is_walked_over_its_pages(client, gateway):
    for name in ("ann", "bob"):
        chat(client, user=name)
    asked = dict(group_by="user", limit=1, extra_query={"status": "answered"})
    deadline = time.monotonic() + 30
    while not {"ann", "bob"} <= {row.user for row in client.usage.list(**asked)}:
        assert time.monotonic() < deadline, "it is counted within about a second"
        time.sleep(0.1)
    page = client.usage.list(**asked)
    rows = list(page)
    assert len(page.data) == 1 and page.has_next_page() and len(rows) > 1
    assert page.body.totals.requests == sum(row.requests for row in rows)
    assert page.body.freshness.behind_ms >= 0 and rows[-1].tokens.input > 0

    async def walk(client):
        return [row async for row in client.usage.list(**asked)]

    assert [row.user for row in with_async(gateway.url, walk)] == [row.user for row in rows]


@pytest.mark.parametrize("kind", [prism.Prism, prism.AsyncPrism])
def test_docstrings_come_from_the_document(kind):
    for name, operation in documented().items():
        doc = inspect.getdoc(method(kind(), name))
        assert operation["summary"] in doc and "Raises:" in doc


@pytest.mark.parametrize(
    "name", [name for name, operation in documented().items() if "text/event-stream" in str(operation)]
)
def test_an_operation_streams(client, gateway, name):
    arguments, _ = CALLS[name]
    chunks = list(method(client, name)(**arguments, stream=True))
    assert len(chunks) > 1 and len({type(chunk) for chunk in chunks}) == 1

    async def collect(client):
        return [chunk async for chunk in await method(client, name)(**arguments, stream=True)]

    assert len(with_async(gateway.url, collect)) == len(chunks)


def test_a_stream_says_who_answered(client):
    with chat(client, stream=True) as stream:
        first = next(stream)
        assert stream.prism.provider == first.prism.provider == "simulator"
        assert stream.request_id == first.prism.request_id
        assert text(stream) == "one two three"


def test_the_way_of_a_request(client):
    plan = client.route.explain(request={"model": "simulator/embedding", "input": "a"}, endpoint="embeddings")
    assert plan.endpoint == "embeddings" and plan.source == "listed" and plan.candidates[0].provider == "simulator"
    assert plan.candidates[0].readiness == "ready" and plan.candidates[0].reasons == []
    done = client.route.decisions.retrieve(request_id=chat(client).prism.request_id)
    assert [(one.place.provider, one.kind, one.outcome) for one in done.attempts] == [("simulator", "first", "answered")]
    with pytest.raises(prism.NotFoundError):
        client.route.decisions.retrieve(request_id="req_nothing")
    provider = client.providers.health().data[0]
    assert provider.breaker.state == "closed" and provider.availability.hour.requests > 0 and provider.quotas == []


def test_a_key_sees_where_it_stands():
    key = {"name": "app", "key": "sk-prism-app", "rate_limit_rpm": 5, "max_concurrent": 3}
    config = {"auth": {"keys": [key]}, "budgets": {"limit": "10.50"}, "providers": {"simulator": {}}}
    with Gateway(config) as limited, prism.Prism(api_key="sk-prism-app", base_url=limited.url, max_retries=0) as client:
        chat(client)
        limits = client.limits.retrieve()
        assert [(one.scope, one.name, one.unit, one.limit, one.remaining) for one in limits.rates] == [("key", "app", "requests", 5, 4)]
        assert limits.concurrency.limit == 3 and limits.concurrency.in_progress == 0
        budget = limits.budgets[0]
        assert (budget.scope, budget.limit, budget.spent, budget.reserved) == ("organisation", "10.5", "0", "0")
        assert budget.period == "monthly" and budget.hard and budget.resets_at.endswith("-01T00:00:00Z")
        with pytest.raises(prism.RateLimitError) as told:
            for _ in range(5):
                chat(client)
        assert told.value.code == "rate_limit_exceeded" and client.limits.retrieve().rates[0].remaining == 0


def test_models_with_slashes(client):
    assert client.models.retrieve(model="simulator/echo").id == "simulator/echo"
    with pytest.raises(ValueError, match="must not be empty"):
        client.models.retrieve(model="")


def test_tools_and_their_results_go_round(client):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    first = chat(client, "simulator/tool", tools=tools)
    call = first.choices[0].message.tool_calls[0]
    assert call.type == "function" and call.function.name == "weather"
    # An answer's message can be sent back as it is.
    history = [*MESSAGES, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    second = client.chat.completions.create(model="simulator/tool", messages=history, tools=tools)
    assert "sunny" in second.choices[0].message.content


def test_prism_says_what_the_gateway_did(client):
    meta = chat(client, extra_headers=prism.create_headers(trace_id="t-1", request_timeout=5000)).prism
    assert (meta.provider, meta.model_used, meta.trace_id, meta.attempts) == ("simulator", "echo", "t-1", 1)
    assert meta.fallback_used is False and meta.timeout_ms == 5000 and meta.routing_strategy == "round-robin"
    assert meta.request_id.startswith("req_") and meta.latency_ms >= 0
    assert meta.cost is None and meta.cache is None and meta.translation == {}
    assert meta.rate_limit.limit_requests == 10000


def test_the_cost_of_an_answer_is_a_number():
    costs = {"custom_pricing": {"simulator/echo": {"input_per_mtok": "2.5", "output_per_mtok": 10}}}
    with Gateway({"providers": {"simulator": {}}, "cost_tracking": costs}) as priced:
        with prism.Prism(base_url=priced.url, max_retries=0) as client:
            answer = chat(client)
            due = (answer.usage.prompt_tokens * 2.5 + answer.usage.completion_tokens * 10) / 1_000_000
            assert abs(answer.prism.cost - due) < 1e-15 and answer.prism.cost > 0


def test_many_at_once(gateway):
    async def together(client):
        return await asyncio.gather(*(async_chat(client) for _ in range(50)))

    assert len({answer.id for answer in with_async(gateway.url, together)}) == 50


def test_on_trio(gateway):
    import trio

    async def run():
        async with prism.AsyncPrism(base_url=gateway.url) as client:
            answer = await async_chat(client)
            chunks = [chunk async for chunk in await async_chat(client, stream=True)]
            return answer, chunks

    answer, chunks = trio.run(run)
    assert answer.choices[0].message.content == text(chunks) == "one two three"


def test_the_first_calls_of_many_threads(gateway):
    """Everything that is made by the first call is made once, or harmlessly twice."""
    code = (
        "import sys, threading, prism\n"
        "sys.setswitchinterval(1e-6)\n"
        "client, gate, good = prism.Prism(), threading.Barrier(16), []\n"
        "ask = dict(model='simulator/echo', messages=[{'role': 'user', 'content': 'hi'}])\n"
        "def work():\n"
        "    gate.wait()\n"
        "    good.append(client.chat.completions.create(**ask).choices[0].message.content)\n"
        "    good.append(sum(1 for _ in client.chat.completions.create(**ask, stream=True)))\n"
        "threads = [threading.Thread(target=work) for _ in range(16)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "assert len(good) == 32 and good.count('hi') == 16, good\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "PRISM_BASE_URL": gateway.url}
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
