# Generated from openapi.json. Do not edit.
"""The clients."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Mapping, Optional, Union

from ._async import AsyncClient, AsyncConnections
from ._base import DEFAULT_MAX_RETRIES
from ._call import Headers, TimeoutTypes
from ._omit import Omit, omit
from ._sync import Connections, SyncClient
from ._timeouts import Timeout

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from . import _async_resources as _a
    from . import _resources as _r


class Prism(SyncClient):
    """One OpenAI-compatible door in front of every LLM provider.

    Args:
        api_key: `sk-prism-…`, else the environment's `PRISM_API_KEY`. A gateway without keys needs none.
        base_url: Where the gateway is, with or without `/v1`; else `PRISM_BASE_URL`, else http://127.0.0.1:8080.
        control_plane_url: Where organisations are administered, else `PRISM_CONTROL_PLANE_URL`, else `base_url`.
        timeout: Seconds for a whole call, or a `Timeout`.
        max_retries: How often a call is repeated after 408, 409, 429, 5xx and connection errors.
        default_headers: Sent with every call; `create_headers` knows the gateway's.
        default_query: Sent with every call.
        http_client: Yours, with its proxies and certificates, instead of one of our own.
    """

    def __init__(
        self,
        *,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        control_plane_url: Optional[str] = None,
        timeout: TimeoutTypes = Timeout(),
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Optional[Headers] = None,
        default_query: Optional[Mapping[str, Any]] = None,
        http_client: Optional[httpx.Client] = None,
    ) -> None:
        super().__init__(
            api_key=api_key,
            base_url=base_url,
            control_plane_url=control_plane_url,
            default_base_url="http://127.0.0.1:8080",
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
        )
        self._connections = Connections(http_client)

    def copy(
        self,
        *,
        api_key: Union[str, None, Omit] = omit,
        base_url: Union[str, Omit] = omit,
        control_plane_url: Union[str, Omit] = omit,
        timeout: Union[TimeoutTypes, Omit] = omit,
        max_retries: Union[int, Omit] = omit,
        default_headers: Union[Headers, None, Omit] = omit,
        default_query: Union[Mapping[str, Any], None, Omit] = omit,
        http_client: Union[httpx.Client, Omit] = omit,
    ) -> Self:
        """A client with other settings and the same connections. Headers and query parameters are added."""
        changes = {
            "api_key": api_key,
            "base_url": base_url,
            "control_plane_url": control_plane_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "default_headers": default_headers,
            "default_query": default_query,
        }
        copy = type(self)(**self._settings(changes))
        copy._connections = self._connections if isinstance(http_client, Omit) else Connections(http_client)
        return copy

    with_options = copy

    @cached_property
    def chat(self) -> _r.Chat:
        from ._resources import Chat

        return Chat(self)

    @cached_property
    def completions(self) -> _r.Completions:
        from ._resources import Completions

        return Completions(self)

    @cached_property
    def embeddings(self) -> _r.Embeddings:
        from ._resources import Embeddings

        return Embeddings(self)

    @cached_property
    def health(self) -> _r.Health:
        from ._resources import Health

        return Health(self)

    @cached_property
    def keys(self) -> _r.Keys:
        from ._resources import Keys

        return Keys(self)

    @cached_property
    def limits(self) -> _r.Limits:
        from ._resources import Limits

        return Limits(self)

    @cached_property
    def models(self) -> _r.Models:
        from ._resources import Models

        return Models(self)

    @cached_property
    def org_configs(self) -> _r.OrgConfigs:
        from ._resources import OrgConfigs

        return OrgConfigs(self)

    @cached_property
    def provider_types(self) -> _r.ProviderTypes:
        from ._resources import ProviderTypes

        return ProviderTypes(self)

    @cached_property
    def providers(self) -> _r.Providers:
        from ._resources import Providers

        return Providers(self)

    @cached_property
    def rerank(self) -> _r.Rerank:
        from ._resources import Rerank

        return Rerank(self)

    @cached_property
    def route(self) -> _r.Route:
        from ._resources import Route

        return Route(self)

    @cached_property
    def routing(self) -> _r.Routing:
        from ._resources import Routing

        return Routing(self)

    @cached_property
    def usage(self) -> _r.Usage:
        from ._resources import Usage

        return Usage(self)


class AsyncPrism(AsyncClient):
    """One OpenAI-compatible door in front of every LLM provider.

    Args:
        api_key: `sk-prism-…`, else the environment's `PRISM_API_KEY`. A gateway without keys needs none.
        base_url: Where the gateway is, with or without `/v1`; else `PRISM_BASE_URL`, else http://127.0.0.1:8080.
        control_plane_url: Where organisations are administered, else `PRISM_CONTROL_PLANE_URL`, else `base_url`.
        timeout: Seconds for a whole call, or a `Timeout`.
        max_retries: How often a call is repeated after 408, 409, 429, 5xx and connection errors.
        default_headers: Sent with every call; `create_headers` knows the gateway's.
        default_query: Sent with every call.
        http_client: Yours, with its proxies and certificates, instead of one of our own.
    """

    def __init__(
        self,
        *,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        control_plane_url: Optional[str] = None,
        timeout: TimeoutTypes = Timeout(),
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Optional[Headers] = None,
        default_query: Optional[Mapping[str, Any]] = None,
        http_client: Optional[httpx.AsyncClient] = None,
    ) -> None:
        super().__init__(
            api_key=api_key,
            base_url=base_url,
            control_plane_url=control_plane_url,
            default_base_url="http://127.0.0.1:8080",
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
        )
        self._connections = AsyncConnections(http_client)

    def copy(
        self,
        *,
        api_key: Union[str, None, Omit] = omit,
        base_url: Union[str, Omit] = omit,
        control_plane_url: Union[str, Omit] = omit,
        timeout: Union[TimeoutTypes, Omit] = omit,
        max_retries: Union[int, Omit] = omit,
        default_headers: Union[Headers, None, Omit] = omit,
        default_query: Union[Mapping[str, Any], None, Omit] = omit,
        http_client: Union[httpx.AsyncClient, Omit] = omit,
    ) -> Self:
        """A client with other settings and the same connections. Headers and query parameters are added."""
        changes = {
            "api_key": api_key,
            "base_url": base_url,
            "control_plane_url": control_plane_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "default_headers": default_headers,
            "default_query": default_query,
        }
        copy = type(self)(**self._settings(changes))
        copy._connections = self._connections if isinstance(http_client, Omit) else AsyncConnections(http_client)
        return copy

    with_options = copy

    @cached_property
    def chat(self) -> _a.AsyncChat:
        from ._async_resources import AsyncChat

        return AsyncChat(self)

    @cached_property
    def completions(self) -> _a.AsyncCompletions:
        from ._async_resources import AsyncCompletions

        return AsyncCompletions(self)

    @cached_property
    def embeddings(self) -> _a.AsyncEmbeddings:
        from ._async_resources import AsyncEmbeddings

        return AsyncEmbeddings(self)

    @cached_property
    def health(self) -> _a.AsyncHealth:
        from ._async_resources import AsyncHealth

        return AsyncHealth(self)

    @cached_property
    def keys(self) -> _a.AsyncKeys:
        from ._async_resources import AsyncKeys

        return AsyncKeys(self)

    @cached_property
    def limits(self) -> _a.AsyncLimits:
        from ._async_resources import AsyncLimits

        return AsyncLimits(self)

    @cached_property
    def models(self) -> _a.AsyncModels:
        from ._async_resources import AsyncModels

        return AsyncModels(self)

    @cached_property
    def org_configs(self) -> _a.AsyncOrgConfigs:
        from ._async_resources import AsyncOrgConfigs

        return AsyncOrgConfigs(self)

    @cached_property
    def provider_types(self) -> _a.AsyncProviderTypes:
        from ._async_resources import AsyncProviderTypes

        return AsyncProviderTypes(self)

    @cached_property
    def providers(self) -> _a.AsyncProviders:
        from ._async_resources import AsyncProviders

        return AsyncProviders(self)

    @cached_property
    def rerank(self) -> _a.AsyncRerank:
        from ._async_resources import AsyncRerank

        return AsyncRerank(self)

    @cached_property
    def route(self) -> _a.AsyncRoute:
        from ._async_resources import AsyncRoute

        return AsyncRoute(self)

    @cached_property
    def routing(self) -> _a.AsyncRouting:
        from ._async_resources import AsyncRouting

        return AsyncRouting(self)

    @cached_property
    def usage(self) -> _a.AsyncUsage:
        from ._async_resources import AsyncUsage

        return AsyncUsage(self)
