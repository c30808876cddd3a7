"""Every route of the document against everybody who may not use it: written once, over the document."""

from __future__ import annotations

import json
import re

import pytest

from support.gateway import REPO, Gateway
from support.http1 import Connection
from support.organisations import TOKEN, Office, bearer, control_plane
from support.ports import free_port

DOCUMENT = json.loads((REPO / "openapi/openapi.json").read_text())
SECRET = "sk-canary-routes-4471"
OPEN = [f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
        if operation.get("security") == [{}]]
ROUTES = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
          if f"{method.upper()} {path}" not in OPEN]
OF_ORGS = [(method, path) for method, path in ROUTES if path.startswith("/v1/orgs/{org_id}")]


@pytest.fixture(scope="module")
def gateway():
    with Gateway(control_plane(), key=TOKEN) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def keys(gateway):
    office = Office(gateway)
    for org in ("acme", "globex"):
        office.create(org, {"providers": {"house": {"base_url": "https://llm.example.com", "api_key": SECRET}}})
    made = {role: office.mint("acme", role, role=role) for role in ("viewer", "member", "admin", "owner")}
    made["expired"] = office.mint("acme", "expired", role="owner", expires_at="2020-01-01")
    made["disabled"] = office.mint("acme", "disabled", role="owner", disabled=True)
    made["foreign"] = office.mint("globex", "foreign", role="owner")
    made["deleted"] = office.mint("acme", "deleted", role="owner")
    assert office.keys("acme", "DELETE", then=f"/{made['deleted']['id']}").status == 200
    return {name: key["key"] for name, key in made.items()}


def call(gateway, method, path, headers):
    place = re.sub(r"{(\w+)}", lambda name: {"org_id": "acme", "provider": "house", "model": "m"}.get(name[1], "key_x"), path)
    body = {} if method in ("POST", "PUT", "PATCH") else None
    with Connection(gateway.port) as conn:
        conn.request(method, place, body, [*headers, ("if-match", "*")])
        reply = conn.reply()
    assert SECRET.encode() not in reply.body and b"house" not in reply.body
    return reply


@pytest.mark.parametrize("method, path", ROUTES)
def test_without_a_valid_credential_nothing_is_served(gateway, keys, method, path):
    wrong = [[], bearer("wrong"), bearer(TOKEN + "x"), bearer(TOKEN[:-1]), bearer("sk-prism-" + "x" * 43)]
    for headers in [*wrong, *(bearer(keys[name]) for name in ("expired", "disabled", "deleted"))]:
        reply = call(gateway, method, path, headers)
        assert reply.status == 401, (method, path, headers, reply.body)
        assert reply.error()["type"] == "authentication_error"


@pytest.mark.parametrize("method, path", OF_ORGS)
def test_another_organisations_owner_is_a_stranger(gateway, keys, method, path):
    reply = call(gateway, method, path, bearer(keys["foreign"]))
    assert (reply.status, reply.error()["code"]) == (403, "other_organisation")
    # and is told the same of an organisation that does not exist
    missing = call(gateway, method, path.replace("{org_id}", "nowhere"), bearer(keys["foreign"]))
    assert (missing.status, missing.body) == (reply.status, reply.body)


@pytest.mark.parametrize("method, path", OF_ORGS)
def test_a_role_that_is_too_weak_is_refused(gateway, keys, method, path):
    assert call(gateway, method, path, bearer(keys["member"])).error()["code"] == "role_not_allowed"
    if method != "GET":
        assert call(gateway, method, path, bearer(keys["viewer"])).error()["code"] == "role_not_allowed"


def test_the_admin_token_is_no_client_key(gateway):
    assert call(gateway, "POST", "/v1/chat/completions", bearer(TOKEN)).status == 401


def test_a_listener_of_its_own_takes_administration_off_the_other():
    port = free_port()
    config = control_plane(admin={"token": TOKEN, "listen": f"127.0.0.1:{port}"})
    with Gateway(config, key=TOKEN) as gateway:
        assert gateway.get("/v1/orgs").status == 404
        with Connection(port) as conn:
            conn.request("GET", "/v1/orgs", headers=bearer(TOKEN))
            assert conn.reply().status == 200
            conn.request("GET", "/v1/orgs")
            assert conn.reply().status == 401
            conn.request("POST", "/v1/chat/completions", {"model": "simulator/echo"}, bearer(TOKEN))
            assert conn.reply().status == 404
