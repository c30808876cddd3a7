# Generated from openapi.json. Do not edit.
"""What the gateway is sent: plain dicts, which type checkers check."""

from __future__ import annotations

# Covariant stand-ins, so that a list[UserMessage] will do where a list of ChatMessage is asked for.
from typing import Any, Literal, Optional, Union
from typing import Mapping as Dict
from typing import Sequence as List

from typing_extensions import Required, TypeAlias, TypedDict

__all__ = [
    "AllowedTools",
    "AllowedToolsChoice",
    "ApproximateLocation",
    "AssistantMessage",
    "AudioInputFormat",
    "AudioOptions",
    "AudioOutputFormat",
    "AudioPart",
    "AudioReference",
    "BudgetPeriod",
    "ChatCompletionRequest",
    "ChatMessage",
    "CompletionRequest",
    "ContentPart",
    "CustomCall",
    "CustomTool",
    "CustomToolCall",
    "CustomToolChoice",
    "CustomToolDefinition",
    "CustomToolFormat",
    "CustomToolFormatGrammar",
    "CustomToolFormatText",
    "CustomVoice",
    "DeveloperMessage",
    "EmbeddingRequest",
    "EncodingFormat",
    "FilePart",
    "FileSource",
    "FunctionCall",
    "FunctionCallOption",
    "FunctionDefinition",
    "FunctionMessage",
    "FunctionTool",
    "FunctionToolCall",
    "FunctionToolChoice",
    "GrammarSyntax",
    "ImageDetail",
    "ImagePart",
    "ImageUrl",
    "InputAudio",
    "JsonSchemaFormat",
    "KeyBudget",
    "KeyCreateRequest",
    "KeyRole",
    "KeyRotateRequest",
    "KeyUpdateRequest",
    "MessageContent",
    "Modality",
    "ModerationMode",
    "ModerationOptions",
    "ModerationPolicy",
    "ModerationRule",
    "NamedToolChoice",
    "OrgConfigDocument",
    "OrgConfigRollback",
    "Prediction",
    "PromptCacheBreakpoint",
    "PromptCacheMode",
    "PromptCacheOptions",
    "PromptCacheRetention",
    "PromptCacheTtl",
    "ReasoningEffort",
    "RefusalPart",
    "RerankDocument",
    "RerankDocumentObject",
    "RerankRequest",
    "ResponseFormat",
    "ResponseFormatJsonObject",
    "ResponseFormatJsonSchema",
    "ResponseFormatText",
    "RouteExplainRequest",
    "RoutingPolicy",
    "RoutingPolicyUpdate",
    "SearchContextSize",
    "ServiceTier",
    "Stop",
    "StreamOptions",
    "SystemMessage",
    "TextContent",
    "TextInput",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolChoiceMode",
    "ToolGrammar",
    "ToolMessage",
    "ToolName",
    "UserLocation",
    "UserMessage",
    "Verbosity",
    "Voice",
    "WebSearchOptions",
]


class AllowedTools(TypedDict, total=False):
    """The tools among which the model chooses."""

    mode: Required[ToolChoiceMode]
    """`auto` or `required`."""
    tools: Required[List[Dict[str, Optional[Any]]]]
    """Such as `{"type": "function", "function": {"name": "get_time"}}`."""


class AllowedToolsChoice(TypedDict, total=False):
    allowed_tools: Required[AllowedTools]
    """The tools among which the model chooses."""
    type: Required[Literal["allowed_tools"]]


class ApproximateLocation(TypedDict, total=False):
    """A place, roughly."""

    city: Optional[str]
    """Such as `San Francisco`."""
    country: Optional[str]
    """ISO 3166-1, two letters."""
    region: Optional[str]
    """Such as `California`."""
    timezone: Optional[str]
    """IANA's name, such as `America/Los_Angeles`."""


