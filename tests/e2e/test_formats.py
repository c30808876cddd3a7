"""An application that speaks only OpenAI's format reaches every other one, and cannot tell from the answer which it was."""

from __future__ import annotations

import json
import struct
import zlib

import openai
import pytest

from support.gateway import ONE_TRY, Gateway
from support.upstream import EVENT_STREAM, json_reply
from support.waiting import eventually

TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Rome?"}]


def sse_events(*documents: dict, named: bool = False, done: bool = False) -> bytes:
    def one(document):
        name = f"event: {document['type']}\n" if named else ""
        return f"{name}data: {json.dumps(document, ensure_ascii=False)}\n\n"

    return "".join([one(document) for document in documents] + (["data: [DONE]\n\n"] if done else [])).encode()


def frame(event: str, payload: dict, kind: str = "event") -> bytes:
    """One frame of AWS's binary event stream."""
    def header(name, value):
        return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()

    headers = header(":message-type", kind) + header(f":{kind}-type", event) + header(":content-type", "application/json")
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


ANTHROPIC = {
    "whole": {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "tool_use",
              "stop_sequence": None, "content": [{"type": "text", "text": "Let me look."},
                                                 {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}}],
              "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}},
    "stream": sse_events(
        {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                                              "content": [], "stop_reason": None, "stop_sequence": None,
                                              "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3,
                                                        "cache_creation_input_tokens": 2}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me look."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '"Rome"}'}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"}, named=True),
    "usage": (15, 5, 3),
}
CANDIDATE = {"content": {"role": "model", "parts": [{"text": "Let me look."},
                                                    {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}}]},
             "finishReason": "STOP", "index": 0}
GEMINI_USAGE = {"promptTokenCount": 15, "candidatesTokenCount": 4, "thoughtsTokenCount": 1, "cachedContentTokenCount": 3, "totalTokenCount": 20}
GEMINI = {
    "whole": {"candidates": [CANDIDATE], "usageMetadata": GEMINI_USAGE, "modelVersion": "gemini-2.5-flash", "responseId": "r1"},
    "stream": sse_events(
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Let me "}]}, "index": 0}], "responseId": "r1"},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "look."}]}, "index": 0}], "responseId": "r1"},
        {"candidates": [{"content": {"role": "model", "parts": [CANDIDATE["content"]["parts"][1]]}, "finishReason": "STOP", "index": 0}],
         "usageMetadata": GEMINI_USAGE, "responseId": "r1"}).replace(b"\n", b"\r\n"),
    "usage": (15, 5, 3),
}
BEDROCK = {
    "whole": {"output": {"message": {"role": "assistant", "content": [
        {"text": "Let me look."}, {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Rome"}}}]}},
        "stopReason": "tool_use", "metrics": {"latencyMs": 5},
        "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 20, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 2}},
    "stream": b"".join([
        frame("messageStart", {"role": "assistant"}),
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Let me look."}}),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather"}}}),
        frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"city":'}}}),
        frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '"Rome"}'}}}),
        frame("contentBlockStop", {"contentBlockIndex": 1}),
        frame("messageStop", {"stopReason": "tool_use"}),
        frame("metadata", {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 20, "cacheReadInputTokens": 3,
                                     "cacheWriteInputTokens": 2}, "metrics": {"latencyMs": 5}})]),
    "stream_type": "application/vnd.amazon.eventstream",
    "usage": (15, 5, 3),
}
COHERE = {
    "whole": {"id": "c1", "finish_reason": "TOOL_CALL", "message": {
        "role": "assistant", "tool_calls": [{"id": "get_weather_1", "type": "function",
                                             "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}],
        "tool_plan": "Let me look."}, "usage": {"tokens": {"input_tokens": 15.0, "output_tokens": 5.0}}},
    "stream": sse_events(
        {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "Let me look."}}},
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {
            "id": "get_weather_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}}}},
        {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": '{"city":'}}}}},
        {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": '"Rome"}'}}}}},
        {"type": "tool-call-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 15, "output_tokens": 5}}}},
        named=True, done=True),
    "usage": (15, 5, 0),
}
OPENAI_ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [
    {"index": 0, "finish_reason": "tool_calls", "logprobs": None, "content_filter_results": {}, "message": {
        "role": "assistant", "content": "Let me look.", "refusal": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}]}}],
    "usage": {"prompt_tokens": 15, "completion_tokens": 5, "total_tokens": 20, "prompt_tokens_details": {"cached_tokens": 3}}}


def azure_chunk(**fields) -> dict:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [], **fields}


