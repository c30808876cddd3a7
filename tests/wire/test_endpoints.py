"""What is sent for rankings and embeddings, as committed, and as the official SDKs have it."""

import json
import subprocess
import sys

import pytest

from produce import HERE, endpoints

GOLDEN = HERE / "golden" / "endpoints.jsonl"
SENT = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").split("\n") if line]
CASES = [json.loads(line) for line in (HERE / "endpoints.jsonl").read_text(encoding="utf-8").split("\n") if line]


def test_every_case_is_translated_as_committed():
    produced = [json.loads(line) for line in endpoints()]
    assert [case["name"] for case in CASES] == [sent["name"] for sent in SENT]
    for was, now in zip(SENT, produced, strict=True):
        assert was == now, was["name"]


def parts(kind: str) -> list[dict]:
    """Every request that goes to such a provider."""
    return [{"model": case["model"], **part} for case, sent in zip(CASES, SENT) if case["type"] == kind and "error" not in sent
            for part in [sent, *sent.get("more", [])]]


@pytest.mark.parametrize("kind", ["cohere", "bedrock"])
def test_the_official_sdk_accepts_every_body(kind, tmp_path):
    documents = [part["body"] for part in parts(kind)]
    if kind == "bedrock":
        documents = [{"operation": "InvokeModel", "model": part["model"], "path": part["path"], "body": part["body"]} for part in parts(kind)]
    assert documents
    produced = tmp_path / "produced.jsonl"
    produced.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents), encoding="utf-8")
    command = [sys.executable, "-I", str(HERE / "judges" / f"{kind}.py"), *([str(produced)] if kind == "bedrock" else [])]
    with produced.open(encoding="utf-8") as bodies:
        done = subprocess.run(command, stdin=bodies, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