class AssistantMessage(TypedDict, total=False):
    """What the model said before."""

    role: Required[Literal["assistant"]]
    content: Optional[MessageContent]
    """Required unless the model called tools."""
    name: Optional[str]
    """Tells participants of the same role apart."""
    refusal: Optional[str]
    """What the model said instead of answering."""
    reasoning_content: Optional[str]
    """What the model thought, for providers that want it back. Not OpenAI's: an extension that many share."""
    audio: Optional[AudioReference]
    """A spoken answer that the model gave."""
    tool_calls: Optional[List[ToolCall]]
    """The tools that the model called. A tool message must follow for each."""
    function_call: Optional[FunctionCall]
    """Replaced by `tool_calls`."""


AudioInputFormat: TypeAlias = Union[Literal["wav", "mp3"], str]
"""How recorded sound is encoded."""


class AudioOptions(TypedDict, total=False):
    """The voice and format of a spoken answer."""

    format: Required[AudioOutputFormat]
    """How spoken answers are encoded."""
    voice: Required[Voice]
    """A voice: `alloy`, `ash`, `ballad`, `coral`, `echo`, `sage`, `shimmer`, `verse`, `marin`, `cedar`, …,
    or your own."""


AudioOutputFormat: TypeAlias = Union[Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"], str]
"""How spoken answers are encoded."""


class AudioPart(TypedDict, total=False):
    """Recorded sound."""

    type: Required[Literal["input_audio"]]
    input_audio: Required[InputAudio]
    """Recorded sound."""
    prompt_cache_breakpoint: Optional[PromptCacheBreakpoint]
    """Marks the end of a prompt that is worth caching."""


class AudioReference(TypedDict, total=False):
    """A spoken answer that the model gave before."""

    id: Required[str]


BudgetPeriod: TypeAlias = Union[Literal["daily", "weekly", "monthly", "total"], str]
"""When a budget begins anew, in UTC."""


class ChatCompletionRequest(TypedDict, total=False):
    """A conversation to go on with, and how."""

    model: Required[str]
    """The model's name, as `GET /v1/models` lists it."""
    messages: Required[List[ChatMessage]]
    """The conversation so far."""
    audio: Optional[AudioOptions]
    """The voice and format of a spoken answer. Required when `modalities` holds `audio`."""
    frequency_penalty: Optional[float]
    """From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default."""
    function_call: Optional[FunctionCallOption]
    """Replaced by `tool_choice`."""
    functions: Optional[List[FunctionDefinition]]
    """Replaced by `tools`."""
    logit_bias: Optional[Dict[str, int]]
    """Token ids with a bias from -100 (never) to 100 (only)."""
    logprobs: Optional[bool]
    """Whether the answer's tokens come with their log probabilities; `false` by default."""
    max_completion_tokens: Optional[int]
    """The most tokens to generate, those spent on reasoning included."""
    max_tokens: Optional[int]
    """The most tokens to generate. OpenAI replaced it by `max_completion_tokens`, many other providers did
    not."""
    metadata: Optional[Dict[str, str]]
    """Up to 16 pairs kept with the answer: names of up to 64 characters, values of up to 512."""
    modalities: Optional[List[Modality]]
    """What the answer may consist of; `["text"]` by default."""
    moderation: Optional[ModerationOptions]
    """Has the request and the answer checked by a moderation model."""
    n: Optional[int]
    """How many answers to generate, from 1 to 128, each of which is billed; 1 by default."""
    parallel_tool_calls: Optional[bool]
    """Whether the model may call several tools at once; `true` by default."""
    prediction: Optional[Prediction]
    """Text that most of the answer is expected to repeat, which makes generating it faster."""
    presence_penalty: Optional[float]
    """From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default."""
    prompt_cache_key: Optional[str]
    """Requests with the same key find each other's cached prompts more often."""
    prompt_cache_options: Optional[PromptCacheOptions]
    """Where cached prompts end and how long they are kept."""
    prompt_cache_retention: Optional[PromptCacheRetention]
    """Replaced by `prompt_cache_options`."""
    reasoning_effort: Optional[ReasoningEffort]
    """How much a reasoning model thinks before it answers. Not every model knows every value."""
    response_format: Optional[ResponseFormat]
    """The form of the answer; text by default."""
    safety_identifier: Optional[str]
    """Identifies your end user to the provider's abuse detection, in up to 128 characters: best a hash."""
    seed: Optional[int]
    """Asks for the same answer to the same request, as far as the provider can; see `system_fingerprint`."""
    service_tier: Optional[ServiceTier]
    """How the request is to be processed and priced; `auto` by default."""
    stop: Optional[Stop]
    """Up to 4 texts before which the answer ends."""
    store: Optional[bool]
    """Whether the provider keeps the answer for its evaluation and distillation products."""
    stream: Optional[bool]
    """Whether the answer comes as server-sent events; `false` by default."""
    stream_options: Optional[StreamOptions]
    """Only with `stream: true`."""
    temperature: Optional[float]
    """From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both."""
    tool_choice: Optional[ToolChoice]
    """Which tools the model calls: by default `none` without tools, else `auto`."""
    tools: Optional[List[Tool]]
    """The tools that the model may call."""
    top_logprobs: Optional[int]
    """How many of the likeliest tokens are given at each place, from 0 to 20. Requires `logprobs: true`."""
    top_p: Optional[float]
    """From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by
    default."""
    user: Optional[str]
    """Replaced by `safety_identifier` and `prompt_cache_key`."""
    verbosity: Optional[Verbosity]
    """How long-winded the answer is; `medium` by default."""
    web_search_options: Optional[WebSearchOptions]
    """Lets the model search the web, for models that can."""


ChatMessage: TypeAlias = Union[
    "DeveloperMessage", "SystemMessage", "UserMessage", "AssistantMessage", "ToolMessage", "FunctionMessage"
]
"""One message of the conversation."""


class CompletionRequest(TypedDict, total=False):
    """What to complete, and how."""

    model: Required[str]
    """The model's name, as `GET /v1/models` lists it."""
    prompt: Required[Optional[TextInput]]
    """The text to go on from; with several, each is completed. `null` stands for the beginning of a new
    document."""
    best_of: Optional[int]
    """How many candidates the provider makes, of which it returns the `n` best; 1 by default. Cannot be
    streamed."""
    echo: Optional[bool]
    """Whether the prompt is put before its completion; `false` by default."""
    frequency_penalty: Optional[float]
    """From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default."""
    logit_bias: Optional[Dict[str, int]]
    """Token ids with a bias from -100 (never) to 100 (only)."""
    logprobs: Optional[int]
    """How many of the likeliest tokens come with their log probabilities, up to 5."""
    max_tokens: Optional[int]
    """The most tokens to generate; 16 by default at OpenAI."""
    n: Optional[int]
    """How many completions of each prompt, from 1 to 128; 1 by default."""
    presence_penalty: Optional[float]
    """From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default."""
    seed: Optional[int]
    """Asks for the same answer to the same request, as far as the provider can."""
    stop: Optional[Stop]
    """Up to 4 texts before which the completion ends."""
    stream: Optional[bool]
    """Whether the answer comes as server-sent events; `false` by default."""
    stream_options: Optional[StreamOptions]
    """Only with `stream: true`."""
    suffix: Optional[str]
    """The text that comes after what is completed."""
    temperature: Optional[float]
    """From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both."""
    top_p: Optional[float]
    """From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by
    default."""
    user: Optional[str]
    """An identifier of your end user."""


ContentPart: TypeAlias = Union["TextPart", "ImagePart", "AudioPart", "FilePart", "RefusalPart"]
"""A piece of a message."""


class CustomCall(TypedDict, total=False):
    """A custom tool's name and input."""

    name: Required[str]
    input: Required[str]


class CustomTool(TypedDict, total=False):
    """A tool that takes text."""

    type: Required[Literal["custom"]]
    custom: Required[CustomToolDefinition]
    """A tool that takes text, in a form of its own."""


class CustomToolCall(TypedDict, total=False):
    """A call of a custom tool."""

    type: Required[Literal["custom"]]
    id: Required[str]
    """Identifies the call; the tool's answer refers to it."""
    custom: Required[CustomCall]
    """A custom tool's name and input."""


class CustomToolChoice(TypedDict, total=False):
    custom: Required[ToolName]
    """A tool's name."""
    type: Required[Literal["custom"]]


class CustomToolDefinition(TypedDict, total=False):
    """A tool that takes text, in a form of its own."""

    name: Required[str]
    description: Optional[str]
    """What it does: how the model knows when to call it."""
    format: Optional[CustomToolFormat]
    """What it takes; any text by default."""


CustomToolFormat: TypeAlias = Union["CustomToolFormatText", "CustomToolFormatGrammar"]
"""What a custom tool takes."""


class CustomToolFormatGrammar(TypedDict, total=False):
    """Text of a grammar."""

    grammar: Required[ToolGrammar]
    """A grammar."""
    type: Required[Literal["grammar"]]


class CustomToolFormatText(TypedDict, total=False):
    """Any text."""

    type: Required[Literal["text"]]


class CustomVoice(TypedDict, total=False):
    id: Required[str]
    """Such as `voice_1234`."""


class DeveloperMessage(TypedDict, total=False):
    """Instructions that the model follows whatever the user says. Replaces `system` for reasoning models."""

    role: Required[Literal["developer"]]
    content: Required[MessageContent]
    """What a message contains: text, or parts. Developer, system and tool messages hold text parts,
    assistant messages text and refusals, user messages everything but refusals."""
    name: Optional[str]
    """Tells participants of the same role apart."""


class EmbeddingRequest(TypedDict, total=False):
    """What to embed, and how."""

    model: Required[str]
    """The model's name, as `GET /v1/models` lists it."""
    input: Required[TextInput]
    """One input or many; each becomes one vector. An input must not be empty. More than a provider takes
    at once go in several requests."""
    dimensions: Optional[int]
    """The length of the vectors, for models that can shorten them. The model's own length by default."""
    encoding_format: Optional[EncodingFormat]
    """How vectors are written; `float` by default. (The OpenAI SDKs ask for `base64` by themselves.)"""
    user: Optional[str]
    """An identifier of your end user."""


EncodingFormat: TypeAlias = Union[Literal["float", "base64"], str]
"""How vectors are written: JSON numbers, or the base64 of their 32-bit floats, little-endian."""


class FilePart(TypedDict, total=False):
    """A document."""

    type: Required[Literal["file"]]
    file: Required[FileSource]
    """A document that was uploaded before (`file_id`) or is sent along (`file_data` and `filename`)."""
    prompt_cache_breakpoint: Optional[PromptCacheBreakpoint]
    """Marks the end of a prompt that is worth caching."""


class FileSource(TypedDict, total=False):
    """A document that was uploaded before (`file_id`) or is sent along (`file_data` and `filename`)."""

    file_data: Optional[str]
    """The document as a `data:` URL."""
    file_id: Optional[str]
    """The identifier of an uploaded document."""
    filename: Optional[str]
    """The document's name."""


class FunctionCall(TypedDict, total=False):
    """A function's name and arguments."""

    name: Required[str]
    arguments: Required[str]
    """JSON as the model wrote it, which may be neither valid nor what the schema asks for."""


FunctionCallOption: TypeAlias = Union["ToolChoiceMode", "ToolName"]
"""Which function the model calls: `none`, `auto` or the one that is named. Replaced by `tool_choice`."""


class FunctionDefinition(TypedDict, total=False):
    """A function that the model may call."""

    name: Required[str]
    """Up to 64 letters, digits, underscores and dashes."""
    description: Optional[str]
    """What it does: how the model knows when to call it."""
    parameters: Optional[Dict[str, Optional[Any]]]
    """Its arguments, as a JSON Schema; none by default."""
    strict: Optional[bool]
    """Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed."""


class FunctionMessage(TypedDict, total=False):
    """What a function answered. Replaced by tool messages."""

    role: Required[Literal["function"]]
    content: Required[Optional[MessageContent]]
    """What a message contains: text, or parts. Developer, system and tool messages hold text parts,
    assistant messages text and refusals, user messages everything but refusals."""
    name: Required[str]
    """The function's name."""


class FunctionTool(TypedDict, total=False):
    """A tool that takes JSON."""

    type: Required[Literal["function"]]
    function: Required[FunctionDefinition]
    """A function that the model may call."""


class FunctionToolCall(TypedDict, total=False):
    """A call of a function."""

    type: Required[Literal["function"]]
    id: Required[str]
    """Identifies the call; the tool's answer refers to it."""
    function: Required[FunctionCall]
    """A function's name and arguments."""


class FunctionToolChoice(TypedDict, total=False):
    function: Required[ToolName]
    """A tool's name."""
    type: Required[Literal["function"]]


GrammarSyntax: TypeAlias = Union[Literal["lark", "regex"], str]
"""The language that a grammar is written in."""


ImageDetail: TypeAlias = Union[Literal["auto", "low", "high", "original"], str]
"""How closely a model looks at an image."""


class ImagePart(TypedDict, total=False):
    """An image."""

    type: Required[Literal["image_url"]]
    image_url: Required[ImageUrl]
    """Where an image is."""
    prompt_cache_breakpoint: Optional[PromptCacheBreakpoint]
    """Marks the end of a prompt that is worth caching."""


class ImageUrl(TypedDict, total=False):
    """Where an image is."""

    url: Required[str]
    """Its address, or the image itself as a `data:` URL."""
    detail: Optional[ImageDetail]
    """How closely the model looks at it; `auto` by default."""


class InputAudio(TypedDict, total=False):
    """Recorded sound."""

    data: Required[str]
    """Base64."""
    format: Required[AudioInputFormat]
    """How recorded sound is encoded."""


class JsonSchemaFormat(TypedDict, total=False):
    """The schema that the answer satisfies."""

    name: Required[str]
    """Up to 64 letters, digits, underscores and dashes."""
    description: Optional[str]
    """What the format is for."""
    schema: Optional[Dict[str, Optional[Any]]]
    """A JSON Schema."""
    strict: Optional[bool]
    """Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed."""


class KeyBudget(TypedDict, total=False):
    """What a key may spend; what a request may cost is put aside when it comes, and settled when it ends."""

    limit: Required[float]
    """US dollars; 0 for any number."""
    period: Optional[BudgetPeriod]
    """By default `monthly`."""
    warn_threshold: Optional[float]
    """Share of the limit from which on it is warned of, by default 0.8."""
    hard: Optional[bool]
    """Whether requests beyond it are refused, by default true; if not, it only warns."""


class KeyCreateRequest(TypedDict, total=False):
    """What a key may be used for, in the words of `auth.keys` of the configuration file."""

    name: Required[str]
    """Name for people, unique in the organisation."""
    role: Optional[KeyRole]
    """By default `member`."""
    models: Optional[List[str]]
    """Models it may use, with `*` as wildcard; by default all."""
    providers: Optional[List[str]]
    """Providers it may use; by default all."""
    allowed_ips: Optional[List[str]]
    """Addresses and networks it may come from; by default all."""
    allowed_tools: Optional[List[str]]
    """Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as
    wildcard."""
    denied_tools: Optional[List[str]]
    """Those that they may not offer, whatever else is allowed."""
    rate_limit_rpm: Optional[int]
    """Requests a minute; 0 for any number."""
    rate_limit_tpm: Optional[int]
    """Tokens a minute; 0 for any number."""
    max_concurrent: Optional[int]
    """Requests in progress at once; 0 for any number."""
    budget: Optional[KeyBudget]
    """What it may spend; by default what its organisation may."""
    metadata: Optional[Dict[str, Optional[Any]]]
    """What there is to say of it, scalars by name: in logs, and for conditional routes."""
    expires_at: Optional[str]
    """When it stops working, as `2027-01-01T00:00:00Z`."""
    disabled: Optional[bool]
    """`true` keeps it without letting it in."""


KeyRole: TypeAlias = Union[Literal["viewer", "member", "admin", "owner"], str]
"""What a key may do."""


class KeyRotateRequest(TypedDict, total=False):
    """How a key is replaced."""

    overlap_seconds: Optional[int]
    """Seconds for which the old one works beside the new one, at most 30 days; by default 0."""


class KeyUpdateRequest(TypedDict, total=False):
    """What is to be changed; what is not named stays, and null brings back the default."""

    name: Optional[str]
    """Name for people, unique in the organisation."""
    role: Optional[KeyRole]
    """What a key may do."""
    models: Optional[List[str]]
    """Models it may use, with `*` as wildcard."""
    providers: Optional[List[str]]
    """Providers it may use."""
    allowed_ips: Optional[List[str]]
    """Addresses and networks it may come from."""
    allowed_tools: Optional[List[str]]
    """Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as
    wildcard."""
    denied_tools: Optional[List[str]]
    """Those that they may not offer, whatever else is allowed."""
    rate_limit_rpm: Optional[int]
    """Requests a minute; 0 for any number."""
    rate_limit_tpm: Optional[int]
    """Tokens a minute; 0 for any number."""
    max_concurrent: Optional[int]
    """Requests in progress at once; 0 for any number."""
    budget: Optional[KeyBudget]
    """What it may spend; by default what its organisation may."""
    metadata: Optional[Dict[str, Optional[Any]]]
    """What there is to say of it, scalars by name: in logs, and for conditional routes."""
    expires_at: Optional[str]
    """When it stops working, as `2027-01-01T00:00:00Z`."""
    disabled: Optional[bool]
    """`true` keeps it without letting it in."""


MessageContent: TypeAlias = Union["str", "List[ContentPart]"]
"""What a message contains: text, or parts. Developer, system and tool messages hold text parts,
assistant messages text and refusals, user messages everything but refusals."""


Modality: TypeAlias = Union[Literal["text", "audio"], str]
"""What an answer may consist of."""


ModerationMode: TypeAlias = Union[Literal["score", "block"], str]
"""Whether findings are reported only, or block the answer."""


class ModerationOptions(TypedDict, total=False):
    """Has the request and the answer checked by a moderation model."""

    model: Required[str]
    """Such as `omni-moderation-latest`."""
    policy: Optional[ModerationPolicy]
    """What is done with what it finds."""


class ModerationPolicy(TypedDict, total=False):
    """What is done with what a moderation model finds."""

    input: Optional[ModerationRule]
    """For the request."""
    output: Optional[ModerationRule]
    """For the answer."""


class ModerationRule(TypedDict, total=False):
    """What is done with a finding."""

    mode: Required[ModerationMode]
    """Whether findings are reported only, or block the answer."""


NamedToolChoice: TypeAlias = Union["FunctionToolChoice", "CustomToolChoice", "AllowedToolsChoice"]
"""The tool that the model has to call, or those among which it chooses."""


class OrgConfigDocument(TypedDict, total=False):
    """The blocks of the configuration file that are an organisation's own; unknown keys are refused with
    their path.

    A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
    read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
    reference to one, `env://NAME` or `file:///path`."""

    providers: Optional[Dict[str, Optional[Any]]]
    """Providers by name, each with the fields that `GET /v1/provider-types` lists."""
    model_map: Optional[Dict[str, Optional[Any]]]
    """Alias → model, or model → provider."""
    routing: Optional[Dict[str, Optional[Any]]]
    """Which provider a request goes to, and to which next: `targets`, `failover`, `retry`,
    `conditional_routes`, …."""
    rate_limiting: Optional[Dict[str, Optional[Any]]]
    """How many requests and tokens a minute are let in: `global_rpm`, `global_tpm`, `per_user_rpm`,
    `per_model_rpm`, …."""
    budgets: Optional[Dict[str, Optional[Any]]]
    """How many US dollars may be spent, and in which time: `limit`, `period`, `warn_threshold`, `hard`,
    and `users` by their names."""
    cost_tracking: Optional[Dict[str, Optional[Any]]]
    """What answers cost: `enabled`, `custom_pricing`."""


class OrgConfigRollback(TypedDict, total=False):
    """Which version is to come back."""

    version: Required[int]


class Prediction(TypedDict, total=False):
    """Text that most of the answer is expected to repeat."""

    content: Required[TextContent]
    """Text, or text parts."""
    type: Required[Literal["content"]]


class PromptCacheBreakpoint(TypedDict, total=False):
    """Marks the exact end of a prompt that is worth caching."""

    mode: Required[PromptCacheMode]
    """Always `explicit`."""
    ttl: Optional[PromptCacheTtl]
    """The least time that it is kept; that of the request's `prompt_cache_options` by default."""


PromptCacheMode: TypeAlias = Union[Literal["implicit", "explicit"], str]
"""Whether the provider chooses a place where a cached prompt ends, besides those that the messages
mark."""


class PromptCacheOptions(TypedDict, total=False):
    """Where cached prompts end and how long they are kept."""

    mode: Optional[PromptCacheMode]
    """`implicit` by default."""
    ttl: Optional[PromptCacheTtl]
    """The least time that cached prompts are kept; `30m` by default."""


PromptCacheRetention: TypeAlias = Union[Literal["in_memory", "24h"], str]
"""How long cached prompts are kept."""


PromptCacheTtl: TypeAlias = Union[Literal["30m", "12h"], str]
"""The least time that a cached prompt is kept."""


ReasoningEffort: TypeAlias = Union[Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"], str]
"""How much a reasoning model thinks before it answers."""


class RefusalPart(TypedDict, total=False):
    """What the model said instead of answering."""

    type: Required[Literal["refusal"]]
    refusal: Required[str]


RerankDocument: TypeAlias = Union["str", "RerankDocumentObject"]
"""A document: its text, or an object that holds it."""


class RerankDocumentObject(TypedDict, total=False):
    """A document with more than its text."""

    text: Optional[str]
    """What is ranked. Only some compatible servers take objects without it."""


class RerankRequest(TypedDict, total=False):
    """What to rank, and against what."""

    model: Required[str]
    """The model's name, as `GET /v1/models` lists it."""
    query: Required[str]
    """What the documents are compared with."""
    documents: Required[List[RerankDocument]]
    """What is ranked: texts, or objects with a `text`."""
    top_n: Optional[int]
    """How many of the best are answered; all of them by default."""
    return_documents: Optional[bool]
    """Whether the answer repeats the documents."""
    max_tokens_per_doc: Optional[int]
    """Longer documents are cut to this many tokens."""


ResponseFormat: TypeAlias = Union["ResponseFormatText", "ResponseFormatJsonObject", "ResponseFormatJsonSchema"]
"""The form of the answer."""


class ResponseFormatJsonObject(TypedDict, total=False):
    """Some JSON object. The messages have to ask for JSON, too."""

    type: Required[Literal["json_object"]]


class ResponseFormatJsonSchema(TypedDict, total=False):
    """JSON that satisfies a schema."""

    json_schema: Required[JsonSchemaFormat]
    """The schema that the answer satisfies."""
    type: Required[Literal["json_schema"]]


class ResponseFormatText(TypedDict, total=False):
    """Text."""

    type: Required[Literal["text"]]


class RouteExplainRequest(TypedDict, total=False):
    """The request that one would send."""

    model: Required[str]
    """The model that one would ask for."""


class RoutingPolicy(TypedDict, total=False):
    """Requests that meet a condition go where it says."""

    name: Required[str]
    """Unique in the organisation."""
    priority: Optional[int]
    """Lower is tried first, by default 0."""
    condition: Required[Dict[str, Optional[Any]]]
    """Which requests, as `routing.conditional_routes` of the configuration file has it: `{"metadata.tier":
    {"$in": ["gold"]}}`."""
    action: Required[Dict[str, Optional[Any]]]
    """Where they go: `provider`, `model_override`."""


class RoutingPolicyUpdate(TypedDict, total=False):
    """What is to be changed; what is not named stays."""

    priority: Optional[int]
    """Lower is tried first."""
    condition: Optional[Dict[str, Optional[Any]]]
    """Which requests: replaced as a whole."""
    action: Optional[Dict[str, Optional[Any]]]
    """Where they go: replaced as a whole."""


SearchContextSize: TypeAlias = Union[Literal["low", "medium", "high"], str]
"""How much of the context window search results may fill."""


ServiceTier: TypeAlias = Union[Literal["auto", "default", "flex", "scale", "priority", "fast"], str]
"""How a request is processed and priced. OpenAI answers `priority` to `fast`."""


Stop: TypeAlias = Union["str", "List[str]"]
"""Texts before which the answer ends; they are not part of it."""


class StreamOptions(TypedDict, total=False):
    """How the answer is streamed."""

    include_usage: Optional[bool]
    """Adds a last event with the usage of the whole request and no choices; all others then have `usage:
    null`. A stream that is cut may not get that far."""
    include_obfuscation: Optional[bool]
    """Whether events are padded to hide the length of tokens from those who watch the line; `true` at
    OpenAI."""


class SystemMessage(TypedDict, total=False):
    """Instructions that the model follows whatever the user says."""

    role: Required[Literal["system"]]
    content: Required[MessageContent]
    """What a message contains: text, or parts. Developer, system and tool messages hold text parts,
    assistant messages text and refusals, user messages everything but refusals."""
    name: Optional[str]
    """Tells participants of the same role apart."""


TextContent: TypeAlias = Union["str", "List[ContentPart]"]
"""Text, or text parts."""


TextInput: TypeAlias = Union["str", "List[str]", "List[int]", "List[List[int]]"]
"""Text or token ids, one input or many."""


class TextPart(TypedDict, total=False):
    """Text."""

    type: Required[Literal["text"]]
    text: Required[str]
    prompt_cache_breakpoint: Optional[PromptCacheBreakpoint]
    """Marks the end of a prompt that is worth caching."""


Tool: TypeAlias = Union["FunctionTool", "CustomTool"]
"""A tool that the model may call."""


ToolCall: TypeAlias = Union["FunctionToolCall", "CustomToolCall"]
"""A call of a tool."""


ToolChoice: TypeAlias = Union["ToolChoiceMode", "NamedToolChoice"]
"""Which tools the model calls."""


ToolChoiceMode: TypeAlias = Union[Literal["none", "auto", "required"], str]
"""Whether the model calls tools: never, if it wants to, or in any case."""


class ToolGrammar(TypedDict, total=False):
    """A grammar."""

    definition: Required[str]
    syntax: Required[GrammarSyntax]
    """The language that a grammar is written in."""


class ToolMessage(TypedDict, total=False):
    """What a tool answered."""

    role: Required[Literal["tool"]]
    content: Required[MessageContent]
    """What a message contains: text, or parts. Developer, system and tool messages hold text parts,
    assistant messages text and refusals, user messages everything but refusals."""
    tool_call_id: Required[str]
    """The call that it answers."""


class ToolName(TypedDict, total=False):
    """A tool's name."""

    name: Required[str]


class UserLocation(TypedDict, total=False):
    """Where the user is, roughly."""

    type: Required[Literal["approximate"]]
    """Always `approximate`."""
    approximate: Required[ApproximateLocation]
    """A place, roughly."""


class UserMessage(TypedDict, total=False):
    """What the user says."""

    role: Required[Literal["user"]]
    content: Required[MessageContent]
    """What a message contains: text, or parts. Developer, system and tool messages hold text parts,
    assistant messages text and refusals, user messages everything but refusals."""
    name: Optional[str]
    """Tells participants of the same role apart."""


Verbosity: TypeAlias = Union[Literal["low", "medium", "high"], str]
"""How long-winded the answer is."""


Voice: TypeAlias = Union["str", "CustomVoice"]
"""A voice: `alloy`, `ash`, `ballad`, `coral`, `echo`, `sage`, `shimmer`, `verse`, `marin`, `cedar`, …,
or your own."""


class WebSearchOptions(TypedDict, total=False):
    """How the model searches the web."""

    search_context_size: Optional[SearchContextSize]
    """How much of the context window results may fill; `medium` by default."""
    user_location: Optional[UserLocation]
    """Where the user is."""
