# Generated from openapi.json. Do not edit.
"""What the gateway answers."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, Union

from pydantic import Field
from typing_extensions import TypeAlias

from .._models import BaseModel

__all__ = [
    "Annotation",
    "AttemptKind",
    "AttemptOutcome",
    "AudioDelta",
    "Availability",
    "AvailabilityWindow",
    "BreakerHealth",
    "BreakerPhase",
    "BreakerTransition",
    "BudgetPeriod",
    "BudgetStanding",
    "CandidateReadiness",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatRole",
    "Choice",
    "ChunkChoice",
    "Completion",
    "CompletionChoice",
    "CompletionLogprobs",
    "CompletionTokensDetails",
    "ConcurrencyStanding",
    "CredentialHealth",
    "CredentialStatus",
    "CustomCall",
    "CustomCallDelta",
    "CustomToolCall",
    "Delta",
    "DiscoveryHealth",
    "Embedding",
    "EmbeddingResponse",
    "EmbeddingUsage",
    "EmbeddingVector",
    "ErrorBody",
    "ErrorEnvelope",
    "EventTokens",
    "FinishReason",
    "FunctionCall",
    "FunctionCallDelta",
    "FunctionToolCall",
    "KeyBudget",
    "KeyRole",
    "LimitScope",
    "LimitUnit",
    "Limits",
    "Liveness",
    "LivenessStatus",
    "Logprobs",
    "ModelInfo",
    "ModelList",
    "ModeratedInputType",
    "ModerationErrorOutcome",
    "ModerationFinding",
    "ModerationOutcome",
    "ModerationReport",
    "ModerationResultsOutcome",
    "OrgConfig",
    "OrgConfigAction",
    "OrgConfigChange",
    "OrgConfigDeleted",
    "OrgConfigDiff",
    "OrgConfigDocument",
    "OrgConfigMistake",
    "OrgConfigValidation",
    "OrgConfigVersion",
    "OrgConfigVersions",
    "OrgList",
    "OrgProvider",
    "OrgProviderList",
    "OrgSummary",
    "PromptTokensDetails",
    "ProviderError",
    "ProviderHealth",
    "ProviderState",
    "ProviderTestResult",
    "ProviderTypeField",
    "ProviderTypeInfo",
    "ProviderTypeList",
    "ProvidersHealth",
    "Quantiles",
    "QuotaHealth",
    "QuotaLevel",
    "RateStanding",
    "Readiness",
    "ReadinessStatus",
    "RerankBilledUnits",
    "RerankDocument",
    "RerankDocumentObject",
    "RerankMeta",
    "RerankResponse",
    "RerankResult",
    "RerankUsage",
    "ResponseAudio",
    "ResponseMessage",
    "RouteAttempt",
    "RouteCandidate",
    "RouteDecision",
    "RouteExplanation",
    "RouteFallback",
    "RouteMirror",
    "RoutePassedOver",
    "RoutePlace",
    "RouteSource",
    "RoutingPolicy",
    "RoutingPolicyDeleted",
    "RoutingPolicyList",
    "ServiceTier",
    "StateChange",
    "TokenLogprob",
    "ToolCall",
    "ToolCallDelta",
    "ToolType",
    "TopLogprob",
    "UrlCitation",
    "Usage",
    "UsageFreshness",
    "UsageQuantiles",
    "UsageReport",
    "UsageRow",
    "VirtualKey",
    "VirtualKeyDeleted",
    "VirtualKeyList",
]


class Annotation(BaseModel):
    """A note on a stretch of the answer."""

    url_citation: UrlCitation
    """The page that a stretch of the answer is from."""
    type: Literal["url_citation"]


AttemptKind: TypeAlias = Union[Literal["first", "failover", "next_key", "retry", "hedge"], str]
"""Why an attempt was made."""


AttemptOutcome: TypeAlias = Union[Literal["answered", "failed", "outrun", "abandoned"], str]
"""How an attempt ended."""


class AudioDelta(BaseModel):
    """A piece of a spoken answer. The last one holds only `expires_at`."""

    id: Optional[str] = None
    """To refer to it in a later request."""
    data: Optional[str] = None
    """Base64, in the format that was asked for."""
    expires_at: Optional[int] = None
    """Until when it can be referred to, in seconds since 1970."""
    transcript: Optional[str] = None
    """What is said."""


class Availability(BaseModel):
    """How a provider's requests ended, over several stretches of time."""

    minute: AvailabilityWindow
    """The last minute."""
    five_minutes: AvailabilityWindow
    """The last five minutes."""
    hour: AvailabilityWindow
    """The last hour."""


class AvailabilityWindow(BaseModel):
    """How the requests of a stretch of time ended. What speaks against no provider (a caller's mistake, a
    quota) is not counted."""

    requests: int
    failures: int
    availability: Optional[float] = None
    """The share that succeeded, from 0 to 1; absent without requests."""
    error_rate: Optional[float] = None
    """The share that failed, from 0 to 1; absent without requests."""


class BreakerHealth(BaseModel):
    """A provider's circuit breaker."""

    state: BreakerPhase
    """Where a circuit breaker stands."""
    until: Optional[str] = None
    """Until when it is open at the latest, RFC 3339."""
    share: float
    """The share of requests that pass freely, from 0 to 1."""
    history: List[BreakerTransition]
    """Its last transitions, oldest first."""


BreakerPhase: TypeAlias = Union[Literal["closed", "ramping", "half_open", "open"], str]
"""Where a circuit breaker stands."""


class BreakerTransition(BaseModel):
    """A circuit breaker went from one state to another."""

    at: str
    """RFC 3339."""
    from_state: BreakerPhase
    """Where a circuit breaker stands."""
    to_state: BreakerPhase
    """Where a circuit breaker stands."""
    reason: str
    """Why, in words."""


