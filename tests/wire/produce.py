"""Runs `prism translate` over every case for one target: out, and back with what the provider answers."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import framing

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TARGETS = json.loads((HERE / "targets.json").read_text())


def jsonl(path: Path) -> list[dict]:
    """U+2028 stands raw in some lines, so that `splitlines` would break them."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


CASES = {case["name"]: case for case in jsonl(HERE / "cases.jsonl")}
# What an answer says, whoever gives it, and the case it is given in.
SAID = json.loads((HERE / "answers/index.json").read_text(encoding="utf-8"))
# Providers that speak a format under a name of their own.
FORMATS = {"vertexai": "gemini", "groq": "openai", "mistral": "openai"}


def binary() -> str:
    return os.environ.get("PRISM_BIN", str(ROOT / "target/debug/prism"))


def translate(lines: list[dict]) -> list[str]:
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    done = subprocess.run([binary(), "translate"], input=text, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n").split("\n")


def format_of(target: str) -> str:
    kind = TARGETS[target]["type"]
    return FORMATS.get(kind, kind)


def golden(target: str) -> Path:
    return HERE / "golden" / f"{target}.jsonl"


def produce(target: str) -> list[str]:
    """One line of JSON for each case: what would be sent, or the error."""
    about = TARGETS[target]
    return translate([{**about, "name": name, "request": case["request"]} for name, case in CASES.items()])


def endpoints() -> list[str]:
    """The same for the cases of the other endpoints, each of which names its provider."""
    return translate(jsonl(HERE / "endpoints.jsonl"))


@cache
def answers(wire: str) -> dict[str, dict]:
    """What a provider of this format answers, by the answer's name."""
    return {row["name"]: row for row in jsonl(HERE / f"answers/{wire}.jsonl")}


def row_of(wire: str, name: str, json_tool: bool = False) -> dict:
    """The row of an answer; `json_tool`: a tool stands for the schema. Where the format has no such answer, another's."""
    rows = answers(wire)
    row = rows[f"{name}-by-tool" if json_tool and f"{name}-by-tool" in rows else name]
    return rows[row["instead"]] if "absent" in row else row


def returned(target: str) -> dict[tuple[str, str], dict]:
    """By case and answer: `{"row", "answer"?, "stream"?}` as OpenAI's clients get them; refused cases are left out."""
    wire, about = format_of(target), TARGETS[target]
    sent = {line["name"]: line for line in map(json.loads, produce(target))}
    pairs = [(said["case"], name) for name, said in SAID.items() if "case" in said]
    pairs += [pair for case in CASES.values() if (pair := (case["name"], case["answer"])) not in pairs]
    lines, results = [], {}
    for case, name in pairs:
        if "error" in sent[case]:
            continue
        row = row_of(wire, name, "json_tool" in sent[case])
        results[case, name] = {"row": row["name"]}
        request = {**about, "request": whole_request(CASES[case]["request"])}
        if "answer" in row or "error" in row:
            lines.append(((case, name, "answer"), {**request, "answer": framing.whole(row)}))
        if "stream" in row:
            request["request"] = streamed_request(CASES[case]["request"])
            lines.append(((case, name, "stream"), {**request, "stream": framing.stream(wire, row)}))
    for ((case, name, kind), _), line in zip(lines, translate([line for _, line in lines])):
        back = json.loads(line)
        assert "error" not in back, f"{target}/{case}: {back}"
        results[case, name][kind] = back[kind]
    return results


def whole_request(request: dict) -> dict:
    return {name: value for name, value in request.items() if name not in ("stream", "stream_options")}


def streamed_request(request: dict) -> dict:
    """Usage is asked for but by the cases that are about streams, and say themselves what they want."""
    return request if "stream" in request else {**request, "stream": True, "stream_options": {"include_usage": True}}
