"""The README's examples run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from conftest import SDK

EXAMPLES = re.findall(r"^```python\n(.*?)^```", (SDK / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_there_are_examples():
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(gateway, tmp_path, example):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "PRISM_BASE_URL": gateway.url}
    subprocess.run([sys.executable, "-c", example], env=environment, check=True, timeout=60, cwd=tmp_path)


def test_examples_are_typed(tmp_path):
    for number, example in enumerate(EXAMPLES):
        (tmp_path / f"example_{number}.py").write_text(example)
    environment = {**os.environ, "MYPYPATH": str(SDK)}
    subprocess.run([sys.executable, "-m", "mypy", "--strict", *tmp_path.glob("*.py")], check=True, env=environment)


def test_the_api_page_names_every_method():
    import json

    from conftest import REPO

    page = (SDK / "api.md").read_text()
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    for item in document["paths"].values():
        for operation in item.values():
            assert f"### `client.{operation['x-sdk-method']}`" in page
