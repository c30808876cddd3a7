"""Runs `prism translate` over every case for one target."""

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TARGETS = json.loads((HERE / "targets.json").read_text())
CASES = [json.loads(line) for line in (HERE / "cases.jsonl").read_text(encoding="utf-8").split("\n") if line]


def binary() -> str:
    return os.environ.get("PRISM_BIN", str(ROOT / "target/debug/prism"))


def produce(target: str) -> list[str]:
    """One line of JSON for each case: what would be sent, or the error."""
    lines = [json.dumps({**TARGETS[target], **case}, ensure_ascii=False) for case in CASES]
    done = subprocess.run([binary(), "translate"], input="\n".join(lines), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n").split("\n")


def golden(target: str) -> Path:
    return HERE / "golden" / f"{target}.jsonl"