BudgetPeriod: TypeAlias = Union[Literal["daily", "weekly", "monthly", "total"], str]
"""When a budget begins anew, in UTC."""


class BudgetStanding(BaseModel):
    """One budget; amounts are US dollars as plain decimals."""

    scope: LimitScope
    """Who is limited."""
    name: str
    """Of the organisation, key or user."""
    period: BudgetPeriod
    """When a budget begins anew, in UTC."""
    limit: str
    spent: str
    reserved: str
    """For requests in progress."""
    hard: bool
    """Whether requests beyond it are refused."""
    resets_at: Optional[str] = None
    """When it begins anew; absent where it never does."""


CandidateReadiness: TypeAlias = Union[Literal["ready", "reluctant", "low", "out"], str]
"""How gladly a candidate is asked."""


class ChatCompletion(BaseModel):
    """The model's answer."""

    id: str
    """Identifies the answer."""
    object: Literal["chat.completion"]
    """Always `chat.completion`."""
    created: int
    """When the answer was made, in seconds since 1970."""
    model: str
    """The model that answered."""
    choices: List[Choice]
    """`n` of them."""
    usage: Optional[Usage] = None
    """What the answer took."""
    service_tier: Optional[ServiceTier] = None
    """How the request was processed."""
    system_fingerprint: Optional[str] = None
    """The state of the provider's backend, to compare with `seed` in mind."""
    metadata: Optional[Dict[str, str]] = None
    """The request's `metadata`, where the answer was stored."""
    moderation: Optional[ModerationReport] = None
    """What the moderation model found, where one was asked for."""


class ChatCompletionChunk(BaseModel):
    """One event of a streamed answer. The stream ends with the event `[DONE]`."""

    id: str
    """Identifies the answer; the same in all events."""
    object: Literal["chat.completion.chunk"]
    """Always `chat.completion.chunk`."""
    created: int
    """When the answer was begun, in seconds since 1970; the same in all events."""
    model: str
    """The model that answers."""
    service_tier: Optional[ServiceTier] = None
    """How the request is processed."""
    system_fingerprint: Optional[str] = None
    """The state of the provider's backend, to compare with `seed` in mind."""
    choices: List[ChunkChoice]
    """Pieces of one or several answers. Empty in the event that carries the usage."""
    usage: Optional[Usage] = None
    """What the answer took. Only with `stream_options.include_usage`: `null` but for the last event."""
    moderation: Optional[ModerationReport] = None
    """What the moderation model found, where one was asked for; in an event of its own."""
    obfuscation: Optional[str] = None
    """Padding that hides the length of tokens from those who watch the line."""


ChatRole: TypeAlias = Union[Literal["developer", "system", "user", "assistant", "tool"], str]
"""Whose message it is."""


class Choice(BaseModel):
    """One of the answers."""

    index: int
    message: ResponseMessage
    """What the model said."""
    logprobs: Optional[Logprobs] = None
    """Log probabilities."""
    finish_reason: FinishReason
    """Why the answer ended."""


class ChunkChoice(BaseModel):
    """A piece of one of the answers."""

    index: int
    delta: Delta
    """What is new: texts are appended to those before them."""
    logprobs: Optional[Logprobs] = None
    """Log probabilities."""
    finish_reason: Optional[FinishReason] = None
    """Why the answer ended; `null` while it goes on."""


class Completion(BaseModel):
    """The completions; also one event of a stream of them."""

    id: str
    """Identifies the answer; the same in all events of a stream."""
    object: Literal["text_completion"]
    """Always `text_completion`."""
    created: int
    """When the answer was made, in seconds since 1970."""
    model: str
    """The model that answered."""
    system_fingerprint: Optional[str] = None
    """The state of the provider's backend, to compare with `seed` in mind."""
    choices: List[CompletionChoice]
    """One for each prompt and `n`. Empty in a stream's event that carries the usage."""
    usage: Optional[Usage] = None
    """What the answer took. In a stream only with `stream_options.include_usage`: `null` but for the last
    event."""


class CompletionChoice(BaseModel):
    """One completion, or a piece of it."""

    text: str
    index: int
    logprobs: Optional[CompletionLogprobs] = None
    """Log probabilities; the lists run in parallel, one entry for each token."""
    finish_reason: Optional[FinishReason] = None
    """Why it ended: `stop`, `length` or `content_filter`; `null` while a stream goes on."""


class CompletionLogprobs(BaseModel):
    """Log probabilities; the lists run in parallel, one entry for each token."""

    text_offset: Optional[List[int]] = None
    """Where each token begins in the text, in characters."""
    token_logprobs: Optional[List[Optional[float]]] = None
    """`null` for the first token of an echoed prompt."""
    tokens: Optional[List[str]] = None
    top_logprobs: Optional[List[Optional[Dict[str, float]]]] = None
    """The likeliest tokens at each place."""


class CompletionTokensDetails(BaseModel):
    """What the tokens generated consist of."""

    accepted_prediction_tokens: Optional[int] = None
    """Tokens of the request's `prediction` that are in the answer."""
    audio_tokens: Optional[int] = None
    reasoning_tokens: Optional[int] = None
    """Spent on reasoning; not part of the answer."""
    rejected_prediction_tokens: Optional[int] = None
    """Tokens of the request's `prediction` that are not in the answer, and are billed all the same."""
    text_tokens: Optional[int] = None


class ConcurrencyStanding(BaseModel):
    """Requests of the key in progress, the one that asks aside."""

    limit: int
    in_progress: int


