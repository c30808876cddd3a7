"""Ranking: one request for Cohere, Bedrock and compatible servers; the answer says nothing of which it was."""

from __future__ import annotations

import json

import pytest

from support.gateway import Gateway
from support.upstream import json_reply

ASKED = {"query": "capital of France", "documents": ["Berlin", {"text": "Paris"}], "top_n": 2}
RANKED = {"id": "r1", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
          "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1.0}}}
COMPATIBLE = {"id": "r1", "model": "m", "usage": {"total_tokens": 7},
              "results": [{"index": 1, "document": {"text": "Paris"}, "relevance_score": 0.9},
                          {"index": 0, "document": {"text": "Berlin"}, "relevance_score": 0.1}]}
AWS = {"type": "bedrock", "region": "eu-central-1", "access_key_id": "AKIA1", "secret_access_key": "sk-up"}
CASES = {
    "cohere": ({"type": "cohere", "api_key": "sk-up"}, "rerank-v3.5", "/v2/rerank", RANKED,
               {"model": "rerank-v3.5", "query": "capital of France", "documents": ["Berlin", "Paris"], "top_n": 2}),
    "bedrock-cohere": (AWS, "cohere.rerank-v3-5:0", "/model/cohere.rerank-v3-5%3A0/invoke", RANKED,
                       {"query": "capital of France", "documents": ["Berlin", "Paris"], "top_n": 2, "api_version": 2}),
    "bedrock-amazon": (AWS, "amazon.rerank-v1:0", "/model/amazon.rerank-v1%3A0/invoke", {"results": RANKED["results"]},
                       {"query": "capital of France", "documents": ["Berlin", "Paris"], "top_n": 2}),
    "vllm": ({"type": "vllm"}, "bge", "/v1/rerank", COMPATIBLE, {"model": "bge", **ASKED}),
    "compatible": ({"type": "openai-compatible"}, "bge", "/v1/rerank", COMPATIBLE, {"model": "bge", **ASKED}),
}


@pytest.fixture(scope="module")
def gateway():
    with Gateway() as gateway:
        yield gateway


def config(upstream, about, model, **more) -> dict:
    speaks_openai = about["type"] in ("vllm", "openai-compatible", "openai")
    base = upstream.base_url if speaks_openai else upstream.base_url.removesuffix("/v1")
    return {"providers": {"it": {**about, "base_url": base, "models": [model], "discover": False}, **more}}


@pytest.mark.parametrize("name", CASES)
def test_documents_are_ranked(upstream, name):
    about, model, path, answer, sent = CASES[name]
    upstream.script(json_reply(answer))
    with Gateway(config(upstream, about, model)) as gateway:
        reply = gateway.post("/v1/rerank", {"model": model, **ASKED})
        assert reply.status == 200, reply.body
        assert [(result["index"], result["relevance_score"]) for result in reply.json()["results"]] == [(1, 0.9), (0, 0.1)]
        assert reply.json()["model"] and reply.header("x-prism-provider") == "it"
        assert upstream.last.path == path and upstream.last.json() == sent
        metrics = gateway.metrics()
        assert metrics.total("prism_requests_total", endpoint="rerank", status="200") == 1
        if answer is RANKED:
            assert reply.json()["usage"] == {"search_units": 1} and reply.json()["meta"] == RANKED["meta"]
            assert metrics.total("prism_search_units_total", provider="it") == 1
        if answer is COMPATIBLE:
            assert reply.json() == COMPATIBLE and metrics.total("prism_tokens_total", kind="input") == 7


def test_the_documents_come_back_where_they_are_asked_for(upstream):
    about, model, _, answer, _ = CASES["cohere"]
    upstream.script(json_reply(answer))
    with Gateway(config(upstream, about, model)) as gateway:
        reply = gateway.post("/v1/rerank", {"model": model, **ASKED, "return_documents": True})
        assert [result["document"] for result in reply.json()["results"]] == [{"text": "Paris"}, {"text": "Berlin"}]


def test_the_next_provider_ranks_when_one_fails(upstream):
    about, model, _, answer, _ = CASES["cohere"]
    second = {**about, "base_url": upstream.base_url.removesuffix("/v1"), "models": [model], "discover": False}
    with Gateway(config(upstream, about, model, second=second)) as gateway:
        upstream.script(json_reply({"message": "later"}, status=503), json_reply(answer))
        reply = gateway.post("/v1/rerank", {"model": model, **ASKED})
        assert reply.status == 200 and reply.header("x-prism-fallback-used") == "true"


def test_who_cannot_rank_says_who_can(upstream):
    with Gateway(config(upstream, {"type": "openai", "api_key": "sk-up"}, "gpt-4o")) as gateway:
        reply = gateway.post("/v1/rerank", {"model": "gpt-4o", **ASKED})
        assert reply.status == 400 and reply.error()["param"] == "model"
        assert "`cohere`" in reply.error()["message"] and not upstream.requests


@pytest.mark.parametrize("members, field", [({"query": 5}, "query"), ({"documents": []}, "documents"), ({"top_n": 0}, "top_n"),
                                            ({"documents": ["a", 5]}, "documents[1]"), ({"return_documents": 1}, "return_documents"),
                                            ({"query": None}, "query"), ({"model": ""}, "model")])
def test_a_mistake_names_its_field(gateway, members, field):
    reply = gateway.post("/v1/rerank", {"model": "simulator/rerank", **ASKED, **members})
    assert reply.status == 400 and reply.error()["param"] == field, reply.body


def test_the_simulator_ranks_by_common_words(gateway):
    documents = ["nothing in common", "the capital of France", "France", "a capital of France"]
    asked = {"model": "simulator/rerank", "query": "Capital of France", "documents": documents, "top_n": 3, "return_documents": True}
    first, again = (gateway.post("/v1/rerank", asked).json() for _ in range(2))
    assert [result["index"] for result in first["results"]] == [1, 3, 2] and first["results"] == again["results"]
    assert first["results"][0]["document"] == {"text": "the capital of France"}
    assert 0 < first["results"][2]["relevance_score"] < first["results"][0]["relevance_score"] < 1
    assert first["usage"]["search_units"] == 1 and json.dumps(first).count("nothing") == 0
