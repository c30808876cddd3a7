"""No file, no key: the first request works, with curl's bytes and with the official SDK."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time

import openai
import pytest
from pydantic import BaseModel

from support.gateway import Gateway, ask
from support.http1 import events, text_of
from support.upstream import completion, json_reply

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"]}}}]


@pytest.fixture(scope="module")
def gateway():
    with Gateway() as gateway:
        yield gateway


def test_it_answers_with_nothing_set_up(gateway):
    reply = gateway.chat(ask("simulator/echo", "hello there"))
    assert reply.status == 200
    assert "hello there" in reply.json()["choices"][0]["message"]["content"]
    assert reply.header("x-prism-provider") == "simulator"


def test_curl_gets_an_answer(gateway):
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    done = subprocess.run(["curl", "-sS", f"{gateway.url}/v1/chat/completions", "-H", "content-type: application/json",
                           "-d", json.dumps(ask("simulator/echo", "hello"))], capture_output=True, timeout=20)
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "hello"


def test_a_stream_has_the_parts_that_clients_rely_on(gateway):
    reply = gateway.chat(ask("simulator/echo", "one two three", stream=True))
    *chunks, last = events(reply.body)
    assert last.data == "[DONE]"
    chunks = [one.json() for one in chunks]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert len({(one["id"], one["model"], one["created"]) for one in chunks}) == 1
    assert [reason for one in chunks for choice in one["choices"] if (reason := choice["finish_reason"])] == ["stop"]
    assert text_of(reply.body) == "one two three"
    assert not any(one.get("usage") for one in chunks), "nobody asked for usage"


def test_a_real_models_name_is_never_answered_by_the_simulator(gateway):
    for name in ("gpt-4o", "claude-sonnet-4-6", "gemini-3-pro", "o3", "echo-2", "text-embedding-3-small"):
        reply = gateway.chat(ask(name))
        assert reply.status == 404 and reply.error()["code"] == "model_not_found", name


def test_the_sdk_chats(gateway):
    answer = gateway.openai().chat.completions.create(**ask("simulator/echo", "hello"))
    assert answer.choices[0].message.content == "hello" and answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_the_sdk_streams(gateway):
    stream = gateway.openai().chat.completions.create(**ask("simulator/echo", "hello world"), stream=True,
                                                      stream_options={"include_usage": True})
    parts = list(stream)
    assert "".join(choice.delta.content or "" for part in parts for choice in part.choices) == "hello world"
    assert parts[-1].choices == [] and parts[-1].usage.completion_tokens > 0


def test_the_async_sdk_chats_and_streams(gateway):
    async def both():
        async with gateway.async_openai() as client:
            whole = await client.chat.completions.create(**ask("simulator/echo", "hello"))
            stream = await client.chat.completions.create(**ask("simulator/echo", "hello"), stream=True)
            text = "".join([part.choices[0].delta.content or "" async for part in stream])
            return whole.choices[0].message.content, text

    assert asyncio.run(both()) == ("hello", "hello")


def test_the_sdks_stream_helper_puts_a_stream_together(gateway):
    with gateway.openai().chat.completions.stream(**ask("simulator/tool", "weather?"), tools=TOOLS) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather" and isinstance(json.loads(call.function.arguments)["city"], str)


def test_tools_are_called_and_their_results_read(gateway):
    client = gateway.openai()
    messages = [{"role": "user", "content": "weather in Oslo?"}]
    answer = client.chat.completions.create(model="simulator/tool", messages=messages, tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    call = answer.choices[0].message.tool_calls[0]
    arguments = json.loads(call.function.arguments)
    assert isinstance(arguments["city"], str) and isinstance(arguments["days"], int)
    messages += [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "rain, 7 degrees"}]
    final = client.chat.completions.create(model="simulator/tool", messages=messages, tools=TOOLS)
    assert "rain, 7 degrees" in final.choices[0].message.content


class City(BaseModel):
    name: str
    population: int
    twins: list[str]
    coastal: bool


def test_structured_output_parses(gateway):
    answer = gateway.openai().chat.completions.parse(**ask("simulator/json", "a city"), response_format=City)
    assert isinstance(answer.choices[0].message.parsed, City)
    plain = gateway.openai().chat.completions.create(**ask("simulator/json", "x"), response_format={"type": "json_object"})
    assert isinstance(json.loads(plain.choices[0].message.content), dict)


def test_embeddings_are_made_in_both_encodings(gateway):
    client = gateway.openai()
    made = client.embeddings.create(model="simulator/embedding", input=["a", "b", "a"])  # the SDK asks for base64
    plain = client.embeddings.create(model="simulator/embedding", input=["a"], encoding_format="float")
    one, two, again = (item.embedding for item in made.data)
    assert one == again != two and len(one) == len(two) > 1
    assert plain.data[0].embedding == pytest.approx(one, abs=1e-5)
    assert sum(value * value for value in one) == pytest.approx(1, abs=1e-3)
    assert [item.index for item in made.data] == [0, 1, 2] and made.usage.prompt_tokens > 0


def test_completions_are_made(gateway):
    client = gateway.openai()
    assert client.completions.create(model="simulator/echo", prompt="hello").choices[0].text == "hello"
    streamed = client.completions.create(model="simulator/echo", prompt="hello world", stream=True)
    assert "".join(part.choices[0].text for part in streamed) == "hello world"


def test_the_simulator_is_in_the_list_of_models(gateway):
    ids = [model.id for model in gateway.openai().models.list()]
    assert {"simulator/echo", "simulator/tool", "simulator/json", "simulator/embedding", "simulator/rerank"} <= set(ids)


# Faults on request: what users test their own failover with.

@pytest.mark.parametrize("status, kind", [(429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError),
                                          (400, openai.BadRequestError)])
def test_it_fails_when_asked_to(gateway, status, kind):
    with pytest.raises(kind) as raised:
        gateway.openai().chat.completions.create(**ask(f"simulator/echo?status={status}&retry_after=3"))
    if status == 429:
        assert raised.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("fault", ["cut", "reset", "error"])
def test_its_streams_break_when_asked_to(gateway, fault):
    reply = gateway.chat(ask(f"simulator/echo?{fault}=2", "a b c d e", stream=True))
    assert reply.status == 200
    assert b"[DONE]" not in reply.body and events(reply.body)[-1].json()["error"]["message"]


def test_it_takes_its_time_when_asked_to(gateway):
    began = time.monotonic()
    gateway.chat(ask("simulator/echo?latency=300ms"))
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    reply = gateway.chat(ask("simulator/lorem?tokens=20&pace=20ms", stream=True))
    assert time.monotonic() - began >= 0.3
    assert len(text_of(reply.body).split()) == 20


def test_a_stalled_simulator_is_left_by_its_deadline(gateway):
    began = time.monotonic()
    reply = gateway.chat(ask("simulator/echo?stall=0", stream=True), [("x-prism-request-timeout", "500")])
    assert reply.status == 504 and time.monotonic() - began < 5


def test_keys_of_the_environment_make_providers(upstream):
    """`OPENAI_API_KEY` alone is a provider; with a base URL in a file it is one that can be asked here."""
    with Gateway(env={"OPENAI_API_KEY": "sk-env", "GROQ_API_KEY": "", "HF_TOKEN": "hf"}) as gateway:
        names = {one["name"] for one in gateway.get("/v1/providers/health").json()["data"]}
        assert {"openai", "huggingface", "simulator"} <= names and "groq" not in names
        assert "sk-env" not in gateway.output


def test_the_simulator_stands_in_a_file_too(upstream):
    upstream.always(json_reply(completion()))
    config = {"providers": {"acme": {"base_url": upstream.base_url, "models": ["acme-large"]}, "simulator": {}}}
    with Gateway(config) as gateway:
        assert gateway.chat(ask("simulator/echo", "hello")).json()["choices"][0]["message"]["content"] == "hello"
        assert gateway.chat(ask()).header("x-prism-provider") == "acme"
