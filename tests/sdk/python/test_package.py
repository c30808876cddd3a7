"""What is published: built, looked into, and installed where nothing else is."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import prism
import pytest
from conftest import SDK

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, SDK], check=True, capture_output=True
    )
    return folder


def source_files() -> set[str]:
    files = (path.relative_to(SDK) for path in (SDK / "prism").rglob("*") if path.is_file())
    return {str(path) for path in files if "__pycache__" not in path.parts and path.suffix != ".pyc"}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"futureagi_prism-{prism.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        described = email.message_from_bytes(archive.read(metadata))
    assert {name for name in names if ".dist-info/" not in name} == source_files()
    assert "prism/py.typed" in names and "# Prism for Python" in described.get_payload()
    needs = sorted(need.split(">")[0].split("<")[0] for need in described.get_all("Requires-Dist"))
    assert needs == ["httpx", "pydantic", "typing-extensions"]
    assert described["Requires-Python"] == ">=3.10" and described["License-Expression"] == "Apache-2.0"


def test_the_source_archive_holds_what_builds_it(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert names - source_files() <= {"", "PKG-INFO", "README.md", "api.md", "pyproject.toml", ".gitignore"}
    assert source_files() <= names


def test_it_runs_where_nothing_else_is_installed(built, gateway, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    (wheel,) = built.glob("*.whl")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, wheel], check=True)
    code = (
        "import prism, pathlib\n"
        "assert 'site-packages' in prism.__file__\n"
        "client = prism.Prism()\n"
        "ask = dict(model='simulator/echo', messages=[{'role': 'user', 'content': 'hi'}])\n"
        "assert client.chat.completions.create(**ask).choices[0].message.content == 'hi'\n"
        "assert [chunk for chunk in client.chat.completions.create(**ask, stream=True)]\n"
    )
    environment = {"PATH": os.environ["PATH"], "PRISM_BASE_URL": gateway.url}
    subprocess.run([python, "-c", code], env=environment, check=True, cwd=tmp_path)


def test_importing_is_cheap():
    """Neither httpx nor pydantic before the first call."""
    code = "import sys, prism; prism.Prism().chat.completions; print(*sys.modules)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"httpx", "pydantic", "anyio", "asyncio", "typing_extensions", "logging", "dataclasses"}
