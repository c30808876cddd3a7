"""What the gateway says of itself: health, providers, models, metrics, documents."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from support.gateway import ONE_TRY, REPO, Gateway, ask, provider, run
from support.metrics import Metrics
from support.ports import refused_port
from support.upstream import completion, error_reply, json_reply, silence, sse, stream_frames
from support.waiting import eventually

SLASHED = "meta-llama/Llama-4:free"


@pytest.fixture(scope="module")
def gateway(upstream):
    with Gateway({"providers": {"acme": provider(upstream, "acme-large", SLASHED)}, "routing": ONE_TRY}) as gateway:
        yield gateway


def health_of(gateway, name):
    reply = gateway.get("/v1/providers/health")
    assert reply.status == 200
    return next(one for one in reply.json()["data"] if one["name"] == name)


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_json_and_200(gateway, path):
    reply = gateway.get(path)
    assert reply.status == 200 and reply.header("content-type").startswith("application/json") and reply.json()


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/metrics", "/openapi.json"])
def test_head_is_answered_without_a_body(gateway, path):
    with gateway.connect() as conn:
        conn.request("HEAD", path)
        assert conn.reply(bodyless=True).status == 200
        conn.request("GET", "/healthz")
        assert conn.reply().status == 200, "nothing of a body was left on the connection"


def test_queries_in_the_path_are_no_other_route(gateway):
    assert gateway.get("/healthz?verbose=1").status == 200
    assert gateway.get("/v1/models?limit=5").status == 200


# Models.

def test_models_are_listed_with_their_provider(gateway):
    document = gateway.get("/v1/models").json()
    assert document["object"] == "list"
    by_id = {model["id"]: model for model in document["data"]}
    assert {"acme/acme-large", f"acme/{SLASHED}"} <= set(by_id)
    assert all(model["object"] == "model" and model["owned_by"] and isinstance(model["created"], int) for model in by_id.values())


@pytest.mark.parametrize("name, found", [("acme/acme-large", "acme/acme-large"), ("acme-large", "acme/acme-large"),
                                         (f"acme/{SLASHED}", f"acme/{SLASHED}"), (SLASHED, f"acme/{SLASHED}"),
                                         ("acme%2Facme-large", "acme/acme-large"), ("meta-llama%2FLlama-4%3Afree", f"acme/{SLASHED}")])
def test_a_model_is_retrieved_by_any_of_its_names(gateway, name, found):
    reply = gateway.get(f"/v1/models/{name}")
    assert reply.status == 200 and reply.json()["id"] in (found, unquote(name))


def test_the_sdk_lists_and_retrieves_models(gateway):
    client = gateway.openai()
    assert "acme/acme-large" in [model.id for model in client.models.list()]
    assert client.models.retrieve(f"acme/{SLASHED}").id == f"acme/{SLASHED}"


def test_an_unknown_model_is_a_404_that_names_near_ones(gateway):
    reply = gateway.get("/v1/models/acme-larg")
    assert reply.status == 404 and "acme-large" in reply.error()["message"]


def test_a_model_with_slashes_can_be_asked(gateway, upstream):
    upstream.always(json_reply(completion()))
    for name in (SLASHED, f"acme/{SLASHED}"):
        assert gateway.chat(ask(name)).status == 200
        assert upstream.last.json()["model"] == SLASHED


def test_models_are_discovered_in_the_background_and_refreshed(second):
    second.models = ["found-1", "vendor/found-2"]
    second.always(json_reply(completion()))
    config = {"providers": {"acme": {"base_url": second.base_url, "discover": 1, "api_key": "sk-discovery"}}}
    with Gateway(config) as gateway:
        def ids():
            return {model["id"] for model in gateway.get("/v1/models").json()["data"]}

        eventually(lambda: {"acme/found-1", "acme/vendor/found-2"} <= ids(), what="the models to be found")
        assert second.listings[0].path == "/v1/models"
        assert second.listings[0].header("authorization") == "Bearer sk-discovery"
        assert gateway.chat(ask("found-1")).status == 200
        assert gateway.chat(ask("vendor/found-2")).status == 200 and second.last.json()["model"] == "vendor/found-2"
        second.models = ["found-3"]
        eventually(lambda: "acme/found-3" in ids() and "acme/found-1" not in ids(), what="the refreshed list")
        second.models = error_reply(500)
        seen = len(second.listings)
        eventually(lambda: len(second.listings) > seen + 1, what="failed listings")
        assert "acme/found-3" in ids(), "a failed listing takes nothing away"


@pytest.mark.parametrize("listing", [json_reply(b"<html>"), json_reply([]), json_reply({"data": None}), json_reply({"data": [{"no": "id"}, 5]}),
                                     silence, json_reply({"data": [{"id": "x" * 100_000}]}), json_reply({"models": ["a"]})])
def test_a_listing_that_makes_no_sense_hurts_nothing(second, listing):
    second.models = listing
    second.always(json_reply(completion()))
    config = {"providers": {"acme": {"base_url": second.base_url, "discover": 1, "models": ["written"]}}}
    with Gateway(config) as gateway:
        eventually(lambda: second.listings, what="a listing")
        assert gateway.chat(ask("written")).status == 200
        assert "acme/written" in [model["id"] for model in gateway.get("/v1/models").json()["data"]]


def test_a_dead_or_silent_provider_slows_nothing(upstream, second):
    """Start, models, health and other providers' requests: all at once."""
    upstream.models = silence
    second.always(json_reply(completion()))
    config = {"providers": {
        "silent": {"base_url": upstream.base_url, "discover": 1},
        "dead": {"base_url": f"http://127.0.0.1:{refused_port()}/v1", "discover": 1},
        "nowhere": {"base_url": "http://no-such-host.invalid/v1", "discover": 1},
        "acme": provider(second),
    }}
    began = time.monotonic()
    with Gateway(config) as gateway:
        assert time.monotonic() - began < 3, "start"
        for work in (lambda: gateway.get("/v1/models"), lambda: gateway.get("/v1/providers/health"), lambda: gateway.get("/readyz"),
                     lambda: gateway.chat(ask()), lambda: gateway.get("/v1/models/acme-large"), lambda: gateway.get("/metrics")):
            began = time.monotonic()
            assert work().status == 200
            assert time.monotonic() - began < 1


