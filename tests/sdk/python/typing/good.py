"""What type checkers must accept, and what they must find out."""

from __future__ import annotations

from typing import List, Union

from prism import AsyncPrism, AsyncStream, Omit, Prism, Stream, Timeout, omit
from prism.types import ChatCompletion, ChatCompletionChunk, EmbeddingResponse, RerankResponse
from prism.types.params import ChatMessage, UserMessage
from typing_extensions import assert_type

client = Prism(api_key="k", timeout=Timeout(total=3), max_retries=0)
assert_type(client.with_options(timeout=5), Prism)

assert_type(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}]), ChatCompletion)
assert_type(client.chat.completions.create(model="m", messages=[], stream=False), ChatCompletion)
assert_type(client.chat.completions.create(model="m", messages=[], stream=True), Stream[ChatCompletionChunk])


def either(stream: bool) -> None:
    answer = client.chat.completions.create(model="m", messages=[], stream=stream)
    assert_type(answer, Union[ChatCompletion, Stream[ChatCompletionChunk]])


# A list of one kind of message is a list of messages.
users: List[UserMessage] = [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
client.chat.completions.create(model="m", messages=users)
mixed: List[ChatMessage] = [
    {"role": "system", "content": "s"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "r"},
]
client.chat.completions.create(
    model="m",
    messages=mixed,
    tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    tool_choice={"type": "function", "function": {"name": "f"}},
    response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    stop=["a", "b"],
    reasoning_effort="a value of next year",
    temperature=None,
    extra_body={"anything": 1},
    extra_headers={"x-a": None},
    timeout=3,
)
assert_type(client.embeddings.create(model="m", input=[[1, 2], [3]]), EmbeddingResponse)
ranked = client.rerank.create(model="m", query="q", documents=["a", {"text": "b"}], top_n=1, return_documents=True)
assert_type(ranked, RerankResponse)
assert_type(ranked.results[0].relevance_score, float)


def optional(temperature: Union[float, Omit] = omit) -> None:
    client.chat.completions.create(model="m", messages=[], temperature=temperature)


for chunk in client.chat.completions.create(model="m", messages=[], stream=True):
    assert_type(chunk, ChatCompletionChunk)
    assert_type(chunk.prism.cost, Union[float, None])
assert_type(client.models.with_raw_response.list().parse().data[0].id, str)


async def asynchronous(client: AsyncPrism) -> None:
    assert_type(await client.chat.completions.create(model="m", messages=[]), ChatCompletion)
    stream = await client.chat.completions.create(model="m", messages=[], stream=True)
    assert_type(stream, AsyncStream[ChatCompletionChunk])
    async with stream:
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
    async with client.models.with_streaming_response.list() as streamed:
        assert_type((await streamed.parse()).data[0].id, str)