class CredentialHealth(BaseModel):
    """How a provider likes one of its keys."""

    key: int
    """Which of the provider's keys: its place in the configuration, from 1."""
    state: CredentialStatus
    """Whether a provider takes a key."""
    since: Optional[str] = None
    """Since when it is refused, RFC 3339."""
    retry_at: Optional[str] = None
    """When a request will try it again, RFC 3339."""


CredentialStatus: TypeAlias = Union[Literal["ok", "refused"], str]
"""Whether a provider takes a key."""


class CustomCall(BaseModel):
    """A custom tool's name and input."""

    name: str
    input: str


class CustomCallDelta(BaseModel):
    """A piece of a custom tool's call."""

    name: Optional[str] = None
    """In a call's first piece."""
    input: Optional[str] = None
    """The next stretch of the input."""


class CustomToolCall(BaseModel):
    """A call of a custom tool."""

    type: Literal["custom"]
    id: str
    """Identifies the call; the tool's answer refers to it."""
    custom: CustomCall
    """A custom tool's name and input."""


class Delta(BaseModel):
    """What is new: texts are appended to those before them."""

    role: Optional[ChatRole] = None
    """In an answer's first piece."""
    content: Optional[str] = None
    """`null` in the first piece of an answer that only calls tools."""
    refusal: Optional[str] = None
    reasoning_content: Optional[str] = None
    """What the model thinks. Not OpenAI's: an extension that many providers share."""
    tool_calls: Optional[List[ToolCallDelta]] = None
    audio: Optional[AudioDelta] = None
    """A piece of a spoken answer. The last one holds only `expires_at`."""
    function_call: Optional[FunctionCallDelta] = None
    """Replaced by `tool_calls`."""


class DiscoveryHealth(BaseModel):
    """How listing a provider's models goes."""

    last_success_at: Optional[str] = None
    """When its models were last listed, RFC 3339."""
    error: Optional[str] = None
    """Why the last attempt failed; absent when it succeeded."""


class Embedding(BaseModel):
    """One input's vector."""

    object: Literal["embedding"]
    """Always `embedding`."""
    index: int
    """The input's position."""
    embedding: EmbeddingVector
    """A vector, in the encoding that was asked for."""


class EmbeddingResponse(BaseModel):
    """The vectors, in the order of the inputs."""

    object: Literal["list"]
    """Always `list`."""
    data: List[Embedding]
    model: str
    """The model that made them."""
    usage: EmbeddingUsage
    """The tokens that embedding took."""


class EmbeddingUsage(BaseModel):
    """The tokens that embedding took."""

    prompt_tokens: int
    total_tokens: int


EmbeddingVector: TypeAlias = Union["List[float]", "str"]
"""A vector, in the encoding that was asked for."""


class ErrorBody(BaseModel):
    """What went wrong. `param` and `code` are `null` where there is nothing to say."""

    message: str
    """For a person to read."""
    type: str
    """The class of the error: `invalid_request_error`, `authentication_error`, `rate_limit_error`,
    `server_error`, …"""
    param: Optional[str] = None
    """The member of the request that is at fault, such as `messages[0].role`."""
    code: Optional[str] = None
    """For a program to test: `model_not_found`, `context_length_exceeded`, `rate_limit_exceeded`, …"""


class ErrorEnvelope(BaseModel):
    """An error, in OpenAI's envelope."""

    error: ErrorBody
    """What went wrong. `param` and `code` are `null` where there is nothing to say."""


class EventTokens(BaseModel):
    """Token counts. `input` and `output` are totals, the others are parts of them; a part of 0 is absent."""

    input: int
    output: int
    cached_read: Optional[int] = None
    """Part of `input` read from the provider's prompt cache."""
    cached_write: Optional[int] = None
    """Part of `input` written to the provider's prompt cache."""
    cached_write_1h: Optional[int] = None
    """Part of `cached_write` that is kept for an hour."""
    reasoning: Optional[int] = None
    """Part of `output`."""
    audio_input: Optional[int] = None
    audio_cached: Optional[int] = None
    """Part of both `audio_input` and `cached_read`."""
    audio_output: Optional[int] = None
    image_input: Optional[int] = None
    image_output: Optional[int] = None
    free_input: Optional[int] = None
    """Part of `input` that the provider does not charge for."""
    search_units: Optional[int] = None
    """What a reranker counts in place of tokens, and the searches of the web that a model has made and is
    paid for."""


FinishReason: TypeAlias = Union[Literal["stop", "length", "tool_calls", "content_filter", "function_call"], str]
"""Why an answer ended."""


class FunctionCall(BaseModel):
    """A function's name and arguments."""

    name: str
    arguments: str
    """JSON as the model wrote it, which may be neither valid nor what the schema asks for."""


class FunctionCallDelta(BaseModel):
    """A piece of a function call."""

    name: Optional[str] = None
    """In a call's first piece."""
    arguments: Optional[str] = None
    """The next stretch of the arguments' JSON."""


class FunctionToolCall(BaseModel):
    """A call of a function."""

    type: Literal["function"]
    id: str
    """Identifies the call; the tool's answer refers to it."""
    function: FunctionCall
    """A function's name and arguments."""


class KeyBudget(BaseModel):
    """What a key may spend; what a request may cost is put aside when it comes, and settled when it ends."""

    limit: float
    """US dollars; 0 for any number."""
    period: Optional[BudgetPeriod] = None
    """By default `monthly`."""
    warn_threshold: Optional[float] = None
    """Share of the limit from which on it is warned of, by default 0.8."""
    hard: Optional[bool] = None
    """Whether requests beyond it are refused, by default true; if not, it only warns."""


