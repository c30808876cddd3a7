"""Every operation of the control plane through both clients; and the sample of the README as it is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import prism
import pytest
from asking import chat, with_async
from prism import types
from support.gateway import Gateway

SIMULATED = {"providers": {"house": {"type": "simulator"}}, "model_map": {"fast": "echo"}}
POLICY = {"name": "gold", "condition": {"metadata.tier": "gold"}, "action": {"provider": "house"}}

# What is called, with an organisation of its own and a key in it; and what comes back.
CALLS: dict[str, tuple[Callable[[str, str], dict[str, Any]], Any]] = {
    "org_configs.list": (lambda org, key: {}, prism.SyncPage),
    "org_configs.create": (lambda org, key: dict(org_id=f"{org}-new", config=SIMULATED), types.OrgConfig),
    "org_configs.retrieve": (lambda org, key: dict(org_id=org), types.OrgConfig),
    "org_configs.replace": (lambda org, key: dict(org_id=org, config=SIMULATED, if_match="*"), types.OrgConfig),
    "org_configs.update": (lambda org, key: dict(org_id=org, config={"model_map": {"slow": "lorem"}}), types.OrgConfig),
    "org_configs.delete": (lambda org, key: dict(org_id=org), types.OrgConfigDeleted),
    "org_configs.versions": (lambda org, key: dict(org_id=org), types.OrgConfigVersions),
    "org_configs.diff": (lambda org, key: dict(org_id=org), types.OrgConfigDiff),
    "org_configs.rollback": (lambda org, key: dict(org_id=org, version=1), types.OrgConfig),
    "org_configs.validate": (lambda org, key: dict(org_id=org, config=SIMULATED), types.OrgConfigValidation),
    "keys.create": (lambda org, key: dict(org_id=org, name="another"), types.VirtualKey),
    "keys.list": (lambda org, key: dict(org_id=org), prism.SyncPage),
    "keys.retrieve": (lambda org, key: dict(org_id=org, key_id=key), types.VirtualKey),
    "keys.update": (lambda org, key: dict(org_id=org, key_id=key, models=["echo"]), types.VirtualKey),
    "keys.rotate": (lambda org, key: dict(org_id=org, key_id=key, overlap_seconds=60), types.VirtualKey),
    "keys.delete": (lambda org, key: dict(org_id=org, key_id=key), types.VirtualKeyDeleted),
    "routing.list": (lambda org, key: dict(org_id=org), types.RoutingPolicyList),
    "routing.create": (lambda org, key: dict(org_id=org, **{**POLICY, "name": "silver"}), types.RoutingPolicy),
    "routing.update": (lambda org, key: dict(org_id=org, name="gold", priority=3), types.RoutingPolicy),
    "routing.delete": (lambda org, key: dict(org_id=org, name="gold"), types.RoutingPolicyDeleted),
    "provider_types.list": (lambda org, key: {}, types.ProviderTypeList),
    "providers.list": (lambda org, key: dict(org_id=org), types.OrgProviderList),
    "providers.test": (lambda org, key: dict(org_id=org, provider="house"), types.ProviderTestResult),
}


@pytest.fixture(scope="module")
def owner() -> Iterator[tuple[Gateway, str]]:
    """A gateway with organisations, and its owner's key."""
    with Gateway(args=["--control-plane"]) as gateway:
        yield gateway, (gateway.folder / "data/owner.key").read_text().strip()


@pytest.fixture
def office(owner: tuple[Gateway, str]) -> Iterator[prism.Prism]:
    gateway, key = owner
    with prism.Prism(api_key=key, base_url=gateway.url, control_plane_url=gateway.url, max_retries=0) as client:
        yield client


def method(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, part)
    return client


def furnish(office: prism.Prism, org: str) -> str:
    """An organisation with two versions, a policy and a key, whose id is the answer."""
    office.org_configs.create(org_id=org, config=SIMULATED)
    office.routing.create(org_id=org, **POLICY)
    return office.keys.create(org_id=org, name="app").id


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_answers_with_its_type(office: prism.Prism, name: str) -> None:
    org = f"sync-{name.replace('.', '-')}"
    arguments, kind = CALLS[name]
    answer = method(office, name)(**arguments(org, furnish(office, org)))
    assert type(answer) is kind
    if isinstance(answer, prism.BaseModel):
        assert answer.to_dict() == json.loads(answer.to_json())


@pytest.mark.parametrize("name", CALLS)
def test_an_async_operation_answers_with_its_type(office: prism.Prism, owner: tuple[Gateway, str], name: str) -> None:
    org = f"async-{name.replace('.', '-')}"
    arguments, kind = CALLS[name]
    given = arguments(org, furnish(office, org))
    answer = with_async(owner[0].url, lambda client: method(client, name)(**given), api_key=owner[1])
    assert type(answer) is (prism.AsyncPage if kind is prism.SyncPage else kind)


def test_the_sample(owner: tuple[Gateway, str]) -> None:
    gateway, key = owner
    client = prism.Prism(api_key=key, base_url=gateway.url, control_plane_url=gateway.url)
    made = client.org_configs.create(
        org_id="acme",
        config={"providers": {"openai": {"api_key": "sk-canary", "api_format": "openai", "models": ["gpt-4o"]},
                              "local": {"base_url": "http://localhost:11434", "models": ["llama"]},
                              "simulator": {}}},
    )
    assert made.config.providers is not None and made.config.providers["openai"]["api_key"]["set"] is True
    app = client.keys.create(org_id="acme", name="search", models=["echo", "gpt-*"], budget={"limit": 50})
    assert app.key is not None and app.budget is not None and (app.budget.limit, app.budget.period) == (50, None)
    theirs = prism.Prism(api_key=app.key, base_url=gateway.url)
    assert chat(theirs, "simulator/echo").choices[0].message.content == "one two three"
    assert {model.id for model in theirs.models.list().data} == {"openai/gpt-4o", "simulator/echo"}
    with pytest.raises(prism.PermissionDeniedError):
        theirs.org_configs.retrieve(org_id="acme")
    assert [one.org_id for one in client.org_configs.list(limit=1)][:1] == ["acme"]
    with pytest.raises(prism.BadRequestError, match="providers.openai.api_kye"):
        client.org_configs.update(org_id="acme", config={"providers": {"openai": {"api_kye": "x"}}})
    with pytest.raises(prism.NotFoundError):
        client.org_configs.retrieve(org_id="nobody")