def azure_delta(delta: dict, reason: str | None = None) -> dict:
    return azure_chunk(choices=[{"index": 0, "delta": delta, "finish_reason": reason, "content_filter_results": {}}])


AZURE = {
    "whole": OPENAI_ANSWER,
    "stream": sse_events(
        {**azure_chunk(prompt_filter_results=[{"prompt_index": 0}]), "id": "", "model": ""},
        azure_delta({"role": "assistant", "content": ""}), azure_delta({"content": "Let me look."}),
        azure_delta({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}]}),
        azure_delta({"tool_calls": [{"index": 0, "function": {"arguments": '{"city":"Rome"}'}}]}),
        azure_delta({}, "tool_calls"), azure_chunk(usage=OPENAI_ANSWER["usage"]), done=True),
    "usage": (15, 5, 3),
}

CASES = {
    "anthropic": (ANTHROPIC, {"type": "anthropic", "api_key": "sk-up"}, "claude-sonnet-4-5", "/v1/messages", ("x-api-key", "sk-up")),
    "gemini": (GEMINI, {"type": "gemini", "api_key": "sk-up"}, "gemini-2.5-flash",
               "/v1beta/models/gemini-2.5-flash:", ("x-goog-api-key", "sk-up")),
    "vertexai": (GEMINI, {"type": "vertexai", "access_token": "sk-up", "project": "p1", "location": "us-central1"}, "gemini-2.5-flash",
                 "/v1/projects/p1/locations/us-central1/publishers/google/models/gemini-2.5-flash:", ("authorization", "Bearer sk-up")),
    "bedrock": (BEDROCK, {"type": "bedrock", "region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"},
                "anthropic.claude-sonnet-4-5-20250929-v1:0", "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
                ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA1/")),
    "azure": (AZURE, {"type": "azure", "api_key": "sk-up", "api_version": "2024-10-21"}, "my-deployment",
              "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21", ("api-key", "sk-up")),
    "cohere": (COHERE, {"type": "cohere", "api_key": "sk-up"}, "command-a-03-2025", "/v2/chat", ("authorization", "Bearer sk-up")),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, upstream):
    about, config, model, path, header = CASES[request.param]
    root = upstream.base_url.removesuffix("/v1")
    providers = {"it": {**config, "base_url": root, "models": [model], "discover": False}}
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield request.param, gateway, about, model, path, header


def stream_script(about):
    async def script(exchange):
        kind = about.get("stream_type", "text/event-stream")
        await exchange.head(200, [("content-type", kind), ("transfer-encoding", "chunked")])
        data = about["stream"]
        for at in range(0, len(data), 37):  # cut where nobody would cut
            await exchange.chunk(data[at:at + 37])
        await exchange.end()

    return script


def ask_sdk(gateway, model, **options):
    return gateway.openai(max_retries=0).chat.completions.create(model=model, messages=MESSAGES, tools=TOOLS, **options)


def test_a_whole_answer_is_openais(case, upstream):
    name, gateway, about, model, path, (header, value) = case
    upstream.script(json_reply(about["whole"]))
    answer = ask_sdk(gateway, model)
    sent = upstream.last
    assert sent.path.startswith(path), sent.path
    assert sent.header(header).startswith(value)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.role == "assistant"
    said = choice.message.content or getattr(choice.message, "reasoning_content", None)
    assert said == "Let me look."
    call, = choice.message.tool_calls
    assert call.function.name == "get_weather" and json.loads(call.function.arguments) == {"city": "Rome"} and call.id
    tokens = answer.usage
    cached = tokens.prompt_tokens_details.cached_tokens if tokens.prompt_tokens_details else 0
    assert (tokens.prompt_tokens, tokens.completion_tokens, cached or 0) == about["usage"], name
    assert tokens.total_tokens == 20


def test_a_stream_is_openais(case, upstream):
    name, gateway, about, model, _, _ = case
    upstream.script(stream_script(about))
    chunks = list(ask_sdk(gateway, model, stream=True, stream_options={"include_usage": True}))
    with_choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert with_choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks if chunk.id}) == 1
    said = "".join((choice.delta.content or getattr(choice.delta, "reasoning_content", None) or "") for choice in with_choices)
    assert said == "Let me look."
    pieces = [call for choice in with_choices for call in (choice.delta.tool_calls or [])]
    assert [call.function.name for call in pieces if call.id] == ["get_weather"] and {call.index for call in pieces} == {0}
    assert json.loads("".join(call.function.arguments or "" for call in pieces)) == {"city": "Rome"}
    assert [choice.finish_reason for choice in with_choices if choice.finish_reason] == ["tool_calls"]
    usage = chunks[-1].usage
    assert chunks[-1].choices == [] and (usage.prompt_tokens, usage.completion_tokens) == about["usage"][:2], name


