"""Client keys of organisations: shown once, found by a hash, and gone at once."""

from __future__ import annotations

import time

import pytest

from support.gateway import Gateway, ask
from support.organisations import TOKEN, Office, bearer, control_plane
from support.upstream import completion, json_reply
from support.waiting import eventually


@pytest.fixture(scope="module")
def gateway():
    with Gateway(control_plane(), key=TOKEN) as gateway:
        yield gateway


@pytest.fixture
def office(gateway):
    return Office(gateway)


@pytest.fixture
def org(request, office, upstream, second):
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]
    for one in (upstream, second):
        one.always(json_reply(completion()))
    office.create(name, {"providers": {
        "one": {"base_url": upstream.base_url, "models": ["large", "small"], "discover": False},
        "two": {"base_url": second.base_url, "models": ["other"], "discover": False}}})
    return name


def status(gateway, key, model="large"):
    return gateway.chat(ask(model), bearer(key)).status


def test_a_key_is_shown_once_and_opens(gateway, office, org):
    made = office.mint(org)
    key = made.pop("key")
    assert key.startswith("sk-prism-") and key.startswith(made["prefix"]) and len(key) > 50
    assert made["role"] == "member" and made["disabled"] is False
    assert status(gateway, key) == 200
    assert office.keys(org).json()["data"] == [made]
    assert office.keys(org, then=f"/{made['id']}").json() == made
    assert office.keys(org, "POST", {"name": "app"}).error()["code"] == "name_taken"


@pytest.mark.parametrize("fields, param", [
    ({}, "name"), ({"name": ""}, "name"), ({"name": "a", "modles": []}, "modles"), ({"name": "a", "role": "king"}, "role"),
    ({"name": "a", "allowed_ips": ["x"]}, "allowed_ips[0]"), ({"name": "a", "expires_at": "soon"}, "expires_at"),
    ({"name": "a", "models": [""]}, "models[0]"), ({"name": "a", "key": "sk-mine"}, "key"), ({"name": "a", "disabled": 1}, "disabled"),
])
def test_a_wrong_description_is_refused_with_its_path(office, org, fields, param):
    reply = office.keys(org, "POST", fields)
    assert (reply.status, reply.error()["param"]) == (400, param)


def test_what_a_key_may_use(gateway, office, org):
    key = office.mint(org, models=["l*"], providers=["one", "two"])["key"]
    assert (status(gateway, key), status(gateway, key, "small"), status(gateway, key, "other")) == (200, 403, 403)
    listed = gateway.get("/v1/models", bearer(key)).json()["data"]
    assert [model["id"] for model in listed] == ["one/large"], "a key sees exactly what it may call"
    elsewhere = office.mint(org, "elsewhere", allowed_ips=["10.0.0.0/8"])["key"]
    assert gateway.chat(ask("large"), bearer(elsewhere)).error()["code"] == "ip_not_allowed"
    provider = office.mint(org, "provider", providers=["two"])["key"]
    assert (status(gateway, provider), status(gateway, provider, "other")) == (403, 200)


def test_changes_hold_from_the_next_request_on(gateway, office, org):
    made = office.mint(org)
    path = f"/{made['id']}"
    for change, expected in (({"disabled": True}, 401), ({"disabled": False}, 200), ({"models": ["small"]}, 403), ({"models": None}, 200),
                             ({"expires_at": "2020-01-01"}, 401), ({"expires_at": None, "role": "viewer"}, 403), ({"role": "member"}, 200)):
        assert office.keys(org, "PATCH", change, path).status == 200, change
        assert status(gateway, made["key"]) == expected, change
    assert office.keys(org, "DELETE", then=path).json()["deleted"] is True
    assert status(gateway, made["key"]) == 401
    assert office.keys(org, then=path).status == 404


def test_a_rotated_key_works_beside_the_new_one_for_as_long_as_was_asked(gateway, office, org):
    made = office.mint(org)
    rotated = office.keys(org, "POST", {"overlap_seconds": 2}, f"/{made['id']}/rotate").json()
    assert rotated["key"] != made["key"] and rotated["overlap_until"]
    assert status(gateway, made["key"]) == status(gateway, rotated["key"]) == 200
    eventually(lambda: status(gateway, made["key"]) == 401, timeout=10)
    assert status(gateway, rotated["key"]) == 200
    again = office.keys(org, "POST", {}, f"/{made['id']}/rotate").json()
    assert (status(gateway, rotated["key"]), status(gateway, again["key"])) == (401, 200)
    assert office.keys(org, "POST", {"overlap_seconds": 10**9}, f"/{made['id']}/rotate").status == 400


def test_roles(gateway, office, org):
    keys = {role: office.mint(org, role, role=role) for role in ("viewer", "member", "admin", "owner")}
    calls = {role: status(gateway, key["key"]) for role, key in keys.items()}
    assert calls == {"viewer": 403, "member": 200, "admin": 200, "owner": 200}
    as_role = {role: Office(gateway, key["key"]) for role, key in keys.items()}
    reads = {role: one.config(org).status for role, one in as_role.items()}
    assert reads == {"viewer": 200, "member": 403, "admin": 200, "owner": 200}
    writes = {role: one.config(org, "PATCH", {"model_map": {"fast": "large"}}).status for role, one in as_role.items()}
    assert writes == {"viewer": 403, "member": 403, "admin": 200, "owner": 200}
    assert as_role["admin"].keys(org, "POST", {"name": "weaker"}).status == 200
    assert as_role["admin"].keys(org, "POST", {"name": "as strong", "role": "admin"}).status == 403
    assert as_role["admin"].keys(org, "DELETE", then=f"/{keys['owner']['id']}").status == 403
    assert as_role["admin"].keys(org, "PATCH", {"role": "owner"}, f"/{keys['member']['id']}").status == 403
    assert as_role["owner"].keys(org, "POST", {"name": "strong", "role": "owner"}).status == 200
    assert as_role["admin"].config(org, "DELETE").status == 403
    assert as_role["owner"].config(org, "DELETE").status == 200
    assert {role: status(gateway, key["key"]) for role, key in keys.items()} == dict.fromkeys(keys, 401)


def test_keys_of_the_files_organisation_use_its_providers(gateway, office):
    key = office.mint("default", models=["simulator/*"])["key"]
    assert status(gateway, key, "simulator/echo") == 200
    assert Office(gateway, key).call("GET", "/v1/orgs").status == 403


def test_a_key_of_no_organisation_cannot_be_made(office):
    assert office.keys("nowhere", "POST", {"name": "a"}).error()["code"] == "organisation_not_found"


def test_another_process_on_the_same_store_is_followed(gateway, office, org):
    """Two gateways on one machine share a store: what one revokes, the other refuses within a second."""
    made = office.mint(org)
    config = control_plane(store={"path": str(gateway.folder / "data")})
    with Gateway(config, key=TOKEN) as other:
        assert status(other, made["key"]) == 200
        late = office.mint(org, "late")
        eventually(lambda: status(other, late["key"]) == 200, timeout=10)
        began = time.monotonic()
        office.keys(org, "DELETE", then=f"/{made['id']}")
        eventually(lambda: status(other, made["key"]) == 401, timeout=10)
        print(f"revoked elsewhere after {time.monotonic() - began:.2f} s")
        Office(other).config(org, "PATCH", {"model_map": {"fast": "large"}})
        eventually(lambda: status(gateway, late["key"], "fast") == 200, timeout=10)
