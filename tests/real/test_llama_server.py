"""The gateway in front of a server that nobody here wrote: llama.cpp's, with a tiny model of random weights."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request

import openai
import pytest

import tiny_model
from support.gateway import Gateway, ask, clean_environment
from support.http1 import Connection, Reply, events, request_bytes, text_of
from support.ports import free_port
from support.waiting import eventually

MODEL = "tiny-random"
LONG = 1800  # tokens: seconds of work


class LlamaServer:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()

    def __enter__(self) -> LlamaServer:
        model = self.folder / "tiny.gguf"
        tiny_model.write(str(model))
        command = [sys.executable, "-m", "llama_cpp.server", "--model", model, "--model_alias", MODEL, "--port", str(self.port),
                   "--n_ctx", "8192", "--n_threads", "1", "--embedding", "true",
                   # else a second request would end the first, and nothing could be learnt from its end
                   "--interrupt_requests", "false"]
        with open(self.folder / "server.log", "wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=clean_environment(HOME=str(self.folder)))
        eventually(self._answers, 60, "the inference server", pause=0.2)
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            with urllib.request.urlopen(f"{self.base_url}/models", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def call(self, path: str, body: dict) -> Reply:
        """The same request without the gateway."""
        with Connection(self.port, timeout=60) as conn:
            conn.send(request_bytes("POST", f"/v1{path}", body))
            return conn.reply()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with LlamaServer(tmp_path_factory.mktemp("llama")) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(server):
    """Known only by its address: its model is found by itself."""
    config = {"providers": {"vllm": {"base_url": server.base_url, "discover": 1},
                            "llama": {"base_url": server.base_url, "models": [{"id": "noise", "upstream": MODEL}], "discover": False}}}
    with Gateway(config) as gateway:
        eventually(lambda: f"vllm/{MODEL}" in [model["id"] for model in gateway.get("/v1/models").json()["data"]], 20,
                   "the model to be discovered")
        yield gateway


def request(text="hello", model=f"vllm/{MODEL}", **extra) -> dict:
    return ask(model, text, temperature=0, max_tokens=12) | extra


def test_it_was_discovered_and_the_bare_name_works_too(gateway):
    client = gateway.openai()
    assert client.models.retrieve(f"vllm/{MODEL}").id == f"vllm/{MODEL}"
    assert client.chat.completions.create(**request(model=MODEL)).model == MODEL


def test_chat_says_what_the_server_says(gateway, server):
    answer = gateway.openai().chat.completions.create(**request())
    direct = server.call("/chat/completions", request(model=MODEL)).json()
    choice = answer.choices[0]
    assert choice.message.content == direct["choices"][0]["message"]["content"] and len(choice.message.content) > 0
    assert choice.finish_reason == "length"
    assert answer.usage.model_dump(exclude_none=True) == direct["usage"]


def test_a_stream_says_the_same_as_the_whole_answer(gateway):
    whole = gateway.openai().chat.completions.create(**request()).choices[0].message.content
    reply = gateway.chat(request(stream=True))
    assert text_of(reply.body) == whole
    *_, done = events(reply.body)
    assert done.data == "[DONE]"
    parts = list(gateway.openai().chat.completions.create(**request(), stream=True))
    assert "".join(choice.delta.content or "" for part in parts for choice in part.choices) == whole
    assert parts[0].choices[0].delta.role == "assistant"


def test_the_model_is_renamed_for_the_server(gateway):
    assert gateway.openai().chat.completions.create(**request(model="noise")).choices[0].message.content
    assert gateway.openai().chat.completions.create(**request(model="llama/noise")).choices[0].message.content


def test_completions_whole_and_streamed(gateway, server):
    client = gateway.openai()
    wanted = {"model": MODEL, "prompt": "once", "max_tokens": 8, "temperature": 0}
    whole = client.completions.create(**wanted)
    assert whole.choices[0].text == server.call("/completions", wanted).json()["choices"][0]["text"]
    assert whole.usage.completion_tokens == 8
    assert "".join(part.choices[0].text for part in client.completions.create(**wanted, stream=True)) == whole.choices[0].text


def test_embeddings_come_through_unchanged(gateway, server):
    """A model without pooling answers a vector for each token: nested lists, which no SDK type foresees."""
    wanted = {"model": MODEL, "input": ["hello", "world"]}
    reply = gateway.post("/v1/embeddings", wanted)
    assert reply.status == 200
    assert reply.json() == server.call("/embeddings", wanted).json()
    assert len(reply.json()["data"]) == 2


def test_usage_is_counted(gateway):
    def counted(kind):
        return gateway.metrics().total("prism_tokens_total", provider="vllm", kind=kind)

    before = counted("input"), counted("output")
    usage = gateway.openai().chat.completions.create(**request()).usage
    wanted = before[0] + usage.prompt_tokens, before[1] + usage.completion_tokens
    eventually(lambda: (counted("input"), counted("output")) == wanted, what="the usage to be counted")


def test_the_servers_own_errors_are_typed(gateway):
    client = gateway.openai()
    with pytest.raises(openai.APIStatusError) as raised:  # whichever status it has for a bad field
        client.chat.completions.create(**request(temperature="hot"))
    assert raised.value.status_code in (400, 422) and raised.value.body["message"]
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(**request("x" * 20_000))
    assert raised.value.status_code != 500, "beyond the context: the server's 500 is not ours"


@pytest.mark.timeout(240)
def test_a_client_that_leaves_ends_the_generation(gateway, server):
    """The server works on one request at a time: after a client left in mid-stream the next one must not wait for it."""
    long = request(max_tokens=LONG, stream=True)
    began = time.monotonic()
    assert gateway.chat(long, timeout=120).status == 200
    full = time.monotonic() - began

    conn = gateway.open_chat(long)
    reply = conn.head()
    next(conn.pieces(reply))
    conn.close()
    began = time.monotonic()
    assert gateway.chat(request(max_tokens=1), timeout=120).status == 200
    next_one = time.monotonic() - began
    print(f"a whole generation takes {full:.2f} s; after the client left the next answer came in {next_one:.2f} s")
    assert next_one < full / 2
    eventually(lambda: gateway.metrics().total("prism_requests_in_flight") == 0, what="nothing in flight")


def test_a_server_that_dies_is_said_and_comes_back(tmp_path):
    """Its address stays; the model answers again when the server does."""
    with LlamaServer(tmp_path) as first:
        port = first.port
        config = {"providers": {"vllm": {"base_url": first.base_url, "models": [MODEL], "discover": False}}}
        with Gateway(config) as gateway:
            assert gateway.chat(request(model=MODEL)).status == 200
            os.kill(first.process.pid, 9)
            first.process.wait()
            reply = gateway.chat(request(model=MODEL))
            assert reply.status in (502, 503) and reply.error()
            again = LlamaServer(tmp_path)
            again.port = port
            with again:
                eventually(lambda: gateway.chat(request(model=MODEL)).status == 200, 20, "the server to be used again", pause=0.2)
