"""A gateway with organisations, administered over its own API."""

from __future__ import annotations

from .gateway import Gateway
from .http1 import Reply

TOKEN = "admin-canary-token-93b1f0"


def control_plane(config: dict | None = None, **rest) -> dict:
    """A configuration with organisations on, whose providers may be on this machine."""
    base = {"control_plane": {"allow_private": True}, "admin": {"token": TOKEN},
            "providers": {"simulator": {"type": "simulator"}}, "logging": {"level": "debug"}}
    return base | (config or {}) | rest


def bearer(key: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key}")]


class Office:
    """`gateway` seen by somebody with a key, by default the admin token."""

    def __init__(self, gateway: Gateway, key: str = TOKEN, port: int | None = None):
        self.gateway, self.headers = gateway, bearer(key)

    def call(self, method: str, path: str, body: dict | bytes | None = None, **headers: str) -> Reply:
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.gateway.call(method, path, body, [*self.headers, *named])

    def config(self, org: str, method: str = "GET", body: dict | None = None, then: str = "", **headers: str) -> Reply:
        return self.call(method, f"/v1/orgs/{org}/config{then}", body, **headers)

    def keys(self, org: str, method: str = "GET", body: dict | None = None, then: str = "") -> Reply:
        return self.call(method, f"/v1/orgs/{org}/keys{then}", body)

    def create(self, org: str, config: dict) -> dict:
        reply = self.config(org, "POST", config)
        assert reply.status == 200, reply.body
        return reply.json()

    def mint(self, org: str, name: str = "app", **fields) -> dict:
        """A new key; the key itself is in `key`."""
        reply = self.keys(org, "POST", {"name": name} | fields)
        assert reply.status == 200, reply.body
        return reply.json()