KeyRole: TypeAlias = Union[Literal["viewer", "member", "admin", "owner"], str]
"""What a key may do."""


LimitScope: TypeAlias = Union[Literal["organisation", "key", "user", "model"], str]
"""Who is limited."""


LimitUnit: TypeAlias = Union[Literal["requests", "tokens"], str]
"""What is counted."""


class Limits(BaseModel):
    """How the limits of a caller stand. What is not listed is not limited."""

    object: Literal["limits"]
    """Always `limits`."""
    rates: List[RateStanding]
    """Limits a minute."""
    budgets: List[BudgetStanding]
    concurrency: Optional[ConcurrencyStanding] = None
    """Absent where the key may have any number of requests in progress."""


class Liveness(BaseModel):
    """Whether the process is doing its work. Providers have no part in it: restarting the gateway does not
    mend them."""

    status: LivenessStatus
    """Whether the process is doing its work."""
    version: str
    """The gateway's version."""
    uptime_seconds: int
    """Seconds since the process started."""


LivenessStatus: TypeAlias = Union[Literal["alive"], str]
"""Whether the process is doing its work."""


class Logprobs(BaseModel):
    """Log probabilities."""

    content: Optional[List[TokenLogprob]] = None
    """Of the answer's tokens."""
    refusal: Optional[List[TokenLogprob]] = None
    """Of the refusal's tokens."""


class ModelInfo(BaseModel):
    """One model."""

    id: str
    """The name to ask for, `provider/model`. The part after the provider's name is understood alone, too."""
    object: Literal["model"]
    """Always `model`."""
    created: int
    """When the model was created, in seconds since 1970; 0 where the provider does not say."""
    owned_by: str
    """Who offers the model."""
    shutdown_date: Optional[str] = None
    """The day on which the model will be shut down, where that has been announced."""


class ModelList(BaseModel):
    """All models that the caller may use."""

    object: Literal["list"]
    """Always `list`."""
    data: List[ModelInfo]


ModeratedInputType: TypeAlias = Union[Literal["text", "image"], str]
"""What a moderation model looks at."""


class ModerationErrorOutcome(BaseModel):
    code: str
    message: str
    type: Literal["error"]


class ModerationFinding(BaseModel):
    """One finding."""

    type: Literal["moderation_result"]
    """Always `moderation_result`."""
    model: str
    """The model that found it."""
    flagged: bool
    """Whether any category applies."""
    categories: Dict[str, bool]
    """Whether each category applies."""
    category_scores: Dict[str, float]
    """How far each category applies, from 0 to 1."""
    category_applied_input_types: Dict[str, List[ModeratedInputType]]
    """What each category's score is about."""


ModerationOutcome: TypeAlias = Union["ModerationResultsOutcome", "ModerationErrorOutcome"]
"""Findings, or why there are none."""


class ModerationReport(BaseModel):
    """What the moderation model found."""

    input: ModerationOutcome
    """In the request."""
    output: ModerationOutcome
    """In the answer."""


class ModerationResultsOutcome(BaseModel):
    model: str
    """The model that looked."""
    results: List[ModerationFinding]
    type: Literal["moderation_results"]


class OrgConfig(BaseModel):
    """What an organisation has configured. Secrets are never shown, only that they are set."""

    object: Literal["org.config"]
    """Always `org.config`."""
    org_id: str
    version: int
    """Counts its changes, from 1."""
    etag: str
    """What `If-Match` takes: another one after every change. The header `ETag` has it too, in quotes."""
    config: OrgConfigDocument
    """The blocks of the configuration file that are an organisation's own; unknown keys are refused with
    their path.
    
    A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
    read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
    reference to one, `env://NAME` or `file:///path`."""
    created_at: str
    """RFC 3339, in UTC."""
    updated_at: str
    """RFC 3339, in UTC."""
    updated_by: str
    """Who made the last change."""


OrgConfigAction: TypeAlias = Union[Literal["create", "replace", "update", "rollback"], str]
"""How a version came to be."""


class OrgConfigChange(BaseModel):
    """One place at which two versions differ."""

    path: str
    """As in `providers.openai.base_url`."""
    before: Optional[Any] = None
    """What it was; absent when there was nothing."""
    after: Optional[Any] = None
    """What it is; absent when there is nothing any more."""


class OrgConfigDeleted(BaseModel):
    """An organisation that is no more."""

    object: Literal["org.config.deleted"]
    """Always `org.config.deleted`."""
    org_id: str
    deleted: bool


class OrgConfigDiff(BaseModel):
    """What two versions differ in. A secret that was set again differs in its `updated_at`."""

    from_: int = Field(alias="from")
    to: int
    changes: List[OrgConfigChange]


class OrgConfigDocument(BaseModel):
    """The blocks of the configuration file that are an organisation's own; unknown keys are refused with
    their path.

    A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
    read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
    reference to one, `env://NAME` or `file:///path`."""

    providers: Optional[Dict[str, Optional[Any]]] = None
    """Providers by name, each with the fields that `GET /v1/provider-types` lists."""
    model_map: Optional[Dict[str, Optional[Any]]] = None
    """Alias → model, or model → provider."""
    routing: Optional[Dict[str, Optional[Any]]] = None
    """Which provider a request goes to, and to which next: `targets`, `failover`, `retry`,
    `conditional_routes`, …."""
    rate_limiting: Optional[Dict[str, Optional[Any]]] = None
    """How many requests and tokens a minute are let in: `global_rpm`, `global_tpm`, `per_user_rpm`,
    `per_model_rpm`, …."""
    budgets: Optional[Dict[str, Optional[Any]]] = None
    """How many US dollars may be spent, and in which time: `limit`, `period`, `warn_threshold`, `hard`,
    and `users` by their names."""
    cost_tracking: Optional[Dict[str, Optional[Any]]] = None
    """What answers cost: `enabled`, `custom_pricing`."""


