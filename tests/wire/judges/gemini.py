"""Judges what Prism sends to Gemini by Google's own types (google-genai, whose models forbid unknown members).

Reads JSON lines, bodies or {"path": …, "body": …}, from the files named or from standard input, and says which bodies
Google's SDK would not have made. Lines come from `prism translate`, or from the gateway's own tests:

    WIRE_DUMP=/tmp/bodies.jsonl cargo test -p prism-gateway gemini && python tests/wire/judges/gemini.py /tmp/bodies.jsonl
"""

from __future__ import annotations

import fileinput
import json
import re
import sys
from typing import Any, Optional

import pydantic
from google.genai import types

ROLES = {"user", "model"}
FUNCTION_NAME = re.compile(r"[a-zA-Z_][\w.:-]{0,127}\Z")


class Strict(pydantic.BaseModel):
    """Bodies have no type of their own in the SDK, which builds them from these."""

    model_config = pydantic.ConfigDict(extra="forbid")


class GenerateContent(Strict):
    contents: list[types.Content]
    systemInstruction: Optional[types.Content] = None
    tools: Optional[list[types.Tool]] = None
    toolConfig: Optional[types.ToolConfig] = None
    safetySettings: Optional[list[types.SafetySetting]] = None
    generationConfig: Optional[types.GenerationConfig] = None
    cachedContent: Optional[str] = None
    serviceTier: Optional[types.ServiceTier] = None


class EmbedContent(Strict):
    model: Optional[str] = None
    content: types.Content
    taskType: Optional[str] = None
    outputDimensionality: Optional[int] = None
    embedContentConfig: Optional[types.EmbedContentConfig] = None


class BatchEmbedContents(Strict):
    requests: list[EmbedContent]


class Instance(Strict):
    content: str
    task_type: Optional[str] = None


class Predict(Strict):
    instances: list[Instance]
    parameters: Optional[types.EmbedContentConfig] = None


METHODS: dict[str, type[pydantic.BaseModel]] = {
    "generateContent": GenerateContent,
    "streamGenerateContent": GenerateContent,
    "embedContent": EmbedContent,
    "batchEmbedContents": BatchEmbedContents,
    "predict": Predict,
}


def camel_only(value: Any, where: str = "") -> list[str]:
    """The SDK's types take both spellings; what is sent is one of them. Schemas and arguments are the client's own."""
    if isinstance(value, list):
        return [fault for at, item in enumerate(value) for fault in camel_only(item, f"{where}[{at}]")]
    if not isinstance(value, dict):
        return []
    faults = [f"{where}.{name}: not in camel case" for name in value if "_" in name and name != "task_type"]
    free = {"args", "response", "parametersJsonSchema", "responseJsonSchema"}
    return faults + [f for name, item in value.items() if name not in free for f in camel_only(item, f"{where}.{name}")]


def rules(body: dict[str, Any]) -> list[str]:
    """What Google's service insists on beyond its types (ai.google.dev/gemini-api/docs/function-calling)."""
    faults = []
    contents = body.get("contents", [])
    if not contents:
        faults.append("contents: empty")
    open_calls: list[str] = []
    for at, content in enumerate(contents):
        where = f"contents[{at}]"
        if content.get("role") not in ROLES:
            faults.append(f"{where}.role: {content.get('role')}")
        if at and contents[at - 1].get("role") == content.get("role"):
            faults.append(f"{where}: same role as the turn before")
        parts = content.get("parts") or [{}]
        for number, part in enumerate(parts):
            members = set(part) - {"thought", "thoughtSignature"}
            if len(members) != 1:
                faults.append(f"{where}.parts[{number}]: {len(members)} kinds of data")
            if part.get("text") == "":
                faults.append(f"{where}.parts[{number}]: empty text")
        answers = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        if answers != open_calls:
            faults.append(f"{where}: answers {answers} to the calls {open_calls}")
        if any("functionResponse" in part for part in parts[len(answers):]):
            faults.append(f"{where}: other parts before an answer")
        open_calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
    names = [one["name"] for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    faults += [f"tools: the name {name!r}" for name in names if not FUNCTION_NAME.match(name)]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    allowed = calling.get("allowedFunctionNames", [])
    faults += [f"toolConfig: {name!r} is not declared" for name in allowed if name not in names]
    if allowed and calling.get("mode") not in {"ANY", "VALIDATED"}:
        faults.append("toolConfig: names with a mode that takes none")
    thinking = body.get("generationConfig", {}).get("thinkingConfig", {})
    if {"thinkingLevel", "thinkingBudget"} <= set(thinking):
        faults.append("thinkingConfig: a level and a budget")
    if len(body.get("generationConfig", {}).get("stopSequences", [])) > 5:
        faults.append("generationConfig: more than 5 stop sequences")
    return faults


def judge(path: str, body: dict[str, Any]) -> list[str]:
    method = path.partition("?")[0].rpartition(":")[2]
    if method not in METHODS:
        return [f"no method `{method}`"]
    try:
        METHODS[method].model_validate_json(json.dumps(body))
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    faults = camel_only(body)
    return faults + rules(body) if METHODS[method] is GenerateContent else faults


# The member that tells the method, for bodies that come without a path.
TELLING = {"contents": "generateContent", "content": "embedContent", "requests": "batchEmbedContents", "instances": "predict"}


def main() -> int:
    judged, wrong = 0, 0
    for line in fileinput.input(encoding="utf-8"):
        one = json.loads(line) if line.strip() else {}
        if not one or "error" in one:
            continue
        body = one.get("body", one) if "path" in one else one
        path = one.get("path") or ":" + next((method for name, method in TELLING.items() if name in body), "")
        judged += 1
        faults = judge(path, body)
        wrong += bool(faults)
        for fault in faults:
            print(f"{path}: {fault}\n    {json.dumps(body, ensure_ascii=False)[:400]}")
    print(f"{judged} bodies judged, {wrong} refused")
    return 1 if wrong or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
