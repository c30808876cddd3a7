"""What the gateway's document does not have yet, from a document that has: pages, uploads, bytes, the control plane."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HERE, SDK
from generator import sdk_gen

STEPS = ["pages", "control_plane", "uploads", "binary", "unions"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy") / "sdk"
    # The machinery, without what is generated.
    generated = set((SDK / ".generated").read_text().split())
    for path in SDK.joinpath("prism").rglob("*"):
        name = path.relative_to(SDK)
        if path.is_file() and "__pycache__" not in name.parts and str(name) not in generated:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    sdk_gen("python", "--document", HERE / "toy/openapi.json", "--output", folder)
    return folder


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.timeout(300)
def test_the_machinery(toy, step):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{toy}:{HERE}"}
    code = f"import runpy; runpy.run_path({str(HERE / 'toy/steps.py')!r})[{step!r}]()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


@pytest.mark.timeout(300)
def test_it_is_typed(toy):
    (toy / "pyproject.toml").write_text((SDK / "pyproject.toml").read_text())
    subprocess.run([sys.executable, "-m", "mypy"], cwd=toy, check=True)
    environment = {**os.environ, "MYPYPATH": f"{toy}:{HERE}"}
    subprocess.run([sys.executable, "-m", "mypy", HERE / "toy/steps.py"], check=True, env=environment)
