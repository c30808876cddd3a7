"""The document keeps its word: generated requests, good and bad, get documented answers and never a 5xx."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.gateway import Gateway, ask, provider
from support.upstream import chunk, completion, event, json_reply, sse

# Generated deadlines of a few milliseconds would make true 504s; good requests are meant to arrive.
CONFIG = """\
hooks = "hooks.py"
[generation]
with-security-parameters = false
[parameters]
"header.x-prism-request-timeout" = "20000"
"""
GOOD_REQUESTS = """\
"header.x-prism-provider-lock" = "acme"
"path.model" = "acme-large"
"""
# The document gives the schema of an event's data, as SDK generators read it; schemathesis would hold the event itself
# against it.
HOOKS = """\
import schemathesis

@schemathesis.hook
def before_load_schema(context, schema):
    for methods in schema["paths"].values():
        for operation in methods.values():
            if isinstance(operation, dict):
                for response in operation.get("responses", {}).values():
                    response.get("content", {}).get("text/event-stream", {}).pop("schema", None)
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"


async def obliging(x):
    """An upstream that answers whatever arrives, in the right shape."""
    try:
        asked = x.request.json()
    except ValueError:
        asked = {}
    if x.request.path.endswith("embeddings"):
        answer = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                  "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    elif x.request.path.endswith("rerank"):
        answer = {"id": "r", "model": "m", "results": [{"index": 0, "relevance_score": 0.5}], "usage": {"total_tokens": 1}}
    elif x.request.path.endswith("chat/completions"):
        if asked.get("stream") is True:
            return await sse(event(chunk({"role": "assistant", "content": "a"})), event(chunk({}, "stop")), event("[DONE]"))(x)
        answer = completion()
    else:
        answer = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "usage": completion()["usage"],
                  "choices": [{"index": 0, "text": "a", "logprobs": None, "finish_reason": "stop"}]}
        if asked.get("stream") is True:
            return await sse(event(answer), event("[DONE]"))(x)
    await json_reply(answer)(x)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_generated_requests_get_documented_answers(upstream, tmp_path, mode):
    """`default_model` lets generated model names through to the upstream, so that good requests get good answers."""
    upstream.always(obliging)
    (tmp_path / "schemathesis.toml").write_text(CONFIG + (GOOD_REQUESTS if mode == "positive" else ""))
    (tmp_path / "hooks.py").write_text(HOOKS)
    config = {"providers": {"acme": provider(upstream)}, "routing": {"default_model": "acme-large"},
              "server": {"body_timeout": "3s", "header_timeout": "3s"}}
    with Gateway(config) as gateway:
        done = subprocess.run(
            [Path(sys.executable).with_name("st"), "--config-file", tmp_path / "schemathesis.toml", "run", f"{gateway.url}/openapi.json",
             "--checks", CHECKS, "--mode", mode, "--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "7",
             "--generation-database", "none", "--request-timeout", "20", "--continue-on-failure", "--no-color", "--suppress-health-check", "all"],
            capture_output=True, text=True, timeout=140, cwd=tmp_path, env=os.environ | {"NO_COLOR": "1"})
        assert done.returncode == 0, done.stdout[-15_000:] + done.stderr[-3000:]
        assert gateway.chat(ask()).status == 200


def test_every_rejection_is_an_openai_envelope(upstream):
    """No text/plain, whatever is wrong."""
    with Gateway({"providers": {"acme": provider(upstream)}}) as gateway:
        document = gateway.get("/openapi.json").json()
        for path, methods in document["paths"].items():
            for method in ("get", "post", "put", "patch", "delete", "options", "trace"):
                for body in (None, b"", b"{", b"[]", json.dumps({"a": 1}).encode()):
                    reply = gateway.call(method.upper(), path.replace("{model}", "a/b"), body)
                    if reply.status >= 400 and not path.endswith("/readyz"):
                        assert reply.error(), (method, path, body)
                        assert reply.status < 500, (method, path, body, reply)