def test_probing_costs_nothing(second):
    """What the gateway sends unasked is never a billed completion."""
    second.models = ["m"]
    with Gateway({"providers": {"acme": {"base_url": second.base_url, "discover": 1}}}):
        eventually(lambda: len(second.listings) >= 3, what="some rounds of discovery")
    assert not second.requests


# Providers' health.

def test_a_providers_health_follows_its_answers(second):
    with Gateway({"providers": {"acme": provider(second)}, "routing": ONE_TRY}) as gateway:
        assert health_of(gateway, "acme")["state"] == "unknown"
        second.always(json_reply(completion()))
        gateway.chat(ask())
        eventually(lambda: health_of(gateway, "acme")["state"] == "healthy", what="healthy")
        second.always(error_reply(500, "internal http://10.0.0.9/x"))
        gateway.chat(ask())
        eventually(lambda: health_of(gateway, "acme")["state"] in ("degraded", "unhealthy"), what="a worse state")
        health = health_of(gateway, "acme")
        assert health["last_error"] and "10.0.0.9" not in json.dumps(health)
        assert health["failures"] == 1 and health["requests"] == 2 and health["in_flight"] == 0
        second.always(json_reply(completion()))

        def well_again():
            gateway.chat(ask())
            return health_of(gateway, "acme")["state"] == "healthy"

        eventually(well_again, 20, "the provider to be healthy again", pause=0.05)


def test_the_callers_mistakes_do_not_speak_against_a_provider(second):
    with Gateway({"providers": {"acme": provider(second)}}) as gateway:
        second.always(json_reply(completion()))
        gateway.chat(ask())
        for status in (400, 404, 413, 422, 429):
            second.script(*[error_reply(status)] * 3)
            for _ in range(3):
                assert gateway.chat(ask()).status == status
        gateway.chat(ask())
        eventually(lambda: health_of(gateway, "acme")["state"] == "healthy", what="still healthy")


def test_one_providers_trouble_is_not_anothers(upstream, second):
    upstream.always(error_reply(500))
    second.always(json_reply(completion()))
    with Gateway({"providers": {"bad": provider(upstream, "bad-model"), "good": provider(second, "good-model")}}) as gateway:
        for _ in range(10):
            assert gateway.chat(ask("bad-model")).status in (502, 503)
            assert gateway.chat(ask("good-model")).status == 200
        eventually(lambda: health_of(gateway, "bad")["state"] in ("degraded", "unhealthy"), what="bad to be seen")
        assert health_of(gateway, "good")["state"] == "healthy"


def test_in_flight_is_seen_while_it_is(gateway, upstream):
    conn = gateway.open_chat(ask())
    call = upstream.take()
    eventually(lambda: health_of(gateway, "acme")["in_flight"] == 1, what="one in flight")
    assert gateway.metrics().total("prism_requests_in_flight") == 1
    call.run(json_reply(completion()))
    assert conn.reply().status == 200
    eventually(lambda: health_of(gateway, "acme")["in_flight"] == 0 and gateway.metrics().total("prism_requests_in_flight") == 0,
               what="none in flight")


# Metrics.