class OrgConfigMistake(BaseModel):
    """One thing wrong with a configuration."""

    path: str
    """As in `providers.openai.models[1]`."""
    message: str


class OrgConfigValidation(BaseModel):
    """What would be said of a configuration. Nothing has been changed."""

    valid: bool
    mistakes: List[OrgConfigMistake]


class OrgConfigVersion(BaseModel):
    """One version of a configuration."""

    version: int
    action: OrgConfigAction
    """How a version came to be."""
    at: str
    """RFC 3339, in UTC."""
    author: str
    """Who made it."""


class OrgConfigVersions(BaseModel):
    """The last hundred versions, the latest first."""

    object: Literal["list"]
    """Always `list`."""
    data: List[OrgConfigVersion]


class OrgList(BaseModel):
    """Organisations in the order of their ids."""

    object: Literal["list"]
    """Always `list`."""
    data: List[OrgSummary]
    next_cursor: Optional[str] = None
    """What `cursor` takes to go on; absent at the end."""


class OrgProvider(BaseModel):
    """A provider that an organisation may use."""

    name: str
    type: str
    """The type: `openai`, `anthropic`, …."""
    api_format: str
    shared: bool
    """Whether it is one of the gateway's own, which organisations share."""
    models: List[str]
    """The models that it lists, or that were discovered."""
    health: List[ProviderHealth]
    """How it is doing, in each of its regions."""


class OrgProviderList(BaseModel):
    """The providers that an organisation may use."""

    object: Literal["list"]
    """Always `list`."""
    data: List[OrgProvider]


class OrgSummary(BaseModel):
    """An organisation, without what it has configured."""

    org_id: str
    version: int
    providers: List[str]
    """Names of its providers."""
    updated_at: str
    """RFC 3339, in UTC."""
    updated_by: str


class PromptTokensDetails(BaseModel):
    """What the tokens read consist of."""

    audio_tokens: Optional[int] = None
    cache_write_tokens: Optional[int] = None
    """Written to the provider's prompt cache."""
    cached_tokens: Optional[int] = None
    """Read from the provider's prompt cache."""
    image_tokens: Optional[int] = None
    text_tokens: Optional[int] = None


class ProviderError(BaseModel):
    """A provider's failure."""

    cause: str
    """The class of the failure: `upstream`, `unreachable`, `upstream_timeout`, `rate_limited`,
    `credential`, …"""
    message: str
    at: str
    """RFC 3339."""


class ProviderHealth(BaseModel):
    """The health of one provider. Counts are since the provider was (re)started; times are RFC 3339, in
    UTC."""

    name: str
    """The provider's name in the configuration."""
    region: Optional[str] = None
    """Where it is, for a provider that has regions: each has an entry of its own."""
    type: str
    """The kind of provider: `openai`, `anthropic`, …"""
    api_format: str
    """The wire format that is spoken with it."""
    state: ProviderState
    """How a provider is doing."""
    changes: List[StateChange]
    """The last changes of its state, oldest first."""
    breaker: BreakerHealth
    """A provider's circuit breaker."""
    in_flight: int
    """Requests that it is answering now."""
    max_concurrent: int
    """How many requests it is given at once at most."""
    requests: int
    """Requests sent to it."""
    failures: int
    """Requests that it failed."""
    consecutive_failures: int
    """Failures since the last success."""
    error_rate: Optional[float] = None
    """The share of its recent requests that failed, from 0 to 1; absent before the first one."""
    availability: Availability
    """How a provider's requests ended, over several stretches of time."""
    latency_ms: Optional[float] = None
    """How long it takes to begin its answer, in milliseconds: a moving average that favours recent
    requests."""
    first_content: Optional[Quantiles] = None
    """Until the first content of a stream, over the last minutes; absent while too few are known."""
    whole_answer: Optional[Quantiles] = None
    """Until a whole answer that was not streamed, over the last minutes; absent while too few are known."""
    quotas: List[QuotaHealth]
    """What keys and models have used up, or nearly so; up to a hundred."""
    credentials: List[CredentialHealth]
    """One entry for each key that it is called with."""
    last_error: Optional[ProviderError] = None
    """The most recent failure."""
    last_success_at: Optional[str] = None
    """When it last answered a request well."""
    restarts: int
    """How often its supervisor has restarted it."""
    models: int
    """The number of models it is known to have."""
    discovery: Optional[DiscoveryHealth] = None
    """How listing its models goes; absent where that is switched off."""


ProviderState: TypeAlias = Union[Literal["healthy", "degraded", "unhealthy", "recovering", "draining", "unknown"], str]
"""How a provider is doing."""


class ProviderTestResult(BaseModel):
    """What came of a look at a provider, which no provider bills."""

    provider: str
    ok: bool
    """Whether it answered its list of models with the credentials that it was given."""
    took_ms: float
    models: Optional[List[str]] = None
    """The models that it says it has."""
    error: Optional[str] = None
    """Why it did not."""


class ProviderTypeField(BaseModel):
    """A field of a provider's configuration."""

    name: str
    type: str
    """`string`, `integer`, `boolean`, `array`, `object` or `duration` (`30s`, or a number of seconds)."""
    secret: bool
    """Whether it is, or holds, a secret: never shown again, only that it is set."""
    required: bool
    """Whether the provider cannot do without it (or without what stands in for it: an Entra application
    for Azure's key)."""
    description: str
    values: Optional[List[str]] = None
    """What it can be, where that is a few words."""


