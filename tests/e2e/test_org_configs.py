"""What organisations configure: versions, markers in the place of secrets, and nobody overwriting what they have not seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.gateway import Gateway, ask, run
from support.organisations import TOKEN, Office, bearer, control_plane
from support.upstream import completion, json_reply

SECRET = "sk-canary-of-acme-11"
RSA = Path(__file__).parents[2] / "gateway/src/transport/credentials/tests/rsa.pem"


@pytest.fixture(scope="module")
def gateway():
    with Gateway(control_plane(), key=TOKEN) as gateway:
        yield gateway


@pytest.fixture
def office(gateway):
    return Office(gateway)


@pytest.fixture
def org(request):
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]


def acme(**provider):
    return {"providers": {"acme": {"base_url": "https://llm.example.com/v1", "api_key": SECRET, "models": ["m"]} | provider}}


def test_a_configuration_is_made_read_changed_and_ended(office, org):
    made = office.create(org, acme())
    assert (made["org_id"], made["version"], made["updated_by"]) == (org, 1, "admin token")
    assert made["config"]["providers"]["acme"]["base_url"] == "https://llm.example.com/v1"
    assert office.config(org, "POST", acme()).status == 409
    read = office.config(org)
    assert read.json() == made and read.header("etag") == f'"{made["etag"]}"'

    patched = office.config(org, "PATCH", {"model_map": {"fast": "m"}, "providers": {"acme": {"weight": 3}}}).json()
    assert patched["version"] == 2 and patched["config"]["model_map"] == {"fast": "m"}
    assert patched["config"]["providers"]["acme"]["models"] == ["m"]
    gone = office.config(org, "PATCH", {"model_map": None}).json()
    assert "model_map" not in gone["config"]

    assert org in [one["org_id"] for one in office.call("GET", "/v1/orgs?limit=100").json()["data"]]
    assert office.config(org, "DELETE").json() == {"object": "org.config.deleted", "org_id": org, "deleted": True}
    assert office.config(org).status == 404
    assert office.create(org, acme())["version"] == 1, "an organisation that is made again begins anew"


def test_secrets_are_never_shown_and_sending_back_what_was_read_changes_none(office, org, gateway, upstream):
    upstream.always(json_reply(completion()))
    office.create(org, acme(base_url=upstream.base_url, headers={"x-team": "canary-header-12"}, discover=False))
    key = office.mint(org)["key"]
    read = office.config(org).json()
    provider = read["config"]["providers"]["acme"]
    for marker in (provider["api_key"], provider["headers"]["x-team"]):
        assert marker["set"] is True and marker["updated_at"].endswith("Z")
    assert SECRET.encode() not in office.config(org).body and b"canary" not in office.config(org).body

    replaced = office.config(org, "PUT", read["config"], if_match=read["etag"])
    assert replaced.status == 200, replaced.body
    assert replaced.json()["config"] == read["config"]
    assert gateway.chat(ask("m"), bearer(key)).status == 200
    assert upstream.last.header("authorization") == f"Bearer {SECRET}"
    assert upstream.last.header("x-team") == "canary-header-12"

    office.config(org, "PATCH", {"providers": {"acme": {"api_key": "sk-canary-second"}}})
    assert gateway.chat(ask("m"), bearer(key)).status == 200
    assert upstream.last.header("authorization") == "Bearer sk-canary-second"


def test_a_marker_without_its_id_keeps_the_secret_at_its_place(office, org):
    office.create(org, acme())
    reply = office.config(org, "PUT", acme(api_key={"set": True}, weight=5), if_match="*")
    assert reply.status == 200, reply.body
    assert office.config(org, "PUT", {"providers": {"other": {"base_url": "https://x.example.com", "api_key": {"set": True}}}},
                         if_match="*").error()["param"] == "providers.other.api_key"


def test_a_secret_does_not_move_to_another_provider(office, org):
    made = office.create(org, acme())
    marker = made["config"]["providers"]["acme"]["api_key"]
    thief = {"providers": {"thief": {"base_url": "https://thief.example.com", "api_key": marker}}}
    error = office.config(org, "PATCH", thief).error()
    assert error["param"] == "providers.thief.api_key" and "send it again" in error["message"]


def test_keys_of_a_list_are_told_apart_by_their_ids(office, org, gateway, upstream):
    upstream.always(json_reply(completion()))
    listed = {"providers": {"acme": {"base_url": upstream.base_url, "models": ["m"], "discover": False,
                                     "api_keys": [{"key": "sk-canary-first"}, {"key": "sk-canary-second"}]}}}
    first, second = office.create(org, listed)["config"]["providers"]["acme"]["api_keys"]
    office.config(org, "PATCH", {"providers": {"acme": {"api_keys": [second]}}})
    gateway.chat(ask("m"), bearer(office.mint(org)["key"]))
    assert upstream.last.header("authorization") == "Bearer sk-canary-second"


def test_all_mistakes_are_named_with_their_paths_and_nothing_changes(office, org):
    wrong = {"providers": {"acme": {"base_ulr": "https://x", "weight": "many"}, "openai": {"api_key": SECRET, "models": ["a", "a"]}},
             "routing": {"default_strategy": "fatest"}, "server": {"port": 1}}
    reply = office.config(org, "POST", wrong)
    error = reply.error()
    assert reply.status == 400 and error["code"] == "invalid_config"
    for path in ("providers.acme.base_ulr", "providers.acme.weight", "providers.openai.models[1]", "routing.default_strategy",
                 "`server`"):
        assert path in error["message"], error["message"]
    assert SECRET not in error["message"]
    judged = office.config(org, "POST", wrong, "/validate").json()
    assert judged["valid"] is False and "providers.acme.weight" in [mistake["path"] for mistake in judged["mistakes"]]
    assert office.config(org, "POST", acme(), "/validate").json() == {"valid": True, "mistakes": []}
    assert office.config(org).status == 404, "a validation makes nothing"


@pytest.mark.parametrize("provider, field", [
    ({"type": "bedrock", "region": "us-east-1"}, "access_key_id"),
    ({"type": "bedrock", "region": "us-east-1", "profile": "p"}, "profile"),
    ({"type": "vertexai", "project": "p", "location": "global"}, "service_account"),
    ({"type": "vertexai", "project": "p", "location": "global", "credentials_file": "/etc/passwd"}, "credentials_file"),
    ({"base_url": "https://x.example.com", "ca_file": "/etc/passwd"}, "ca_file"),
    ({"base_url": "https://x.example.com", "shared": True}, "shared"),
])
def test_the_gateways_own_identity_and_files_are_not_lent_out(office, org, provider, field):
    assert f"providers.x.{field}" in office.config(org, "POST", {"providers": {"x": provider}}).error()["message"]


def test_a_service_account_of_google_is_an_organisations_own_and_asks_nobody_but_google(office, org, gateway, upstream):
    key = {"type": "service_account", "project_id": "p1", "client_email": "canary-sa@p1.iam.gserviceaccount.com",
           "private_key": RSA.read_text(), "token_uri": f"{upstream.origin}/token"}
    vertex = {"type": "vertexai", "location": "us-central1", "service_account": json.dumps(key), "base_url": upstream.origin,
              "models": ["gemini-2.5-flash"]}
    refused = office.config(org, "POST", {"providers": {"v": vertex | {"allow_private": False}}})
    assert "providers.v.service_account" in refused.error()["message"] and "canary" not in refused.error()["message"]
    for wrong in ("{}", "no JSON", json.dumps(key | {"private_key": None}), json.dumps(key | {"type": "external_account"})):
        refused = office.config(org, "POST", {"providers": {"v": vertex | {"service_account": wrong}}})
        assert "providers.v.service_account" in refused.error()["message"], refused.body
    made = office.create(org, {"providers": {"v": vertex}})
    assert made["config"]["providers"]["v"]["service_account"]["set"] is True and "canary" not in json.dumps(made)

    answer = {"candidates": [{"content": {"role": "model", "parts": [{"text": "pong"}]}, "finishReason": "STOP", "index": 0}],
              "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}

    async def script(x):
        is_token = x.request.path == "/token"
        await json_reply({"access_token": "ya29.fresh", "expires_in": 3600, "token_type": "Bearer"} if is_token else answer)(x)

    upstream.always(script)
    reply = gateway.chat(ask("gemini-2.5-flash"), bearer(office.mint(org)["key"]))
    assert reply.status == 200, reply.body
    assert upstream.last.header("authorization") == "Bearer ya29.fresh" and "/projects/p1/locations/us-central1/" in upstream.last.path
    assert [one.path for one in upstream.requests].count("/token") == 1


def test_the_environment_of_the_gateway_is_not_read(office, org):
    reply = office.config(org, "POST", acme(api_key="${HOME}"))
    assert reply.status == 200, "a text like any other"


def test_nobody_overwrites_what_they_have_not_seen(office, org):
    first = office.create(org, acme())
    assert office.config(org, "PUT", acme()).status == 428
    second = office.config(org, "PATCH", {"model_map": {"a": "m"}}, if_match=f'"{first["etag"]}"').json()
    for method, body, then in (("PUT", acme(), ""), ("PATCH", {}, ""), ("DELETE", None, ""), ("POST", {"version": 1}, "/rollback")):
        reply = office.config(org, method, body, then, if_match=f'"{first["etag"]}"')
        assert (reply.status, reply.error()["code"]) == (412, "changed_meanwhile")
    assert office.config(org).json() == second


def test_versions_are_listed_compared_and_brought_back(office, org):
    office.create(org, acme())
    office.config(org, "PATCH", {"providers": {"acme": {"base_url": "https://other.example.com/v1"}}})
    office.config(org, "PATCH", {"providers": {"acme": {"api_key": "sk-canary-other"}}})
    versions = office.config(org, then="/versions").json()["data"]
    assert [(one["version"], one["action"]) for one in versions] == [(3, "update"), (2, "update"), (1, "create")]
    assert office.config(org, then="/diff?from_version=1&to_version=2").json()["changes"] == [
        {"path": "providers.acme.base_url", "before": "https://llm.example.com/v1", "after": "https://other.example.com/v1"}]
    last = office.config(org, then="/diff").json()
    assert (last["from"], last["to"]) == (2, 3) and b"canary" not in office.config(org, then="/diff").body
    back = office.config(org, "POST", {"version": 1}, "/rollback").json()
    assert back["version"] == 4 and back["config"]["providers"]["acme"]["base_url"] == "https://llm.example.com/v1"
    assert office.config(org, "POST", {"version": 99}, "/rollback").status == 404
    assert office.config(org, "POST", {"version": "x"}, "/rollback").status == 404


def test_the_files_organisation_is_configured_by_the_file(office):
    assert office.config("default").error()["code"] == "configured_by_file"


@pytest.mark.parametrize("name", ["a%20b", "a%2Fb", "..", "x" * 65, "a.b"])
def test_ids_are_plain_words(office, name):
    assert office.config(name, "POST", acme()).status in (400, 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b'{"providers": []}', b'{"providers": {"a": 1}}'])
def test_what_is_no_configuration_is_refused(office, org, body):
    reply = office.call("POST", f"/v1/orgs/{org}/config", body, content_type="application/json")
    assert reply.status == 400, reply.body


def test_lists_come_in_pages(office, org):
    for number in range(5):
        office.create(f"page-{number}", acme())
    seen, cursor = [], ""
    while cursor is not None:
        page = office.call("GET", f"/v1/orgs?limit=2&cursor={cursor}").json()
        seen += [one["org_id"] for one in page["data"]]
        cursor = page.get("next_cursor")
    assert seen == sorted(seen) and [f"page-{number}" for number in range(5)] == [one for one in seen if one.startswith("page-")]


def test_without_a_control_plane_there_are_no_organisations():
    with Gateway() as gateway:
        reply = gateway.get("/v1/orgs", bearer(TOKEN))
        assert (reply.status, reply.error()["code"]) == (404, "control_plane_off")
        assert not (gateway.folder / "data/prism.db").exists(), "nothing is opened that is not used"


def test_what_is_kept_survives_a_restart_and_is_sealed(upstream):
    upstream.always(json_reply(completion()))
    with Gateway(control_plane(), key=TOKEN) as gateway:
        office = Office(gateway)
        office.create("acme", acme(base_url=upstream.base_url, discover=False))
        key = office.mint("acme")["key"]
        gateway.stop()
        data = gateway.folder / "data"
        assert {"prism.db", "master.key", "owner.key"} <= {path.name for path in data.iterdir()}
        for path in (path for path in data.rglob("*") if path.is_file()):
            assert path.parent != data or path.stat().st_mode & 0o077 == 0, path
            if path.name != "owner.key":
                text = path.read_bytes()
                assert SECRET.encode() not in text and key.encode() not in text and b"canary" not in text, path
        gateway.start()
        assert gateway.chat(ask("m"), bearer(key)).status == 200
        assert upstream.last.header("authorization") == f"Bearer {SECRET}"
        gateway.stop()
        (data / "master.key").unlink()
        lost = run("--config", str(gateway.config_file), "--port", "0", cwd=gateway.folder)
        assert lost.returncode != 0 and "master key is not there" in lost.stderr, lost.stderr


def test_the_owners_key_is_printed_once_and_administers():
    with Gateway(args=["--control-plane"]) as gateway:
        owner = (gateway.folder / "data" / "owner.key").read_text().strip()
        assert owner.startswith("sk-prism-") and gateway.stderr.count(owner) == 1
        assert owner not in gateway.stdout, "the log never has it"
        assert Office(gateway, owner).config("acme", "POST", acme()).status == 200
        assert gateway.chat(ask("simulator/echo"), bearer(owner)).status == 200
        assert gateway.chat(ask("simulator/echo")).status == 401, "where there are keys, everybody needs one"
        gateway.stop()
        gateway.start()
        assert owner not in gateway.output
        assert Office(gateway, owner).config("acme").status == 200
