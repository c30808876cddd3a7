"""Where settings come from, and what goes over the wire because of them."""

from __future__ import annotations

import json

import httpx
import openai
import prism
import pytest
from asking import MESSAGES, chat
from conftest import REPO
from scripted import Scripted, answer


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_the_url_with_or_without_version(gateway, ending):
    assert prism.Prism(base_url=gateway.url + ending).health.live().status == "alive"


def test_settings_from_the_environment(monkeypatch):
    monkeypatch.setenv("PRISM_API_KEY", "sk-env")
    monkeypatch.setenv("PRISM_BASE_URL", "http://gateway/v1")
    client = prism.Prism()
    assert (client.api_key, client.base_url, client.control_plane_url) == ("sk-env", "http://gateway", "http://gateway")
    monkeypatch.setenv("PRISM_CONTROL_PLANE_URL", "http://control")
    assert prism.Prism(api_key="sk-mine").control_plane_url == "http://control"
    assert prism.Prism(api_key="sk-mine").api_key == "sk-mine"


def test_what_is_sent():
    with Scripted(answer()) as server:
        client = prism.Prism(
            api_key="sk-1", base_url=server.url, default_headers={"X-A": "1", "X-B": "1"}, default_query={"q": "1"}
        )
        client.chat.completions.create(
            model="m",
            messages=MESSAGES,
            stop=None,
            logit_bias={"1": 5},
            extra_headers={"x-a": "2", "x-b": None},
            extra_query={"r": [1, 2]},
            extra_body={"mood": "good", "model": "other"},
        )
    (request,) = server.requests
    assert request.path == "/v1/chat/completions?q=1&r=1&r=2"
    assert request.headers["authorization"] == "Bearer sk-1" and request.headers["content-type"] == "application/json"
    assert request.headers["x-a"] == "2" and "x-b" not in request.headers
    assert request.headers["user-agent"] == f"prism-python/{prism.__version__}"
    expected = {"model": "other", "messages": MESSAGES, "logit_bias": {"1": 5}, "stop": None, "mood": "good"}
    assert request.json == expected


def test_without_a_key_none_is_sent():
    with Scripted(answer()) as server:
        chat(prism.Prism(base_url=server.url))
        chat(prism.Prism(api_key="sk-1", base_url=server.url), extra_headers={"Authorization": None})
        chat(prism.Prism(api_key="sk-1", base_url=server.url), extra_headers=prism.create_headers(api_key="sk-2"))
    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, None, "Bearer sk-2"]


def test_with_options_shares_connections_and_adds_headers():
    with Scripted(answer()) as server:
        client = prism.Prism(base_url=server.url, api_key="sk-1", default_headers={"x-a": "1"})
        chat(client)
        other = client.with_options(default_headers={"x-b": "2"}, max_retries=7, timeout=3)
        chat(other)
    assert (other.max_retries, other.timeout.total, client.max_retries) == (7, 3, 2)
    first, second = server.requests
    assert first.connection == second.connection
    assert (second.headers["x-a"], second.headers["x-b"], second.headers["authorization"]) == ("1", "2", "Bearer sk-1")
    assert "x-b" not in first.headers


def test_your_own_http_client():
    with Scripted(answer()) as server:
        with httpx.Client(headers={"x-mine": "1"}) as http:
            chat(prism.Prism(base_url=server.url, http_client=http))
        assert server.requests[0].headers["x-mine"] == "1"


def test_text_that_json_finds_hard():
    hard = "\u2028 \ud83d\ude00 \ud800 \x00 é".encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    with Scripted(answer()) as server:
        prism.Prism(base_url=server.url).chat.completions.create(
            model=hard, messages=({"role": "user", "content": "x"},)
        )
        assert server.requests[0].json["model"] == hard
        with pytest.raises(ValueError):
            prism.Prism(base_url=server.url).chat.completions.create(model="m", messages=[], temperature=float("nan"))


def test_create_headers():
    config = prism.GatewayConfig(retry={"max_retries": 1}, model_fallbacks=["é"])
    headers = prism.create_headers(
        trace_id="t", metadata={"a": 1, "b": "é"}, properties={"tier": "gold"}, strict=True, cache_ttl=60, config=config
    )
    assert headers.pop("x-prism-metadata") == '{"a":1,"b":"\\u00e9"}'
    assert json.loads(headers["x-prism-config"]) == {"retry": {"max_retries": 1}, "model_fallbacks": ["é"]}
    assert {"x-prism-config": headers.pop("x-prism-config")} == config.to_headers()
    assert headers == {
        "x-prism-trace-id": "t",
        "x-prism-property-tier": "gold",
        "x-prism-strict": "true",
        "x-prism-cache-ttl": "60",
    }
    with pytest.raises(ValueError, match="must be one line"):
        prism.create_headers(user_id="a\r\nx-evil: 1")


def test_the_gateway_knows_every_member_of_a_configuration(client):
    config = prism.GatewayConfig(
        strategy="round-robin",
        targets=[{"provider": "simulator", "model_override": "echo"}],
        failover={"max_attempts": 1},
        retry={"max_retries": 0},
        timeouts={"request_timeout_ms": 5000},
        model_fallbacks=[],
    )
    assert chat(client, extra_headers=config.to_headers()).id
    assert chat(client.with_options(default_headers=prism.create_headers(config={"providers": ["simulator"]}))).id
    with pytest.raises(prism.BadRequestError, match="max_retries"):
        chat(client, extra_headers=prism.create_headers(config={"retry": {"max_retries": "é"}}))


def test_create_headers_knows_every_header_of_the_document():
    document = json.loads((REPO / "openapi/openapi.json").read_text())
    operations = (operation for item in document["paths"].values() for operation in item.values())
    parameters = (parameter for operation in operations for parameter in operation.get("parameters", []))
    names = {parameter["name"].lower() for parameter in parameters if parameter["in"] == "header"}
    for name in names:
        argument = name.removeprefix("x-prism-").replace("-", "_")
        assert list(prism.create_headers(**{argument: 1})) == [name]


def test_create_headers_with_openais_sdk(gateway):
    client = openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="unused", default_headers=prism.create_headers(trace_id="t-9")
    )
    raw = client.chat.completions.with_raw_response.create(model="simulator/echo", messages=MESSAGES)
    assert prism.PrismMeta(raw.headers).trace_id == "t-9"


def test_translation_and_numbers_of_prism():
    headers = {
        "x-prism-translation": "logit_bias=dropped, messages[].name=approximated",
        "x-prism-cost": "0.00012",
        "x-prism-attempts": "two",
        "x-prism-cache": "hit",
        "x-ratelimit-remaining-tokens": "12",
    }
    meta = prism.PrismMeta(headers)
    assert meta.translation == {"logit_bias": "dropped", "messages[].name": "approximated"}
    assert (meta.cost, meta.attempts, meta.cache, meta.rate_limit.remaining_tokens) == (0.00012, None, "hit", 12)
