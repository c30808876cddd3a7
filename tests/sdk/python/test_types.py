"""mypy --strict and pyright on the SDK, on what must pass and on what must not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import HERE, SDK

GOOD, BAD = HERE / "typing/good.py", HERE / "typing/bad.py"
WRONG = {number for number, line in enumerate(BAD.read_text().splitlines(), 1) if line.endswith("# wrong")}

pytestmark = pytest.mark.timeout(300)


def mypy(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": str(SDK)}
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=SDK)


def pyright(*files: object) -> list[dict]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": str(SDK), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=SDK)
    report = json.loads(done.stdout)["generalDiagnostics"]
    return [each for each in report if each["severity"] == "error"]


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_the_sdk_passes_mypy(version):
    done = mypy("--python-version", version, "prism")
    assert done.returncode == 0, done.stdout


def test_the_sdk_passes_pyright_in_strict_mode():
    assert pyright() == []


def test_what_must_pass_does():
    done = mypy(GOOD)
    assert done.returncode == 0, done.stdout
    assert pyright(GOOD) == []


def test_what_must_fail_does_and_nothing_else():
    found = {int(number) for number in re.findall(r"bad\.py:(\d+): error", mypy(BAD).stdout)}
    assert found == WRONG
    assert {each["range"]["start"]["line"] + 1 for each in pyright(BAD)} == WRONG
