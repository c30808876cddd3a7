"""Every shared case in every format, as committed; bodies are judged by the official SDKs' own types."""

import json
import subprocess
import sys

import pytest

from produce import CASES, HERE, TARGETS, golden, produce

JUDGES = {"anthropic": "anthropic.py", "gemini": "gemini.py", "vertexai": "gemini.py", "bedrock": "bedrock.py", "cohere": "cohere.py",
          "replicate": "replicate.py"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_case_is_translated_as_committed(target):
    committed = golden(target).read_text(encoding="utf-8").rstrip("\n").split("\n")
    produced = produce(target)
    assert len(committed) == len(produced) == len(CASES), "a case without an expectation"
    for case, was, now in zip(CASES, committed, produced):
        assert json.loads(was) == json.loads(now), f"{target}/{case}"


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_request_gives_the_same_bytes(target):
    assert produce(target) == produce(target)


@pytest.mark.parametrize("target", [target for target, about in TARGETS.items() if about["type"] in JUDGES])
def test_the_official_sdk_accepts_every_body(target, tmp_path):
    lines = [line for line in golden(target).read_text(encoding="utf-8").rstrip("\n").split("\n") if "error" not in json.loads(line)]
    assert len(lines) > 60
    kind = TARGETS[target]["type"]
    command = [sys.executable, "-I", str(HERE / "judges" / JUDGES[kind])]
    documents = [json.loads(line) for line in lines]
    if kind == "bedrock":  # its judge wants to know the operation, and reads a file
        documents = [{"operation": "ConverseStream" if one["path"].endswith("-stream") else "Converse",
                      "model": TARGETS[target]["model"], "body": one["body"]} for one in documents]
    elif kind == "replicate":  # every model has inputs of its own
        documents = [{"path": one["path"], "model": TARGETS[target]["model"], "body": one["body"]} for one in documents]
    elif kind in ("gemini", "vertexai"):
        documents = [{"path": one["path"], "body": one["body"]} for one in documents]
    else:
        documents = [one["body"] for one in documents]
    produced = tmp_path / "produced.jsonl"
    produced.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents), encoding="utf-8")
    if kind == "bedrock":
        command.append(str(produced))
    with produced.open(encoding="utf-8") as bodies:
        done = subprocess.run(command, stdin=bodies, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_no_case_is_refused_by_the_bytes_lane():
    for target in ("openai", "azure", "azure-v1"):
        refused = [json.loads(line)["name"] for line in produce(target) if "error" in json.loads(line)]
        assert not refused