class ProviderTypeInfo(BaseModel):
    """A type of provider, as `type` names it."""

    name: str
    api_format: str
    """The wire format that is spoken with it."""
    base_url: Optional[str] = None
    """Where it is unless something else is said."""
    note: Optional[str] = None
    """What its `base_url` is or comes from, where there is no default."""
    fields: List[ProviderTypeField]


class ProviderTypeList(BaseModel):
    """Every type of provider."""

    object: Literal["list"]
    """Always `list`."""
    data: List[ProviderTypeInfo]


class ProvidersHealth(BaseModel):
    """The health of every configured provider."""

    object: Literal["list"]
    """Always `list`."""
    data: List[ProviderHealth]


class Quantiles(BaseModel):
    """How durations are distributed, in milliseconds; each is at most 6 % off."""

    p50_ms: float
    """Half of the requests stay below."""
    p95_ms: float
    """Nineteen of twenty stay below."""
    p99_ms: float
    """Ninety-nine of a hundred stay below."""
    samples: int
    """From how many requests."""


class QuotaHealth(BaseModel):
    """A quota that is used up, or nearly so. Providers count by key and model."""

    model: str
    """The model, as the provider knows it."""
    key: int
    """Which of the provider's keys: its place in the configuration, from 1."""
    level: QuotaLevel
    """What is left of a quota."""
    until: Optional[str] = None
    """When it should be free again, RFC 3339, where that is known."""


QuotaLevel: TypeAlias = Union[Literal["limited", "low"], str]
"""What is left of a quota."""


class RateStanding(BaseModel):
    """One limit a minute."""

    scope: LimitScope
    """Who is limited."""
    name: str
    """Of the organisation, key, user or pattern."""
    unit: LimitUnit
    """What is counted."""
    limit: int
    remaining: int
    """Neither used nor reserved for requests in progress."""
    reset_ms: int
    """Until all of it is there again, in milliseconds."""


class Readiness(BaseModel):
    """Whether the gateway should be sent requests."""

    status: ReadinessStatus
    """Whether requests are welcome."""
    reasons: List[str]
    """What stands in the way; empty when it is ready."""
    warnings: Optional[List[str]] = None
    """What is not as it should be although requests are served: NATS is away, the spool is full."""


ReadinessStatus: TypeAlias = Union[Literal["ready", "not_ready"], str]
"""Whether requests are welcome."""


class RerankBilledUnits(BaseModel):
    """What the provider bills."""

    search_units: Optional[float] = None


RerankDocument: TypeAlias = Union["str", "RerankDocumentObject"]
"""A document: its text, or an object that holds it."""


class RerankDocumentObject(BaseModel):
    """A document with more than its text."""

    text: Optional[str] = None
    """What is ranked. Only some compatible servers take objects without it."""


class RerankMeta(BaseModel):
    """What Cohere says beside the results."""

    billed_units: Optional[RerankBilledUnits] = None
    """What the provider bills."""


class RerankResponse(BaseModel):
    """The documents by relevance, the best first."""

    id: Optional[str] = None
    model: Optional[str] = None
    """The model that ranked them."""
    results: List[RerankResult]
    usage: Optional[RerankUsage] = None
    """What ranking took."""
    meta: Optional[RerankMeta] = None
    """What was billed, as Cohere says it."""


class RerankResult(BaseModel):
    """One document's place."""

    index: int
    """The document's position in the request."""
    relevance_score: float
    """Larger is more relevant; most models answer 0 to 1."""
    document: Optional[RerankDocument] = None
    """The document, where `return_documents` asks for it."""


class RerankUsage(BaseModel):
    """What ranking took."""

    prompt_tokens: Optional[int] = None
    total_tokens: Optional[int] = None
    search_units: Optional[int] = None
    """Cohere's unit of price: one query with up to 100 documents."""


class ResponseAudio(BaseModel):
    """A spoken answer."""

    id: str
    """To refer to it in a later request."""
    data: str
    """Base64, in the format that was asked for."""
    expires_at: int
    """Until when it can be referred to, in seconds since 1970."""
    transcript: str
    """What is said."""


class ResponseMessage(BaseModel):
    """What the model said."""

    role: Literal["assistant"]
    """Always `assistant`."""
    content: Optional[str] = None
    """The answer; `null` where the model only called tools."""
    refusal: Optional[str] = None
    """What the model said instead of answering."""
    reasoning_content: Optional[str] = None
    """What the model thought. Not OpenAI's: an extension that many providers share."""
    tool_calls: Optional[List[ToolCall]] = None
    """The tools that the model calls."""
    annotations: Optional[List[Annotation]] = None
    """Where the answer is from, after a web search."""
    audio: Optional[ResponseAudio] = None
    """The spoken answer."""
    function_call: Optional[FunctionCall] = None
    """Replaced by `tool_calls`."""


class RouteAttempt(BaseModel):
    """One call of a provider."""

    place: RoutePlace
    """A provider and what it was to be asked for."""
    kind: AttemptKind
    """Why an attempt was made."""
    outcome: AttemptOutcome
    """How an attempt ended."""
    status: Optional[int] = None
    """The status that the provider answered a failed attempt with, where it did."""
    took_ms: Optional[float] = None
    """Until its answer began, or it failed."""


class RouteCandidate(BaseModel):
    """A provider that may serve a request, and what the strategies know of it."""

    provider: str
    region: Optional[str] = None
    model: str
    """The model, as the provider knows it."""
    tier: int
    """Lower goes first, whatever the strategy."""
    weight: int
    readiness: CandidateReadiness
    """How gladly a candidate is asked."""
    reasons: List[str]
    """What speaks against it, in words: its breaker, quota, credential or permits."""
    in_flight: int
    max_concurrent: int
    latency_ms: Optional[float] = None
    """What its next answer should take to begin; absent before the first."""
    success_rate: Optional[float] = None
    """Of the last minute's requests, from 0 to 1; absent without any."""
    price: Optional[float] = None
    """US dollars for a million tokens in and a million out; absent where the price is not known."""


