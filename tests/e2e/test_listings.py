"""Model lists of providers that speak another format than OpenAI's, page by page and with their own credentials."""

from __future__ import annotations

import pytest

from support.gateway import Gateway
from support.upstream import json_reply
from support.waiting import eventually

PAGES = {
    "/v1/models": {"data": [{"id": "claude-a", "type": "model"}], "has_more": True, "first_id": "claude-a", "last_id": "claude-a"},
    "/v1/models?limit=1000&after_id=claude-a": {"data": [{"id": "claude-b", "type": "model"}], "has_more": False, "last_id": "claude-b"},
    "/v1beta/models": {"models": [{"name": "models/gemini-a", "supportedGenerationMethods": ["generateContent"]},
                                  {"name": "models/aqa", "supportedGenerationMethods": ["generateAnswer"]}], "nextPageToken": "p 2"},
    "/v1beta/models?pageSize=1000&pageToken=p%202": {"models": [{"name": "models/gemini-b", "supportedGenerationMethods": ["embedContent"]}]},
    "/inference-profiles?maxResults=1000": {"inferenceProfileSummaries": [
        {"inferenceProfileId": "us.anthropic.claude-a-v1:0", "status": "ACTIVE", "type": "SYSTEM_DEFINED"}], "nextToken": "t+/="},
    "/inference-profiles?maxResults=1000&nextToken=t%2B%2F%3D": {"inferenceProfileSummaries": [
        {"inferenceProfileId": "us.amazon.nova-a-v1:0", "status": "ACTIVE", "type": "SYSTEM_DEFINED"}]},
    "/foundation-models": {"modelSummaries": [
        {"modelId": "amazon.titan-embed-a", "inferenceTypesSupported": ["ON_DEMAND"]},
        {"modelId": "anthropic.claude-a-v1:0", "inferenceTypesSupported": ["INFERENCE_PROFILE"]}]},
}
PROVIDERS = {
    "anthropic": ({"api_key": "sk-up"}, ["claude-a", "claude-b"], ("x-api-key", "sk-up")),
    "gemini": ({"api_key": "sk-up"}, ["gemini-a", "gemini-b"], ("x-goog-api-key", "sk-up")),
    "bedrock": ({"region": "us-east-1", "access_key_id": "AKIA1", "secret_access_key": "shh"},
                ["us.anthropic.claude-a-v1:0", "us.amazon.nova-a-v1:0", "amazon.titan-embed-a"], ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA1/")),
}


async def listing(exchange) -> None:
    page = PAGES.get(exchange.request.path)
    await json_reply(page if page is not None else {"message": "no such page"}, 200 if page is not None else 404)(exchange)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_page_is_read(upstream, kind):
    about, models, (header, value) = PROVIDERS[kind]
    upstream.models = listing
    with Gateway({"providers": {kind: {**about, "base_url": upstream.origin, "discover": 60}}}) as gateway:
        def listed():
            return [one["id"] for one in gateway.get("/v1/models").json()["data"] if one["id"].startswith(f"{kind}/")]

        eventually(lambda: sorted(listed()) == sorted(f"{kind}/{model}" for model in models), 10, "the whole list")
    assert all(request.header(header).startswith(value) for request in upstream.listings)
    assert not upstream.requests


def test_one_of_bedrocks_lists_is_enough(upstream):
    """The credential may be allowed to read one of them only."""
    async def profiles(exchange) -> None:
        denied = json_reply({"message": "not authorized to perform bedrock:ListFoundationModels"}, 403)
        await (denied if exchange.request.path == "/foundation-models" else listing)(exchange)

    about, models, _ = PROVIDERS["bedrock"]
    upstream.models = profiles
    with Gateway({"providers": {"bedrock": {**about, "base_url": upstream.origin, "discover": 60}}}) as gateway:
        def listed():
            return {one["id"] for one in gateway.get("/v1/models").json()["data"] if one["id"].startswith("bedrock/")}

        eventually(lambda: listed() == {f"bedrock/{model}" for model in models[:2]}, 10, "the profiles")
