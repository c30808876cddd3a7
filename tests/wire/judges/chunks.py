"""What Prism answers, held against the official `openai` SDK's types and the order that its clients rely on."""

from __future__ import annotations

import json

import pydantic
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from judges.returned import unknown

# Members that clients of other gateways know; OpenAI's own types let them pass.
EXTRAS = {"reasoning_content", "thinking_blocks", "citations", "extra_content", "images", "annotations", "cited_text"}
FILTERS = {"content_filter_results", "prompt_filter_results"}
FINISHES = {"stop", "length", "tool_calls", "content_filter"}


def typed(kind, document: dict, extras: set[str]) -> list[str]:
    try:
        faults = unknown(kind.model_validate_json(json.dumps(document), strict=True))
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return [fault for fault in faults if fault.rpartition(":")[0].rpartition(".")[2] not in extras]


def whole(body: dict) -> list[str]:
    faults = typed(ChatCompletion, body, EXTRAS | FILTERS)
    for choice in body["choices"]:
        message = choice["message"]
        if "content" not in message or "refusal" not in message:
            faults.append("a message without `content` or `refusal`")
        if (choice["finish_reason"] == "tool_calls") != bool(message.get("tool_calls")) and choice["finish_reason"] != "length":
            faults.append(f"{choice['finish_reason']} with {message.get('tool_calls')}")
        faults += [f"{call['id']}: arguments" for call in message.get("tool_calls") or ()
                   if choice["finish_reason"] != "length" and not is_object(call["function"]["arguments"])]
    return faults


def is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def stream(chunks: list[dict], events: list, complete: bool, asked_usage: bool) -> list[str]:
    """Types, one id and model, the role first, one finish reason a choice, calls in order, usage last and only if asked."""
    chunks = [chunk for chunk in chunks if chunk.get("object") != ""]  # Azure's first one names nothing
    faults = [fault for chunk in chunks for fault in typed(ChatCompletionChunk, chunk, EXTRAS | FILTERS)]
    for name in ("id", "object", "created", "model"):
        if len({chunk[name] for chunk in chunks}) > 1:
            faults.append(f"several values of `{name}`")
    if (events[-1:] == ["[DONE]"]) != complete or events.count("[DONE]") > 1:
        faults.append("`[DONE]` is not the end")
    usages = [at for at, chunk in enumerate(chunks) if chunk.get("usage")]
    if usages not in ([], [len(chunks) - 1]) or (complete and bool(usages) != asked_usage):
        faults.append(f"usage in {usages} of {len(chunks)}")
    if usages and chunks[-1]["choices"]:
        faults.append("choices beside the usage")
    indices = {choice["index"] for chunk in chunks for choice in chunk["choices"]}
    for index in indices:
        faults += of_one_choice([c for chunk in chunks for c in chunk["choices"] if c["index"] == index], complete)
    if complete and not indices:
        faults.append("complete, and nothing was said")
    return faults


def of_one_choice(choices: list[dict], complete: bool) -> list[str]:
    faults = []
    if choices[0]["delta"].get("role") != "assistant" or any("role" in choice["delta"] for choice in choices[1:]):
        faults.append("the role is not in the first delta alone")
    reasons = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    if len(reasons) != complete or not set(reasons) <= FINISHES:
        faults.append(f"finish reasons {reasons}")
    if complete and any(any(choice["delta"].get(name) for name in ("content", "tool_calls", "reasoning_content")) for choice in choices[
            next(at for at, choice in enumerate(choices) if choice["finish_reason"]) + 1:]):
        faults.append("words after the end")
    begun: list[int] = []
    for call in (call for choice in choices for call in choice["delta"].get("tool_calls") or ()):
        if call["index"] not in begun:
            if call["index"] != len(begun) or not call.get("id") or not call["function"].get("name") or call.get("type") != "function":
                faults.append(f"a call begins with {call}")
            begun.append(call["index"])
        elif "id" in call or "name" in call["function"]:
            faults.append(f"a call's id or name twice: {call}")
    return faults


def accumulated(chunks: list[dict]) -> dict:
    """The message that a client puts together of choice 0, as a whole answer has it."""
    message: dict = {"content": None, "refusal": None}
    calls: dict[int, dict] = {}
    result = {"finish_reason": None, "message": message, "logprobs": None, "usage": None}
    for chunk in chunks:
        result["usage"] = chunk.get("usage") or result["usage"]
        for choice in chunk["choices"]:
            if choice["index"]:
                continue
            result["finish_reason"] = choice["finish_reason"] or result["finish_reason"]
            if probabilities := choice.get("logprobs"):
                kept = result["logprobs"] = result["logprobs"] or {"content": [], "refusal": None}
                kept["content"] += probabilities["content"]
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for piece in value:
                        call = calls.setdefault(piece["index"], {"function": {"arguments": ""}})
                        call["function"]["arguments"] += piece["function"].get("arguments", "")
                        call["function"]["name"] = piece["function"].get("name", call["function"].get("name"))
                        call.update({k: v for k, v in piece.items() if k not in ("index", "function")})
                elif isinstance(value, str) and name != "role":
                    message[name] = (message.get(name) or "") + value
                elif isinstance(value, list):
                    message[name] = message.get(name, []) + value
                elif isinstance(value, dict):
                    message[name] = value
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
        message["content"] = message["content"] or None
    return result