class RouteDecision(BaseModel):
    """What was decided for a request, and what came of it."""

    request_id: str
    model: Optional[str] = None
    """The model that was asked for; absent when the request could not be read."""
    endpoint: str
    """`chat.completions`, `embeddings`, …"""
    at: str
    """When the request came, RFC 3339."""
    took_ms: float
    status: int
    """The status that the client was sent."""
    source: Optional[RouteSource] = None
    """What said who serves the model; absent when the request was refused before that."""
    strategy: str
    candidates: List[RoutePlace]
    """In the order of their turns; those for a model that stood in come behind."""
    passed_over: List[RoutePassedOver]
    """Those that were not asked when it was their turn."""
    attempts: List[RouteAttempt]
    """In the order in which they began."""


class RouteExplanation(BaseModel):
    """What the gateway would do with a request now. Nothing has been sent."""

    model: str
    """The model that was asked for."""
    endpoint: str
    """`chat.completions`, `embeddings`, …"""
    source: RouteSource
    """What says who serves it."""
    rule: Optional[str] = None
    """The name of the conditional route that holds."""
    strategy: str
    """How equals are ordered."""
    candidates: List[RouteCandidate]
    """In the order in which they would be tried. Where a strategy draws by chance, this is one draw."""
    fallbacks: List[RouteFallback]
    """Models that would stand in, one after the other, if nobody answered."""
    hedge_after_ms: Optional[float] = None
    """When a second request would be sent beside a slow first one, in milliseconds; absent where none
    would be."""
    bound: bool
    """Whether something of the request binds it to one candidate."""
    mirrors: List[RouteMirror]
    """Who may get a copy."""
    timeout_ms: int
    """Milliseconds until the first content must have come."""


class RouteFallback(BaseModel):
    """A model that stands in for another."""

    model: str
    candidates: List[RouteCandidate]


class RouteMirror(BaseModel):
    """A rule by which a request is copied."""

    provider: str
    model: str
    sample_rate: float
    """The share of requests that are copied, from 0 to 1."""


class RoutePassedOver(BaseModel):
    """A candidate that was not asked when it was its turn."""

    place: RoutePlace
    """A provider and what it was to be asked for."""
    reason: str
    """Why, in words."""


class RoutePlace(BaseModel):
    """A provider and what it was to be asked for."""

    provider: str
    region: Optional[str] = None
    model: str
    """The model, as the provider knows it."""


RouteSource: TypeAlias = Union[
    Literal[
        "provider_lock",
        "conditional_route",
        "request_targets",
        "targets",
        "model_map",
        "listed",
        "prefix",
        "discovered",
        "family",
        "default_model",
    ],
    str,
]
"""What says who serves a model."""


class RoutingPolicy(BaseModel):
    """Requests that meet a condition go where it says."""

    name: str
    """Unique in the organisation."""
    priority: Optional[int] = None
    """Lower is tried first, by default 0."""
    condition: Dict[str, Optional[Any]]
    """Which requests, as `routing.conditional_routes` of the configuration file has it: `{"metadata.tier":
    {"$in": ["gold"]}}`."""
    action: Dict[str, Optional[Any]]
    """Where they go: `provider`, `model_override`."""


class RoutingPolicyDeleted(BaseModel):
    """A policy that is no more."""

    object: Literal["routing.policy.deleted"]
    """Always `routing.policy.deleted`."""
    name: str
    deleted: bool


class RoutingPolicyList(BaseModel):
    """The policies of an organisation, in the order in which they are written."""

    object: Literal["list"]
    """Always `list`."""
    data: List[RoutingPolicy]


ServiceTier: TypeAlias = Union[Literal["auto", "default", "flex", "scale", "priority", "fast"], str]
"""How a request is processed and priced. OpenAI answers `priority` to `fast`."""


class StateChange(BaseModel):
    """A provider went from one state to another."""

    at: str
    """RFC 3339."""
    from_state: ProviderState
    """How a provider is doing."""
    to_state: ProviderState
    """How a provider is doing."""
    reason: str
    """Why, in words."""


class TokenLogprob(BaseModel):
    """A token and how likely it was."""

    token: str
    logprob: float
    """The natural logarithm of its probability; -9999 for very unlikely ones."""
    bytes: Optional[List[int]] = None
    """The token's UTF-8, since characters may be split over tokens."""
    top_logprobs: List[TopLogprob]
    """The likeliest tokens at this place."""


ToolCall: TypeAlias = Union["FunctionToolCall", "CustomToolCall"]
"""A call of a tool."""


class ToolCallDelta(BaseModel):
    """A piece of a tool call."""

    index: int
    """Which of the answer's tool calls it belongs to."""
    id: Optional[str] = None
    """In a call's first piece."""
    type: Optional[ToolType] = None
    """In a call's first piece."""
    function: Optional[FunctionCallDelta] = None
    """A piece of a function call."""
    custom: Optional[CustomCallDelta] = None
    """For a custom tool."""


ToolType: TypeAlias = Union[Literal["function", "custom"], str]
"""The kind of a tool."""


class TopLogprob(BaseModel):
    """One of the likeliest tokens at a place."""

    token: str
    logprob: float
    """The natural logarithm of its probability."""
    bytes: Optional[List[int]] = None
    """The token's UTF-8."""