def test_usage_is_hidden_from_who_did_not_ask_and_counted_all_the_same(case, upstream):
    name, gateway, about, model, _, _ = case
    before = gateway.metrics().total("prism_tokens_total", kind="output")
    upstream.script(stream_script(about))
    chunks = list(ask_sdk(gateway, model, stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    # the client has its last byte before the gateway has counted
    counted = lambda: gateway.metrics().total("prism_tokens_total", kind="output") - before  # noqa: E731
    assert eventually(counted, what="the tokens to be counted") == 5


def test_a_cut_stream_is_an_error_and_no_end(case, upstream):
    name, gateway, about, model, _, _ = case

    async def script(exchange):
        kind = about.get("stream_type", "text/event-stream")
        await exchange.head(200, [("content-type", kind), ("transfer-encoding", "chunked")])
        await exchange.chunk(about["stream"][: len(about["stream"]) * 6 // 10])
        await exchange.end()

    upstream.script(script)
    with pytest.raises(openai.APIError):
        for chunk in ask_sdk(gateway, model, stream=True):
            assert not any(choice.finish_reason for choice in chunk.choices), name


ERRORS = {
    "anthropic": (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, 401,
                  {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key sk-up"}}),
    "gemini": (429, {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]}}, 400,
        {"error": {"code": 400, "message": "API key not valid sk-up", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}),
    "bedrock": (429, {"message": "Too many requests"}, 403, {"message": "The security token sk-up is invalid"}),
    "azure": (429, {"error": {"code": "429", "message": "slow down"}}, 401, {"error": {"code": "401", "message": "Access denied sk-up"}}),
    "cohere": (429, {"message": "slow down"}, 401, {"message": "invalid api token sk-up"}),
}
ERRORS["vertexai"] = ERRORS["gemini"]


def test_errors_are_openais_and_leak_nothing(case, upstream):
    name, gateway, _, model, _, _ = case
    busy, busy_body, denied, denied_body = ERRORS[name]
    upstream.script(json_reply(busy_body, status=busy))
    with pytest.raises(openai.RateLimitError) as limited:
        ask_sdk(gateway, "it/busy")  # a quota that is used up is remembered
    if name in ("gemini", "vertexai"):
        assert limited.value.response.headers["retry-after"] == "7"
    upstream.script(json_reply(denied_body, status=denied))
    with pytest.raises(openai.InternalServerError) as refused:
        ask_sdk(gateway, model)
    assert refused.value.response.status_code == 502 and "credential" in refused.value.message and "sk-up" not in refused.value.message


def test_a_lossy_translation_is_said_and_with_strict_refused(case, upstream):
    name, gateway, about, model, _, _ = case
    if name == "azure":
        pytest.skip("Azure speaks OpenAI's format: nothing is lost")
    upstream.script(json_reply(about["whole"]))
    body = {"model": model, "messages": MESSAGES, "logit_bias": {"1": 1}}
    reply = gateway.chat(body)
    assert reply.status == 200 and "logit_bias" in reply.header("x-prism-translation")
    seen = len(upstream.requests)
    strict = gateway.chat(body, [("x-prism-strict", "true")])
    assert strict.status == 400 and strict.error()["param"] == "logit_bias" and len(upstream.requests) == seen
