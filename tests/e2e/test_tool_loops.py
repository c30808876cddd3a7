"""What a model thought goes back to it byte for byte through an application that knows only OpenAI's SDK."""

from __future__ import annotations

import json

import openai
import pytest

from support.gateway import ONE_TRY, Gateway
from support.upstream import EVENT_STREAM, json_reply

from test_formats import TOOLS, frame, sse_events

THOUGHT = "I need\nthe \"tool\": \u2028 naïve 😀 </end> \\u0041"
SIGNATURE = "Eo8BCkYIARgCKkDx/+a==" + "Zz9/" * 40
ASKED = {"role": "user", "content": "Weather in Rome?"}
EFFORT = {"reasoning_effort": "low", "max_completion_tokens": 4096}
CALL = {"city": "Rome"}
USAGE = {"input_tokens": 5, "output_tokens": 5}

CLAUDE_HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
CLAUDE_BLOCKS = [{"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}, {"type": "redacted_thinking", "data": SIGNATURE[::-1]}]
CLAUDE_USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather"}


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at:at + size] for at in range(0, len(text), size)]


def claude_event(kind: str, index: int, **members) -> dict:
    return {"type": f"content_block_{kind}", "index": index, **members}


CLAUDE = {
    "provider": {"type": "anthropic", "api_key": "sk-up"}, "model": "claude-sonnet-4-5",
    "whole": {**CLAUDE_HEAD, "content": [*CLAUDE_BLOCKS, {**CLAUDE_USE, "input": CALL}], "stop_reason": "tool_use", "stop_sequence": None,
              "usage": USAGE},
    "stream": sse_events(
        {"type": "message_start", "message": {**CLAUDE_HEAD, "content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE}},
        claude_event("start", 0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
        *(claude_event("delta", 0, delta={"type": "thinking_delta", "thinking": piece}) for piece in pieces(THOUGHT)),
        *(claude_event("delta", 0, delta={"type": "signature_delta", "signature": piece}) for piece in pieces(SIGNATURE, 50)),
        claude_event("stop", 0),
        claude_event("start", 1, content_block=CLAUDE_BLOCKS[1]), claude_event("stop", 1),
        claude_event("start", 2, content_block={**CLAUDE_USE, "input": {}}),
        claude_event("delta", 2, delta={"type": "input_json_delta", "partial_json": json.dumps(CALL)}),
        claude_event("stop", 2),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"}, named=True),
    "replayed": lambda body: body["messages"][1]["content"][:2] == CLAUDE_BLOCKS and body["messages"][1]["content"][2]["id"] == "toolu_1",
}

CONVERSE_THOUGHTS = [{"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}}},
                     {"reasoningContent": {"redactedContent": "cmVkYWN0ZWQ="}}]
CONVERSE_USAGE = {"inputTokens": 5, "outputTokens": 5, "totalTokens": 10}
BEDROCK = {
    "provider": {"type": "bedrock", "region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"},
    "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "kind": "application/vnd.amazon.eventstream",
    "whole": {"output": {"message": {"role": "assistant", "content": [
        *CONVERSE_THOUGHTS, {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": CALL}}]}},
        "stopReason": "tool_use", "usage": CONVERSE_USAGE, "metrics": {"latencyMs": 1}},
    "stream": b"".join([
        frame("messageStart", {"role": "assistant"}),
        *(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": piece}}}) for piece in pieces(THOUGHT)),
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": SIGNATURE}}}),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "cmVkYWN0ZWQ="}}}),
        frame("contentBlockStop", {"contentBlockIndex": 1}),
        frame("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather"}}}),
        frame("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": json.dumps(CALL)}}}),
        frame("contentBlockStop", {"contentBlockIndex": 2}),
        frame("messageStop", {"stopReason": "tool_use"}), frame("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 1}})]),
    "replayed": lambda body: body["messages"][1]["content"][:2] == CONVERSE_THOUGHTS,
}

SIGNED_CALL = {"functionCall": {"id": "fc-1", "name": "get_weather", "args": CALL}, "thoughtSignature": SIGNATURE}
GEMINI_USAGE = {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 10}


def gemini_reply(*parts: dict, **members) -> dict:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **members}], "responseId": "r1"}


GEMINI = {
    "provider": {"type": "gemini", "api_key": "sk-up"}, "model": "gemini-3-pro-preview",
    "whole": {**gemini_reply({"text": THOUGHT, "thought": True}, SIGNED_CALL, finishReason="STOP"), "usageMetadata": GEMINI_USAGE},
    "stream": sse_events(
        *(gemini_reply({"text": piece, "thought": True}) for piece in pieces(THOUGHT)), gemini_reply(SIGNED_CALL),
        {**gemini_reply(finishReason="STOP"), "usageMetadata": GEMINI_USAGE}),
    "replayed": lambda body: body["contents"][1]["parts"] == [SIGNED_CALL],
}
CASES = {"anthropic": CLAUDE, "bedrock": BEDROCK, "gemini": GEMINI}


def stream_of(about: dict):
    async def script(exchange):
        await exchange.head(200, [("content-type", about["kind"]), ("transfer-encoding", "chunked")] if "kind" in about else EVENT_STREAM)
        for at in range(0, len(about["stream"]), 41):
            await exchange.chunk(about["stream"][at:at + 41])
        await exchange.end()

    return script


def accumulated(chunks) -> dict:
    """The assistant's message as applications put it together: texts are joined, lists of what they do not know go on."""
    message: dict = {"role": "assistant", "content": ""}
    calls: dict[int, dict] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta.model_dump(exclude_none=True)
            for call in delta.pop("tool_calls", ()):
                whole = calls.setdefault(call.pop("index"), {"function": {"name": "", "arguments": ""}})
                function = call.pop("function", {})
                whole["function"]["name"] += function.get("name", "")
                whole["function"]["arguments"] += function.get("arguments", "")
                whole |= call
            delta.pop("role", None)
            for name, value in delta.items():
                message[name] = message[name] + value if name in message else value
    return message | {"tool_calls": [calls[index] for index in sorted(calls)]}


@pytest.fixture(scope="module", params=CASES)
def loop(request, upstream):
    about = CASES[request.param]
    providers = {"it": {**about["provider"], "base_url": upstream.origin, "models": [about["model"]], "discover": False}}
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield about, gateway.openai(max_retries=0).chat.completions


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_go_back_byte_for_byte(loop, upstream, stream):
    about, completions = loop
    options = {"model": about["model"], "tools": TOOLS, **EFFORT}
    if stream:
        upstream.script(stream_of(about))
        said = accumulated(completions.create(messages=[ASKED], stream=True, **options))
    else:
        upstream.script(json_reply(about["whole"]))
        said = completions.create(messages=[ASKED], **options).choices[0].message.model_dump(exclude_none=True)
    assert said["reasoning_content"] == THOUGHT
    call, = said["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == CALL
    upstream.script(json_reply(about["whole"]))
    completions.create(messages=[ASKED, said, {"role": "tool", "tool_call_id": call["id"], "content": "sun"}], **options)
    body = upstream.last.json()
    assert about["replayed"](body), json.dumps(body, ensure_ascii=False)


def test_each_vendor_is_asked_in_its_own_words_from_the_clients_request(upstream, second, third):
    """One request that fails over from Claude to Gemini to an OpenAI-compatible server, which gets the client's own."""
    upstream.always(json_reply({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, 529))
    second.always(json_reply({"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}, 503))
    third.always(json_reply({"error": {"message": "x"}}, 503))
    there = {"discover": False, "models": ["m"]}
    providers = {"claude": {"type": "anthropic", "api_key": "sk-a", "base_url": upstream.origin, **there},
                 "google": {"type": "gemini", "api_key": "sk-g", "base_url": second.origin, "priority": 1, **there},
                 "plain": {"api_key": "sk-p", "base_url": third.base_url, "priority": 2, **there}}
    thoughts = [{"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}]
    call = {"id": "call.1 odd", "type": "function", "function": {"name": "get_weather", "arguments": ""},
            "extra_content": {"google": {"thought_signature": SIGNATURE}}}
    messages = [{"role": "developer", "content": "Be brief."}, ASKED,
                {"role": "assistant", "content": "", "tool_calls": [call], "thinking_blocks": thoughts},
                {"role": "tool", "tool_call_id": "call.1 odd", "content": "sun"}]
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        request = {"model": "m", "messages": messages, "tools": TOOLS, "logit_bias": {"1": 1}}
        with pytest.raises(openai.InternalServerError):
            gateway.openai(max_retries=0).chat.completions.create(**request)
    claude, google, plain = (one.last.json() for one in (upstream, second, third))
    assert claude["messages"][1]["content"][0] == thoughts[0] and "extra_content" not in json.dumps(claude)
    assert google["contents"][1]["parts"][0]["thoughtSignature"] == SIGNATURE and "thinking_blocks" not in json.dumps(google)
    assert plain == request, "nothing of the attempts before it"
