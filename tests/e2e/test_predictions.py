"""Replicate: predictions that are created, asked after or listened to, and cancelled when nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import re
import time

import openai
import pytest
from replicate.prediction import Prediction

from support.gateway import Gateway
from support.upstream import EVENT_STREAM, json_reply
from support.waiting import eventually

MODEL = "meta/meta-llama-3-70b-instruct"
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Rome?"}]
OUTPUT = ["Let me", " look.\n", "\n", "Sunny."]
METRICS = {"input_token_count": 15, "output_token_count": 5, "predict_time": 0.5}


def sse(name: str, data: str) -> bytes:
    return (f"event: {name}\nid: 1:0\n" + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()


ERRORS = {
    401: ({"title": "Unauthenticated", "detail": "You did not pass a valid token r8-up", "status": 401}, openai.InternalServerError, "credential"),
    402: ({"title": "Insufficient credit", "detail": "You have insufficient credit.", "status": 402}, openai.RateLimitError, "credit"),
    404: ({"detail": "The requested resource could not be found.", "status": 404}, openai.NotFoundError, "could not be found"),
    422: ({"title": "Input validation failed", "detail": "- input.max_tokens: Must be at least 1024\n", "status": 422},
          openai.UnprocessableEntityError, "at least 1024"),
    429: ({"detail": "Request was throttled. Expected available in 7 seconds."}, openai.RateLimitError, "throttled"),
}
STREAM = b"".join([sse("output", piece) for piece in OUTPUT] + [sse("done", "{}")])


class Predictions:
    """Replicate's side: one prediction, whose statuses come one after the other and whose stream the test writes."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.statuses = ["succeeded"]
        self.output: list[str] = OUTPUT
        self.error = None
        self.created_after = 0.0
        self.stream_url: str | None = f"{upstream.origin}/stream/p1"
        self.stream = self.whole_stream
        upstream.always(self.post)
        upstream.models = self.get

    def prediction(self) -> dict:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        over = status not in ("starting", "processing")
        root = f"{self.upstream.origin}/v1/predictions/p1"
        urls = {"get": root, "cancel": f"{root}/cancel", "web": "https://replicate.com/p/p1"}
        told = {"id": "p1", "model": MODEL, "version": "hidden", "status": status, "input": {}, "data_removed": False, "logs": "",
                "created_at": "2026-01-01T00:00:00Z", "error": self.error if over else None,
                "output": self.output if status == "succeeded" else None, "metrics": METRICS if over else {},
                "urls": urls | ({"stream": self.stream_url} if self.stream_url else {})}
        Prediction.parse_obj(told)
        return told

    async def post(self, exchange):
        if exchange.request.path.endswith("/cancel"):
            self.statuses = ["canceled"]
        elif self.created_after:
            await asyncio.sleep(self.created_after)
        await json_reply(self.prediction(), status=201)(exchange)

    async def get(self, exchange):
        if exchange.request.path.startswith("/stream/"):
            return await self.stream(exchange)
        await json_reply(self.prediction())(exchange)

    async def whole_stream(self, exchange):
        await exchange.head(200, EVENT_STREAM)
        for at in range(0, len(STREAM), 7):
            await exchange.chunk(STREAM[at:at + 7])
        self.statuses = ["succeeded"]
        await exchange.gone()  # the server leaves it to the client to go

    def cancellations(self) -> list[str]:
        return [sent.path for sent in self.upstream.requests if sent.path.endswith("/cancel")]

    def creations(self) -> list:
        return [sent for sent in self.upstream.requests if not sent.path.endswith("/cancel")]


# One try each, whatever became of the ones before.
ONCE = {"failover": {"enabled": False}, "retry": {"enabled": False}, "circuit_breaker": {"enabled": False}}


def provider(upstream, **more) -> dict:
    return {"type": "replicate", "api_format": "replicate", "base_url": upstream.origin, "api_key": "r8-up",
            "models": [MODEL, f"o/n:{VERSION}"], **more}


@pytest.fixture(scope="module")
def gateway(upstream):
    hurried = provider(upstream, models=[{"id": "hurried", "upstream": MODEL}], timeouts={"request": "1s", "first_byte": "1s"})
    # a key that was refused or has no quota left is given a rest: each error has a provider of its own
    refused = {f"refused-{status}": provider(upstream, models=[{"id": f"refused-{status}", "upstream": MODEL}]) for status in ERRORS}
    with Gateway({"providers": {"it": provider(upstream), "hurried": hurried, **refused}, "routing": ONCE}) as gateway:
        yield gateway