def test_metrics_are_prometheus_text(gateway, upstream):
    upstream.script(json_reply(completion()), sse(*stream_frames("a", usage=True)), error_reply(503))
    before = gateway.metrics()
    for stream in (False, True, False):
        gateway.chat(ask(stream=stream))
    ended = before.total("prism_requests_total") + 3
    eventually(lambda: gateway.metrics().total("prism_requests_total") >= ended, what="the requests to be counted")
    reply = gateway.get("/metrics")
    assert reply.header("content-type").startswith("text/plain; version=0.0.4")
    after = Metrics(reply.body.decode())

    def grew(name, **labels):
        return after.total(name, **labels) - before.total(name, **labels)

    of = {"endpoint": "chat.completions", "provider": "acme"}
    assert grew("prism_requests_total", **of, model="acme-large", status="200") == 2
    assert grew("prism_requests_total", **of, model="acme-large", status="503") == 1
    assert grew("prism_request_duration_seconds_count", **of) == 3
    assert grew("prism_tokens_total", provider="acme", model="acme-large", kind="input") == 22
    for name in ("prism_requests_total", "prism_request_duration_seconds", "prism_requests_in_flight", "prism_tokens_total"):
        assert f"# TYPE {name} " in after.text and f"# HELP {name} " in after.text


def test_metrics_can_be_moved_and_switched_off(upstream):
    with Gateway({"providers": {"acme": provider(upstream)}, "prometheus": {"path": "/stats"}}) as gateway:
        assert gateway.get("/stats").status == 200 and gateway.get("/metrics").status == 404
    with Gateway({"providers": {"acme": provider(upstream)}, "prometheus": {"enabled": False}}) as gateway:
        assert gateway.get("/metrics").status == 404


# Documents.

def test_the_openapi_document_is_served_committed_and_printed_alike(gateway):
    served = gateway.get("/openapi.json")
    assert served.status == 200 and served.header("content-type").startswith("application/json")
    document = served.json()
    assert document["openapi"].startswith("3.1")
    assert json.loads(run("openapi").stdout) == document
    assert json.loads((Path(REPO) / "openapi/openapi.json").read_text()) == document, "openapi/openapi.json is stale"


def test_the_document_names_every_route_that_exists(gateway):
    paths = gateway.get("/openapi.json").json()["paths"]
    assert {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/v1/models", "/v1/models/{model}", "/healthz", "/livez",
            "/readyz", "/v1/providers/health", "/metrics", "/v1/route/explain", "/v1/route/decisions/{request_id}"} <= set(paths)
    known = gateway.chat(b"{}").header("x-prism-request-id")
    # organisations are administered where there is a control plane: test_admin_routes calls every one of those
    for path, methods in ((path, methods) for path, methods in paths.items() if not path.startswith(("/v1/orgs", "/v1/provider-types"))):
        for method in set(methods) & {"get", "post", "put", "patch", "delete"}:
            reply = gateway.call(method.upper(), path.replace("{model}", "acme-large").replace("{request_id}", known), b"{}" if method == "post" else None)
            assert reply.status not in (405, 500), (method, path)
            assert reply.status != 404, (method, path)


def test_every_reference_in_the_document_leads_somewhere(gateway):
    document = gateway.get("/openapi.json").json()

    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from references(child)

    def leads_somewhere(reference):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        return node is not None

    assert [one for one in sorted(set(references(document))) if not leads_somewhere(one)] == []


def test_the_docs_are_a_page_that_loads_nothing_from_elsewhere(gateway):
    reply = gateway.get("/docs")
    if reply.status in (301, 302, 303, 307, 308):
        reply = gateway.get(reply.header("location"))
    assert reply.status == 200 and reply.header("content-type").startswith("text/html")
    assert b"https://" not in reply.body and b'src="//' not in reply.body


def test_named_origins_may_call_from_a_browser_and_others_may_not(second):
    second.always(json_reply(completion()))
    config = {"providers": {"acme": provider(second, "acme-large")}, "cors": {"enabled": True, "allowed_origins": ["https://app.example.com"]}}
    with Gateway(config) as gateway:
        asking = [("origin", "https://app.example.com"), ("access-control-request-method", "POST"),
                  ("access-control-request-headers", "authorization,content-type,x-prism-trace-id")]
        preflight = gateway.call("OPTIONS", "/v1/chat/completions", headers=asking)
        assert preflight.status == 200 and preflight.header("access-control-allow-origin") == "https://app.example.com"
        assert "x-prism-trace-id" in preflight.header("access-control-allow-headers")
        answer = gateway.chat(ask(), [("origin", "https://app.example.com")])
        assert answer.header("access-control-allow-origin") == "https://app.example.com" and answer.header("access-control-expose-headers")
        assert gateway.chat(ask(), [("origin", "https://evil.example")]).header("access-control-allow-origin") is None
