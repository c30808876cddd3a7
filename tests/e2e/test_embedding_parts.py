"""More inputs than a provider takes at once: the official SDK sees one answer, in order, whatever goes on above."""

from __future__ import annotations

import asyncio
import json

import openai
import pytest

from support.gateway import Gateway
from support.upstream import json_reply

INPUTS = [f"text {number}" for number in range(250)]


def vector(text: str) -> list[float]:
    """Something that tells one input from the others, and survives 32 bits."""
    return [float(text.split()[1]), -0.5]


def cohere(body: dict) -> tuple[list[str], dict, list]:
    vectors = {"embeddings": {"float": [vector(text) for text in body["texts"]]}}
    return body["texts"], {**vectors, "meta": {"billed_units": {"input_tokens": float(len(body["texts"]))}}}, []


def cohere_on_bedrock(body: dict) -> tuple[list[str], dict, list]:
    texts, answer, _ = cohere(body)
    return texts, {"embeddings": answer["embeddings"]}, [("x-amzn-bedrock-input-token-count", str(len(texts)))]


def titan(body: dict) -> tuple[list[str], dict, list]:
    return [body["inputText"]], {"embedding": vector(body["inputText"]), "inputTextTokenCount": 1}, []


def gemini(body: dict) -> tuple[list[str], dict, list]:
    texts = [one["content"]["parts"][0]["text"] for one in body.get("requests", [body])]
    vectors = [{"values": vector(text)} for text in texts]
    usage = {"usageMetadata": {"promptTokenCount": len(texts)}}
    return texts, ({"embeddings": vectors, **usage} if "requests" in body else {"embedding": vectors[0], **usage}), []


def vertex(body: dict) -> tuple[list[str], dict, list]:
    texts = [one["content"] for one in body["instances"]]
    return texts, {"predictions": [{"embeddings": {"values": vector(text), "statistics": {"token_count": 1}}} for text in texts]}, []