@pytest.fixture
def there(upstream):
    return Predictions(upstream)


def ask(gateway, model=MODEL, **options):
    return gateway.openai(max_retries=0).chat.completions.create(model=model, messages=MESSAGES, **options)


def text(chunks) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_a_prediction_that_is_over_at_once_is_a_completion(gateway, there, upstream):
    answer = ask(gateway, temperature=0.5)
    assert answer.choices[0].message.content == "".join(OUTPUT) and answer.choices[0].finish_reason == "stop"
    assert (answer.id, answer.usage.prompt_tokens, answer.usage.completion_tokens) == ("p1", 15, 5)
    sent, = upstream.requests
    assert sent.path == f"/v1/models/{MODEL}/predictions" and sent.header("prefer").startswith("wait")
    assert sent.header("authorization") == "Bearer r8-up"
    assert sent.json()["input"] == {"prompt": "Weather in Rome?", "system_prompt": "Be brief.", "temperature": 0.5}
    assert not upstream.listings


def test_a_version_is_in_the_body(gateway, there, upstream):
    assert ask(gateway, f"o/n:{VERSION}").choices[0].message.content == "".join(OUTPUT)
    assert upstream.last.path == "/v1/predictions" and upstream.last.json()["version"] == VERSION


def test_a_prediction_that_takes_its_time_is_asked_after_with_pauses(gateway, there, upstream):
    there.statuses = ["starting", "processing", "processing", "succeeded"]
    assert ask(gateway).choices[0].message.content == "".join(OUTPUT)
    asked = upstream.listings
    assert [one.path for one in asked] == ["/v1/predictions/p1"] * 3
    assert all(one.header("authorization") == "Bearer r8-up" and one.header("prefer") is None for one in asked)
    gaps = [after.at - before.at for before, after in zip(asked, asked[1:])]
    assert gaps[0] > 0.2 and gaps[1] > gaps[0]
    assert there.cancellations() == []