class UrlCitation(BaseModel):
    """The page that a stretch of the answer is from."""

    start_index: int
    """Where the stretch begins, in characters."""
    end_index: int
    """The stretch's last character."""
    title: str
    """The page's title."""
    url: str
    """The page's address."""


class Usage(BaseModel):
    """The tokens that a request took."""

    prompt_tokens: int
    """Tokens read."""
    completion_tokens: int
    """Tokens generated."""
    total_tokens: int
    """The sum of both."""
    prompt_tokens_details: Optional[PromptTokensDetails] = None
    """What the tokens read consist of."""
    completion_tokens_details: Optional[CompletionTokensDetails] = None
    """What the tokens generated consist of."""


class UsageFreshness(BaseModel):
    """How much of what has happened has been counted."""

    counted_until: Optional[str] = None
    """When the last event that has been counted was written (RFC 3339); absent when there was none yet."""
    behind_ms: Optional[int] = None
    """For how long the oldest event that has not been counted has been waiting; 0 when none waits."""


class UsageQuantiles(BaseModel):
    """What half of all do not exceed, and 95 and 99 in a hundred; within 2 % of itself."""

    p50: float
    p95: float
    p99: float


class UsageReport(BaseModel):
    """A page of a report."""

    object: Literal["list"]
    """Always `list`."""
    data: List[UsageRow]
    """One row for each group, in the order of `group_by`."""
    next_cursor: Optional[str] = None
    """Ask for the next page with it as `cursor`; absent on the last."""
    totals: UsageRow
    """Of all pages."""
    since: str
    """The first moment that is counted (RFC 3339): what was asked for, down to the hour."""
    until: str
    """The first moment that is not counted any more: what was asked for, up to the hour."""
    freshness: UsageFreshness
    """How much of what has happened has been counted."""


class UsageRow(BaseModel):
    """What one group has used. Of the first members it has those that `group_by` names and the group's
    requests have."""

    day: Optional[str] = None
    """In UTC: `2026-11-28`."""
    hour: Optional[str] = None
    """In UTC: `2026-11-28T09:00:00Z`."""
    org: Optional[str] = None
    key: Optional[str] = None
    """Which client key; never the key itself."""
    user: Optional[str] = None
    """`x-prism-user-id`, else the body's `user`."""
    model: Optional[str] = None
    """As the provider knows it; as the client named it where no provider was asked."""
    provider: Optional[str] = None
    """Who answered, or was asked last."""
    endpoint: Optional[str] = None
    """`chat.completions`, `completions`, `embeddings`, `rerank`."""
    status: Optional[str] = None
    """`answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`."""
    metadata: Optional[Dict[str, str]] = None
    """The grouped members of `x-prism-metadata`, by name."""
    requests: int
    errors: int
    """Those that failed, broke off or were interrupted."""
    cancelled: int
    """Those whose client left."""
    replayed: int
    """Those that were answered with an answer that had been kept."""
    attempts: int
    """Calls of providers."""
    incomplete: int
    """Requests whose answers did not reach their end, so that their tokens may not be all."""
    estimated: int
    """Requests whose tokens the gateway has estimated, because the provider had not counted them."""
    tokens: EventTokens
    """Token counts. `input` and `output` are totals, the others are parts of them; a part of 0 is absent."""
    cost_usd: Optional[str] = None
    """US dollars as a plain decimal, exact. Absent when no price is known: unknown is never 0."""
    unpriced: int
    """Requests that are not in `cost_usd` because their price is not known."""
    latency_ms: Optional[UsageQuantiles] = None
    """From the request's head to the end of its answer."""
    first_token_ms: Optional[UsageQuantiles] = None
    """From the request's head to a stream's first content."""


class VirtualKey(BaseModel):
    """A key, without the key itself."""

    object: Literal["key"]
    """Always `key`."""
    id: str
    org_id: str
    prefix: str
    """How the key begins, to recognise it by."""
    name: str
    role: KeyRole
    """What a key may do."""
    models: List[str]
    """Models it may use, with `*` as wildcard; empty for all."""
    providers: List[str]
    """Providers it may use; empty for all."""
    allowed_ips: List[str]
    """Addresses and networks it may come from; empty for all."""
    allowed_tools: List[str]
    """Tools that its requests may offer; empty for all."""
    denied_tools: List[str]
    """Those that they may not offer."""
    rate_limit_rpm: int
    """Requests a minute; 0 for any number."""
    rate_limit_tpm: int
    """Tokens a minute; 0 for any number."""
    max_concurrent: int
    """Requests in progress at once; 0 for any number."""
    budget: Optional[KeyBudget] = None
    """What it may spend; absent where only its organisation's budget holds."""
    metadata: Dict[str, Optional[Any]]
    """What its owner says of it."""
    expires_at: Optional[str] = None
    """When it stops working."""
    disabled: bool
    """Whether it is kept without being let in."""
    overlap_until: Optional[str] = None
    """Until when the key before the last rotation works."""
    created_at: str
    """RFC 3339, in UTC."""
    created_by: str
    """Who made it."""
    updated_at: str
    """RFC 3339, in UTC."""
    key: Optional[str] = None
    """The key itself: only in the answer that makes it, and never again."""


class VirtualKeyDeleted(BaseModel):
    """A key that opens nothing any more."""

    object: Literal["key.deleted"]
    """Always `key.deleted`."""
    id: str
    deleted: bool


class VirtualKeyList(BaseModel):
    """The keys of an organisation, the oldest first."""

    object: Literal["list"]
    """Always `list`."""
    data: List[VirtualKey]
    next_cursor: Optional[str] = None
    """What `cursor` takes to go on; absent at the end."""
