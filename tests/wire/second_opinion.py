"""What litellm sends for the same cases, and where it differs from what Prism sends. A second opinion, not a judge: run by hand.

    python3 -m venv .cache/litellm && .cache/litellm/bin/pip install litellm==1.106.2 boto3
    .cache/litellm/bin/python tests/wire/second_opinion.py [TARGET …]

Each difference is a place in the body with both values, and the cases that show it. Spelling is evened out first: contents
that are text, white space of arguments, members that are null or empty, `snake_case` for Google.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ |= {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}

import httpx
import litellm

from produce import CASES, TARGETS, golden, jsonl

litellm.drop_params = True
litellm.suppress_debug_info = True

# target: litellm's prefix, and what else it wants
PREFIXES = {
    "anthropic": ("anthropic/", {"api_key": "x"}),
    "anthropic-old": ("anthropic/", {"api_key": "x"}),
    "anthropic-new": ("anthropic/", {"api_key": "x"}),
    "gemini": ("gemini/", {"api_key": "x"}),
    "gemini-3": ("gemini/", {"api_key": "x"}),
    "bedrock-claude": ("bedrock/converse/", {}),
    "bedrock-nova": ("bedrock/converse/", {}),
    "cohere": ("cohere_chat/v2/", {"api_key": "x"}),
    "azure": ("azure/", {"api_key": "x", "api_base": "https://r.openai.azure.com", "api_version": "2024-10-21"}),
}
LONG = 110


class Sent(Exception):
    """The request is caught on its way out; nothing leaves the machine."""


def caught(request: dict, target: str) -> tuple[dict | None, str]:
    """The body that litellm would send, or why it would not."""
    bodies, why = [], "nothing was sent"

    def send(_, outgoing, **__):
        if outgoing.method == "POST":
            bodies.append(json.loads(outgoing.read()))
        raise Sent

    prefix, options = PREFIXES[target]
    kept, httpx.Client.send = httpx.Client.send, send
    try:
        given = {name: value for name, value in request.items() if name != "model"}
        answer = litellm.completion(model=prefix + TARGETS[target]["model"], num_retries=0, max_retries=0, **given, **options)
        next(iter(answer))  # some streams are asked for when they are read
    except Exception as problem:
        why = f"{type(problem).__name__}: {problem}".replace("\n", " ")
    finally:
        httpx.Client.send = kept
    return (bodies[0], "") if bodies else (None, why)


def even(value):
    """The same thing in one spelling."""
    if isinstance(value, dict):
        members = {name: even_content(item) if name in ("content", "system") else even(item) for name, item in value.items()}
        return {name: item for name, item in members.items() if item not in (None, False, {})}
    if isinstance(value, list):
        return [even(item) for item in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def even_content(content):
    if isinstance(content, list) and content and all(isinstance(part, dict) and set(part) == {"type", "text"} for part in content):
        return "\n".join(part["text"] for part in content)
    return even(content)


def camel(value):
    """Google takes both spellings of its own members; names in schemas are left alone by the few that have underscores."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda m: m[1].upper(), name): camel(item) for name, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def differences(ours, theirs, where: str = ""):
    """(place, ours, theirs); places in lists have no numbers, so that cases come together."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in {**ours, **theirs}:
            yield from differences(ours.get(name, "—"), theirs.get(name, "—"), f"{where}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for mine, other in zip(ours, theirs):
            yield from differences(mine, other, f"{where}[]")
    elif ours != theirs:
        yield where, ours, theirs


def shown(value) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONG else text[:LONG] + "…"


def compare(target: str) -> dict[tuple[str, str, str], list[str]]:
    groups = defaultdict(list)
    for line in jsonl(golden(target)):
        theirs, why = caught(CASES[line["name"]]["request"], target)
        if theirs is None or "error" in line:
            ours = shown(line["error"]["message"]) if "error" in line else "sent"
            if theirs is not None or ours == "sent":
                groups["refused", ours, why[:LONG] or "sent"].append(line["name"])
            continue
        spelt = camel if target.startswith("gemini") else even
        for place, mine, other in differences(even(spelt(line["body"])), even(spelt(theirs))):
            groups[place, shown(mine), shown(other)].append(line["name"])
    return groups


def main() -> None:
    for target in sys.argv[1:] or PREFIXES:
        groups = compare(target)
        print(f"\n== {target}: {len(groups)} differences")
        for (place, ours, theirs), names in sorted(groups.items()):
            print(f"{place}  [{len(names)}: {' '.join(names[:5])}{' …' if len(names) > 5 else ''}]\n    prism   {ours}\n    litellm {theirs}")


if __name__ == "__main__":
    main()
