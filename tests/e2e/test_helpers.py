"""The official SDK's helpers — `.parse()`, `.stream()`, typed exceptions — through every format, on the answers of tests/wire."""

from __future__ import annotations

import openai
import pytest
from pydantic import BaseModel

import framing
from produce import row_of
from support.gateway import ONE_TRY, Gateway
from support.upstream import json_reply

# name: (format, the provider as configured, its model, whether a tool stands for a schema)
PROVIDERS = {
    "openai": ("openai", {"type": "openai", "api_key": "sk-up"}, "gpt-4o", False),
    "anthropic": ("anthropic", {"type": "anthropic", "api_key": "sk-up"}, "claude-sonnet-4-5", False),
    "anthropic-old": ("anthropic", {"type": "anthropic", "api_key": "sk-up"}, "claude-3-5-haiku-latest", True),
    "gemini": ("gemini", {"type": "gemini", "api_key": "sk-up"}, "gemini-2.5-flash", False),
    "vertexai": ("gemini", {"type": "vertexai", "access_token": "sk-up", "project": "p1", "location": "us-central1"}, "gemini-2.5-flash", False),
    "bedrock": ("bedrock", {"type": "bedrock", "region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"},
                "anthropic.claude-sonnet-4-5-20250929-v1:0", False),
    "bedrock-nova": ("bedrock", {"type": "bedrock", "region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"},
                     "amazon.nova-pro-v1:0", True),
    "azure": ("azure", {"type": "azure", "api_key": "sk-up", "api_version": "2024-10-21"}, "my-deployment", False),
    "cohere": ("cohere", {"type": "cohere", "api_key": "sk-up"}, "command-a-03-2025", False),
}
MESSAGES = [{"role": "user", "content": "Hello"}]
ERRORS = {
    "error-context": openai.BadRequestError, "error-404": openai.NotFoundError, "error-429": openai.RateLimitError,
    "error-401": openai.InternalServerError, "error-500": openai.InternalServerError, "error-overloaded": openai.InternalServerError,
}


class answer(BaseModel):  # the SDK names the schema after the class, and the tool that stands for it is called so
    a: str


class get_weather(BaseModel):
    city: str


class get_time(BaseModel):
    city: str


TOOLS = [openai.pydantic_function_tool(get_weather), openai.pydantic_function_tool(get_time)]


class Provider:
    """A gateway before one scripted provider."""

    def __init__(self, gateway, upstream, wire, model, by_tool):
        self.completions = gateway.openai(max_retries=0).chat.completions
        self.upstream, self.wire, self.model, self.by_tool = upstream, wire, model, by_tool

    def answers(self, name: str) -> dict:
        """Scripts the whole answer of that name; returns what it takes to ask for it."""
        row = row_of(self.wire, name, self.by_tool)
        body = row["answer"] if "answer" in row else row["error"]
        self.upstream.script(json_reply(body, row.get("status", 200), list(row.get("headers", {}).items())))
        return {"model": self.model, "messages": MESSAGES}

    def streams(self, name: str) -> dict:
        """Scripts the stream of that name, cut where nobody would cut."""
        data = framing.stream_bytes(self.wire, row_of(self.wire, name, self.by_tool))
        kind = "application/vnd.amazon.eventstream" if self.wire == "bedrock" else "text/event-stream"

        async def script(exchange):
            await exchange.head(200, [("content-type", kind), ("transfer-encoding", "chunked")])
            for at in range(0, len(data), 41):
                await exchange.chunk(data[at:at + 41])
            await exchange.end()

        self.upstream.script(script)
        return {"model": self.model, "messages": MESSAGES}


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request, upstream):
    wire, config, model, by_tool = PROVIDERS[request.param]
    base = upstream.base_url if wire == "openai" else upstream.base_url.removesuffix("/v1")
    one = {**config, "base_url": base, "discover": False}
    # Quotas and credentials that failed are remembered: each error has a provider of its own.
    providers = {"it": {**one, "models": [model]}, **{name: one for name in ERRORS}}
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield Provider(gateway, upstream, wire, model, by_tool)


