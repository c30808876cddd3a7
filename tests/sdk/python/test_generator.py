"""Document, templates and SDK agree; the generator is deterministic and says what is wrong."""

from __future__ import annotations

import json

import pytest
from conftest import REPO, SDK
from generator import sdk_gen

pytestmark = pytest.mark.timeout(600)


def test_the_committed_sdk_is_what_the_document_says():
    sdk_gen("python", "--check")


def test_twice_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        sdk_gen("python", "--output", tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert [str(path) for path in files] == sorted([".generated", *(SDK / ".generated").read_text().split()])
    for path in files:
        assert (
            (tmp_path / "one" / path).read_bytes()
            == (tmp_path / "two" / path).read_bytes()
            == (SDK / path).read_bytes()
        )


def test_an_operation_in_the_document_is_a_method_after_one_command(tmp_path):
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    again = json.loads(json.dumps(document["paths"]["/v1/embeddings"]))
    again["post"].update({"operationId": "createRerank", "x-sdk-method": "rerank.create", "tags": ["Rerank"]})
    document["paths"]["/v1/rerank"] = again
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = sdk_gen("python", "--check", "--document", tmp_path / "openapi.json", check=False)
    assert done.returncode == 1 and "changed  prism/_resources.py" in done.stderr
    sdk_gen("python", "--document", tmp_path / "openapi.json", "--output", tmp_path / "sdk")
    assert "class AsyncRerank:" in (tmp_path / "sdk/prism/_async_resources.py").read_text()


def test_a_bad_document_is_refused_with_the_name_of_the_place(tmp_path):
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    del document["paths"]["/v1/embeddings"]["post"]["x-sdk-method"]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = sdk_gen("python", "--document", tmp_path / "openapi.json", check=False)
    assert done.returncode == 1 and "post /v1/embeddings: `x-sdk-method` is ``" in done.stderr


def test_breaking_changes_are_named(tmp_path):
    sdk_gen("breaking")
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    del document["paths"]["/v1/embeddings"]
    document["components"]["schemas"]["CompletionRequest"]["required"].append("suffix")
    del document["components"]["schemas"]["Usage"]["properties"]["total_tokens"]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = sdk_gen("breaking", "--base", "openapi/openapi.json", "--document", tmp_path / "openapi.json", check=False)
    assert done.returncode == 1
    for expected in (
        "post /v1/embeddings: removed",
        "CompletionRequest.suffix: became required in requests",
        "Usage.total_tokens: removed from answers",
    ):
        assert expected in done.stderr