def openais(body: dict) -> tuple[list[str], dict, list]:
    texts = body["input"]
    data = [{"object": "embedding", "index": index, "embedding": vector(text)} for index, text in enumerate(texts)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return texts, {"object": "list", "model": "m", "data": data[::-1], "usage": usage}, []


AWS = {"type": "bedrock", "region": "eu-central-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"}
GOOGLE = {"type": "vertexai", "access_token": "sk-up", "project": "p1", "location": "us-central1"}
CASES = {
    "cohere": ({"type": "cohere", "api_key": "sk-up"}, "embed-v4.0", cohere, [96, 96, 58]),
    "bedrock-cohere": (AWS, "cohere.embed-multilingual-v3", cohere_on_bedrock, [96, 96, 58]),
    "bedrock-titan": (AWS, "amazon.titan-embed-text-v2:0", titan, [1] * 250),
    "gemini": ({"type": "gemini", "api_key": "sk-up"}, "gemini-embedding-001", gemini, [100, 100, 50]),
    "vertexai": (GOOGLE, "text-embedding-005", vertex, [250]),
    "vertexai-gemini": (GOOGLE, "gemini-embedding-001", vertex, [1] * 250),
    "azure": ({"type": "azure", "api_key": "sk-up", "api_version": "2024-10-21"}, "embed", openais, [250]),
    "openai": ({"type": "openai", "api_key": "sk-up"}, "text-embedding-3-small", openais, [250]),
}


def serving(upstream, name: str) -> Gateway:
    about, model, *_ = CASES[name]
    base = upstream.base_url if name == "openai" else upstream.base_url.removesuffix("/v1")
    return Gateway({"providers": {"it": {**about, "base_url": base, "models": [model], "discover": False}}})


class Embedder:
    """Answers every part, the later ones sooner, and knows how many were under way at a time."""

    def __init__(self, answer):
        self.answer, self.sizes, self.running, self.most = answer, [], 0, 0

    async def __call__(self, x) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        texts, answer, headers = self.answer(x.request.json())
        self.sizes.append(len(texts))
        await asyncio.sleep(0.02 if texts[0] == INPUTS[0] else 0.002)
        self.running -= 1
        await json_reply(answer, headers=headers)(x)


@pytest.mark.parametrize("encoding", [None, "float"])
@pytest.mark.parametrize("name", CASES)
def test_vectors_arrive_in_order(upstream, name, encoding):
    _, model, answer, sizes = CASES[name]
    embedder = Embedder(answer)
    upstream.always(embedder)
    with serving(upstream, name) as gateway:
        if encoding is None and name in ("azure", "openai"):
            encoding = "float"  # these servers write base64 themselves
        wishes = {"encoding_format": encoding} if encoding else {}
        made = gateway.openai(max_retries=0).embeddings.create(model=model, input=INPUTS, **wishes)  # the SDK wants base64 by itself
        assert [item.index for item in made.data] == list(range(250)) or len(sizes) == 1
        assert [item.embedding for item in sorted(made.data, key=lambda item: item.index)] == [vector(text) for text in INPUTS]
        assert (made.usage.prompt_tokens, made.usage.total_tokens) == (250, 250)
        assert sorted(embedder.sizes) == sorted(sizes) and embedder.most <= 4
        metrics = gateway.metrics()
        assert metrics.total("prism_tokens_total", kind="input") == 250
        assert metrics.total("prism_attempts_total", outcome="succeeded") == 1


@pytest.mark.parametrize("name", ["openai", "azure"])
def test_openais_own_limit_is_kept(upstream, name):
    _, model, answer, _ = CASES[name]
    embedder = Embedder(answer)
    upstream.always(embedder)
    many = [f"text {number}" for number in range(2050)]
    with serving(upstream, name) as gateway:
        made = gateway.openai(max_retries=0).embeddings.create(model=model, input=many, encoding_format="float")
        assert [item.embedding[0] for item in made.data] == list(range(2050)) and made.usage.prompt_tokens == 2050
        assert sorted(embedder.sizes) == [2, 2048]


def test_one_part_that_fails_fails_the_attempt(upstream):
    _, model, answer, _ = CASES["cohere"]

    async def second_fails(x) -> None:
        texts, good, _ = answer(x.request.json())
        await (json_reply({"message": "slow down"}, status=429) if texts[0] == INPUTS[96] else json_reply(good))(x)

    upstream.always(second_fails)
    with serving(upstream, "cohere") as gateway:
        with pytest.raises(openai.RateLimitError):
            gateway.openai(max_retries=0).embeddings.create(model=model, input=INPUTS)
        assert gateway.metrics().total("prism_attempts_total", outcome="succeeded") == 0


def test_a_part_with_too_few_vectors_is_no_answer(upstream):
    _, model, answer, _ = CASES["cohere"]

    async def forgetful(x) -> None:
        _, good, _ = answer(x.request.json())
        good["embeddings"]["float"].pop()
        await json_reply(good)(x)

    upstream.always(forgetful)
    with serving(upstream, "cohere") as gateway:
        with pytest.raises(openai.InternalServerError) as refused:
            gateway.openai(max_retries=0).embeddings.create(model=model, input=INPUTS)
        assert refused.value.response.status_code == 502


@pytest.mark.parametrize("name", ["cohere", "bedrock-titan", "bedrock-cohere", "gemini", "vertexai"])
@pytest.mark.parametrize("body, field", [({"input": [1, 2]}, "input"), ({"input": [[1], [2]]}, "input"),
                                         ({"input": "a", "encoding_format": "int8"}, "encoding_format")])
def test_what_cannot_be_said_is_refused(upstream, name, body, field):
    with serving(upstream, name) as gateway:
        reply = gateway.post("/v1/embeddings", json.dumps({"model": CASES[name][1], **body}).encode())
        assert reply.status == 400 and reply.error()["param"] == field
        assert not upstream.requests