def test_a_stream_is_openais_and_ends_with_its_usage(gateway, there, upstream):
    there.statuses = ["starting"]
    chunks = list(ask(gateway, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant" and {chunk.id for chunk in chunks} == {"p1"}
    assert text(chunks) == "".join(OUTPUT)
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert (chunks[-1].choices, chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == ([], 15, 5)
    assert upstream.requests[0].json()["stream"] is True and upstream.requests[0].header("prefer") is None
    listened = upstream.listings[0]
    assert listened.path == "/stream/p1" and listened.header("accept") == "text/event-stream"
    time.sleep(0.2)
    assert there.cancellations() == [], "what has ended is not cancelled"


def test_usage_is_counted_for_who_did_not_ask(gateway, there):
    before = gateway.metrics().total("prism_tokens_total", kind="output")
    there.statuses = ["starting"]
    assert all(chunk.usage is None for chunk in ask(gateway, stream=True))
    assert gateway.metrics().total("prism_tokens_total", kind="output") == before + 5


def test_a_model_without_a_stream_is_asked_after_and_told_in_one_chunk(gateway, there):
    there.stream_url, there.statuses = None, ["starting", "processing", "succeeded"]
    chunks = list(ask(gateway, stream=True, stream_options={"include_usage": True}))
    assert text(chunks) == "".join(OUTPUT) and chunks[-1].usage.completion_tokens == 5
    assert sum(bool(choice.delta.content) for chunk in chunks for choice in chunk.choices) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_failed_prediction_is_an_error(gateway, there, stream):
    there.stream_url, there.statuses, there.error = None, ["starting", "failed"], "CUDA out of memory at 10.0.0.7:8080"
    with pytest.raises(openai.InternalServerError) as failed:
        ask(gateway, stream=stream)
    assert failed.value.response.status_code == 502 and "CUDA out of memory" in failed.value.message
    assert "10.0.0.7" not in failed.value.message
    assert there.cancellations() == []


def test_an_error_in_a_stream_is_told_in_it(gateway, there):
    async def failing(exchange):
        await exchange.head(200, EVENT_STREAM)
        await exchange.chunk(sse("output", "Let me"))
        await exchange.chunk(sse("error", '{"detail": "it broke"}') + sse("done", '{"reason": "error"}'))
        await exchange.end()

    there.statuses, there.stream = ["starting"], failing
    said = ""
    with pytest.raises(openai.APIError, match="it broke"):
        for chunk in ask(gateway, stream=True):
            said += text([chunk])
    assert said == "Let me"


@pytest.mark.parametrize("status", ERRORS)
def test_errors_are_openais(gateway, there, upstream, status):
    body, error, says = ERRORS[status]
    upstream.script(json_reply(body, status=status))
    with pytest.raises(error) as refused:
        ask(gateway, f"refused-{status}")
    assert says in refused.value.message and "r8-up" not in refused.value.message
    if status == 422:
        assert refused.value.param == "max_tokens"
    if status == 429:
        assert refused.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("moment", ["creating", "asking", "listening"])
def test_what_a_client_leaves_is_cancelled(gateway, there, upstream, moment):
    async def endless(exchange):
        await exchange.head(200, EVENT_STREAM)
        await exchange.chunk(sse("output", "Let me"))
        await exchange.gone()

    there.statuses, there.stream = ["processing"], endless
    there.created_after = 1.0 if moment == "creating" else 0.0
    conn = gateway.open_chat({"model": MODEL, "messages": MESSAGES, "stream": moment == "listening"})
    arrived = {"creating": lambda: upstream.requests, "asking": lambda: upstream.listings, "listening": lambda: upstream.listings}[moment]
    eventually(arrived, 5, "the gateway to be in the middle of it")
    if moment == "listening":
        assert b"Let me" in next(piece for piece in conn.pieces(conn.head()) if b"Let me" in piece)
    conn.close()
    eventually(there.cancellations, 5, "the prediction to be cancelled")
    time.sleep(0.1)
    assert there.cancellations() == ["/v1/predictions/p1/cancel"], "once"
    cancelled = upstream.last
    assert cancelled.method == "POST" and cancelled.header("authorization") == "Bearer r8-up" and cancelled.body == b""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_takes_too_long_is_cancelled(gateway, there, stream):
    there.statuses, there.stream_url = ["processing"], None
    with pytest.raises(openai.InternalServerError) as late:
        ask(gateway, "hurried", stream=stream)
    assert late.value.response.status_code == 504
    eventually(there.cancellations, 5, "the prediction to be cancelled")


def test_a_stopping_gateway_still_cancels(upstream):
    there = Predictions(upstream)
    there.statuses, there.stream_url = ["processing"], None
    with Gateway({"server": {"shutdown_timeout": "200ms"}, "providers": {"it": provider(upstream)}}) as gateway:
        conn = gateway.open_chat({"model": MODEL, "messages": MESSAGES})
        eventually(lambda: upstream.listings, 5, "the gateway to ask")
        gateway.terminate()
        eventually(there.cancellations, 5, "the prediction to be cancelled")
        conn.close()


def test_a_stream_at_a_stranger_is_refused_and_the_prediction_cancelled(gateway, there, second):
    there.statuses, there.stream_url = ["starting"], f"http://localhost:{second.port}/stream/p1"
    with pytest.raises(openai.InternalServerError) as refused:
        ask(gateway, stream=True)
    assert refused.value.response.status_code == 502 and "foreign" in refused.value.message
    assert "localhost" not in refused.value.message
    eventually(there.cancellations, 5, "the prediction to be cancelled")
    assert not second.listings and not second.requests


def test_a_stream_that_is_cut_is_an_error_and_cancelled(gateway, there):
    async def cut(exchange):
        await exchange.head(200, EVENT_STREAM)
        await exchange.chunk(sse("output", "Let me"))
        await exchange.end()

    there.statuses, there.stream = ["starting"], cut
    with pytest.raises(openai.APIError):
        assert not any(choice.finish_reason for chunk in ask(gateway, stream=True) for choice in chunk.choices)
    eventually(there.cancellations, 5, "the prediction to be cancelled")


def test_a_question_that_fails_is_asked_again(gateway, there, upstream):
    there.statuses = ["processing"]
    answers = [json_reply({"detail": "Oops", "status": 500}, status=500), json_reply({"detail": "later"}, status=503)]

    async def get(exchange):
        if answers:
            return await answers.pop(0)(exchange)
        there.statuses = ["succeeded"]
        await there.get(exchange)

    upstream.models = get
    assert ask(gateway).choices[0].message.content == "".join(OUTPUT)


def test_what_replicate_cannot_do_is_said(gateway, there, upstream):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    with pytest.raises(openai.BadRequestError, match="call no tools"):
        ask(gateway, tools=tools)
    reply = gateway.chat({"model": MODEL, "messages": MESSAGES, "logit_bias": {"1": 1}})
    assert reply.status == 200 and re.search("logit_bias", reply.header("x-prism-translation"))
    assert json.loads(reply.body)["choices"] and len(there.creations()) == 1