def test_structured_output_is_parsed(provider):
    found = provider.completions.parse(**provider.answers("json"), response_format=answer)
    message = found.choices[0].message
    assert message.parsed == answer(a="b") and not message.tool_calls and found.choices[0].finish_reason == "stop"


def test_structured_output_is_parsed_from_a_stream(provider):
    with provider.completions.stream(**provider.streams("json"), response_format=answer) as stream:
        done = [event for event in stream if event.type == "content.done"]
    assert [event.parsed for event in done] == [answer(a="b")]


def test_calls_and_their_arguments_are_parsed(provider):
    found = provider.completions.parse(**provider.answers("tool-calls"), tools=TOOLS)
    calls = found.choices[0].message.tool_calls
    assert [call.function.parsed_arguments for call in calls] == [get_weather(city="Rome"), get_time(city="Rome")]
    assert len({call.id for call in calls}) == 2


def test_calls_are_put_together_from_a_stream(provider):
    asked = provider.streams("text-and-tool-call")
    with provider.completions.stream(**asked, tools=TOOLS, stream_options={"include_usage": True}) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    call, = final.choices[0].message.tool_calls
    assert call.function.parsed_arguments == get_weather(city="Rome")
    pieces = [event.arguments_delta for event in events if event.type == "tool_calls.function.arguments.delta"]
    assert "".join(pieces) == call.function.arguments
    assert [event.name for event in events if event.type == "tool_calls.function.arguments.done"] == ["get_weather"]
    assert final.choices[0].finish_reason == "tool_calls" and final.usage.total_tokens == 19


def test_parallel_calls_are_put_together_from_a_stream(provider):
    with provider.completions.stream(**provider.streams("tool-calls"), tools=TOOLS) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert [call.function.parsed_arguments for call in calls] == [get_weather(city="Rome"), get_time(city="Rome")]


def test_calls_without_arguments_have_empty_ones(provider):
    ping = {"type": "function", "function": {"name": "ping"}}
    with pytest.raises(ValueError, match="strict"):  # the helper takes strict tools only
        provider.completions.parse(model=provider.model, messages=MESSAGES, tools=[ping])
    chunks = provider.completions.create(**provider.streams("tool-call-bare"), tools=[ping], stream=True)
    pieces = [call.function.arguments or "" for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert "".join(pieces) == "{}"


def test_an_answer_that_ran_out_of_tokens_is_not_parsed(provider):
    with pytest.raises(openai.LengthFinishReasonError):
        provider.completions.parse(**provider.answers("length"), response_format=answer)


def test_an_answer_that_was_filtered_is_not_parsed(provider):
    if row_of(provider.wire, "content-filter")["name"] == "text":
        pytest.skip("this provider says so with a status")
    with pytest.raises(openai.ContentFilterFinishReasonError):
        provider.completions.parse(**provider.answers("content-filter"), response_format=answer)


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_sdks_own(provider, name):
    with pytest.raises(ERRORS[name]) as raised:
        provider.completions.create(**{**provider.answers(name), "model": f"{name}/{provider.model}"})
    assert raised.value.body["message"] and "sk-" not in str(raised.value)
    if name == "error-context":
        assert raised.value.code == "context_length_exceeded"


@pytest.mark.parametrize("name", ["error-in-stream", "cut-stream", "ended-early"])
def test_a_stream_that_fails_raises_after_its_words(provider, name):
    said = ""
    with pytest.raises(openai.APIError):
        for chunk in provider.completions.create(**provider.streams(name), stream=True):
            said += "".join(choice.delta.content or "" for choice in chunk.choices)
            assert not any(choice.finish_reason for choice in chunk.choices)
    assert "Hello there!".startswith(said) and said


def test_thoughts_arrive_beside_the_words(provider):
    with provider.completions.stream(**provider.streams("reasoning")) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.content == "Hi there!"
    shown = row_of(provider.wire, "reasoning").get("says", {}).get("reasoning", "They greet me.")
    assert getattr(message, "reasoning_content", None) == shown
