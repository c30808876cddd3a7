# Generated from openapi.json. Do not edit.
"""The synchronous resources."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Mapping, Optional, Union, overload

from ._call import Call
from ._omit import Omit, omit
from ._responses import BinaryResponse, View, raw, streaming

if TYPE_CHECKING:
    # Covariant stand-ins: any sequence or mapping may be sent.
    from typing import Mapping as Dict
    from typing import Sequence as List

    from . import types as _t
    from ._call import Headers, TimeoutTypes
    from ._pages import SyncPage
    from ._streams import Stream
    from .types.params import *  # noqa: F403


class ChatCompletions:
    """chat.completions: Conversations with a model."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ChatCompletionsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return ChatCompletionsWithRawResponse(ChatCompletions(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> ChatCompletionsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return ChatCompletionsWithStreamingResponse(ChatCompletions(View(self._client._streaming)))

    @overload
    def create(
        self,
        *,
        model: str,
        messages: List[ChatMessage],
        audio: Union[AudioOptions, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        function_call: Union[FunctionCallOption, None, Omit] = omit,
        functions: Union[List[FunctionDefinition], None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[bool, None, Omit] = omit,
        max_completion_tokens: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        metadata: Union[Dict[str, str], None, Omit] = omit,
        modalities: Union[List[Modality], None, Omit] = omit,
        moderation: Union[ModerationOptions, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        parallel_tool_calls: Union[bool, None, Omit] = omit,
        prediction: Union[Prediction, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        prompt_cache_key: Union[str, None, Omit] = omit,
        prompt_cache_options: Union[PromptCacheOptions, None, Omit] = omit,
        prompt_cache_retention: Union[PromptCacheRetention, None, Omit] = omit,
        reasoning_effort: Union[ReasoningEffort, None, Omit] = omit,
        response_format: Union[ResponseFormat, None, Omit] = omit,
        safety_identifier: Union[str, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        service_tier: Union[ServiceTier, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        store: Union[bool, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        tool_choice: Union[ToolChoice, None, Omit] = omit,
        tools: Union[List[Tool], None, Omit] = omit,
        top_logprobs: Union[int, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        verbosity: Union[Verbosity, None, Omit] = omit,
        web_search_options: Union[WebSearchOptions, None, Omit] = omit,
        stream: Union[Literal[False], None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ChatCompletion: ...

    @overload
    def create(
        self,
        *,
        model: str,
        messages: List[ChatMessage],
        audio: Union[AudioOptions, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        function_call: Union[FunctionCallOption, None, Omit] = omit,
        functions: Union[List[FunctionDefinition], None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[bool, None, Omit] = omit,
        max_completion_tokens: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        metadata: Union[Dict[str, str], None, Omit] = omit,
        modalities: Union[List[Modality], None, Omit] = omit,
        moderation: Union[ModerationOptions, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        parallel_tool_calls: Union[bool, None, Omit] = omit,
        prediction: Union[Prediction, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        prompt_cache_key: Union[str, None, Omit] = omit,
        prompt_cache_options: Union[PromptCacheOptions, None, Omit] = omit,
        prompt_cache_retention: Union[PromptCacheRetention, None, Omit] = omit,
        reasoning_effort: Union[ReasoningEffort, None, Omit] = omit,
        response_format: Union[ResponseFormat, None, Omit] = omit,
        safety_identifier: Union[str, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        service_tier: Union[ServiceTier, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        store: Union[bool, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        tool_choice: Union[ToolChoice, None, Omit] = omit,
        tools: Union[List[Tool], None, Omit] = omit,
        top_logprobs: Union[int, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        verbosity: Union[Verbosity, None, Omit] = omit,
        web_search_options: Union[WebSearchOptions, None, Omit] = omit,
        stream: Literal[True],
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Stream[_t.ChatCompletionChunk]: ...

    @overload
    def create(
        self,
        *,
        model: str,
        messages: List[ChatMessage],
        audio: Union[AudioOptions, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        function_call: Union[FunctionCallOption, None, Omit] = omit,
        functions: Union[List[FunctionDefinition], None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[bool, None, Omit] = omit,
        max_completion_tokens: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        metadata: Union[Dict[str, str], None, Omit] = omit,
        modalities: Union[List[Modality], None, Omit] = omit,
        moderation: Union[ModerationOptions, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        parallel_tool_calls: Union[bool, None, Omit] = omit,
        prediction: Union[Prediction, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        prompt_cache_key: Union[str, None, Omit] = omit,
        prompt_cache_options: Union[PromptCacheOptions, None, Omit] = omit,
        prompt_cache_retention: Union[PromptCacheRetention, None, Omit] = omit,
        reasoning_effort: Union[ReasoningEffort, None, Omit] = omit,
        response_format: Union[ResponseFormat, None, Omit] = omit,
        safety_identifier: Union[str, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        service_tier: Union[ServiceTier, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        store: Union[bool, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        tool_choice: Union[ToolChoice, None, Omit] = omit,
        tools: Union[List[Tool], None, Omit] = omit,
        top_logprobs: Union[int, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        verbosity: Union[Verbosity, None, Omit] = omit,
        web_search_options: Union[WebSearchOptions, None, Omit] = omit,
        stream: bool,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Union[_t.ChatCompletion, Stream[_t.ChatCompletionChunk]]: ...

    def create(
        self,
        *,
        model: str,
        messages: List[ChatMessage],
        audio: Union[AudioOptions, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        function_call: Union[FunctionCallOption, None, Omit] = omit,
        functions: Union[List[FunctionDefinition], None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[bool, None, Omit] = omit,
        max_completion_tokens: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        metadata: Union[Dict[str, str], None, Omit] = omit,
        modalities: Union[List[Modality], None, Omit] = omit,
        moderation: Union[ModerationOptions, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        parallel_tool_calls: Union[bool, None, Omit] = omit,
        prediction: Union[Prediction, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        prompt_cache_key: Union[str, None, Omit] = omit,
        prompt_cache_options: Union[PromptCacheOptions, None, Omit] = omit,
        prompt_cache_retention: Union[PromptCacheRetention, None, Omit] = omit,
        reasoning_effort: Union[ReasoningEffort, None, Omit] = omit,
        response_format: Union[ResponseFormat, None, Omit] = omit,
        safety_identifier: Union[str, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        service_tier: Union[ServiceTier, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        store: Union[bool, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        tool_choice: Union[ToolChoice, None, Omit] = omit,
        tools: Union[List[Tool], None, Omit] = omit,
        top_logprobs: Union[int, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        verbosity: Union[Verbosity, None, Omit] = omit,
        web_search_options: Union[WebSearchOptions, None, Omit] = omit,
        stream: Union[bool, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Union[_t.ChatCompletion, Stream[_t.ChatCompletionChunk]]:
        """Create a chat completion

        The body is OpenAI's and goes to the provider byte for byte where the provider speaks the same
        format; fields that are not listed here are passed on. With `stream: true` the answer is a stream of
        server-sent events that ends with `data: [DONE]`, or with an `error` event when the provider's
        stream was cut.

        `POST /v1/chat/completions`

        Args:
            model: The model's name, as `GET /v1/models` lists it.
            messages: The conversation so far.
            audio: The voice and format of a spoken answer. Required when `modalities` holds `audio`.
            frequency_penalty: From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default.
            function_call: Replaced by `tool_choice`.
            functions: Replaced by `tools`.
            logit_bias: Token ids with a bias from -100 (never) to 100 (only).
            logprobs: Whether the answer's tokens come with their log probabilities; `false` by default.
            max_completion_tokens: The most tokens to generate, those spent on reasoning included.
            max_tokens: The most tokens to generate. OpenAI replaced it by `max_completion_tokens`, many other providers did
                not.
            metadata: Up to 16 pairs kept with the answer: names of up to 64 characters, values of up to 512.
            modalities: What the answer may consist of; `["text"]` by default.
            moderation: Has the request and the answer checked by a moderation model.
            n: How many answers to generate, from 1 to 128, each of which is billed; 1 by default.
            parallel_tool_calls: Whether the model may call several tools at once; `true` by default.
            prediction: Text that most of the answer is expected to repeat, which makes generating it faster.
            presence_penalty: From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default.
            prompt_cache_key: Requests with the same key find each other's cached prompts more often.
            prompt_cache_options: Where cached prompts end and how long they are kept.
            prompt_cache_retention: Replaced by `prompt_cache_options`.
            reasoning_effort: How much a reasoning model thinks before it answers. Not every model knows every value.
            response_format: The form of the answer; text by default.
            safety_identifier: Identifies your end user to the provider's abuse detection, in up to 128 characters: best a hash.
            seed: Asks for the same answer to the same request, as far as the provider can; see `system_fingerprint`.
            service_tier: How the request is to be processed and priced; `auto` by default.
            stop: Up to 4 texts before which the answer ends.
            store: Whether the provider keeps the answer for its evaluation and distillation products.
            stream: Whether the answer comes as server-sent events; `false` by default.
            stream_options: Only with `stream: true`.
            temperature: From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both.
            tool_choice: Which tools the model calls: by default `none` without tools, else `auto`.
            tools: The tools that the model may call.
            top_logprobs: How many of the likeliest tokens are given at each place, from 0 to 20. Requires `logprobs: true`.
            top_p: From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by
                default.
            user: Replaced by `safety_identifier` and `prompt_cache_key`.
            verbosity: How long-winded the answer is; `medium` by default.
            web_search_options: Lets the model search the web, for models that can.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The completion, or a stream of chunks when `stream` is true

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request is wrong (400, 413, 415, 422), not allowed (401, 403), too slow (408), asks for what does not exist (404), or a quota is used up (429, with `Retry-After`).
                5XX: The provider failed (502), is unavailable or the gateway is full (503, with `Retry-After`), or took too long (504).
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: Union[_t.ChatCompletion, Stream[_t.ChatCompletionChunk]] = self._client.request(
            Call(
                method="POST",
                path="/v1/chat/completions",
                answer="ChatCompletion",
                event="ChatCompletionChunk",
                end="[DONE]",
                stream=bool(stream),
                body={
                    "model": model,
                    "messages": messages,
                    "audio": audio,
                    "frequency_penalty": frequency_penalty,
                    "function_call": function_call,
                    "functions": functions,
                    "logit_bias": logit_bias,
                    "logprobs": logprobs,
                    "max_completion_tokens": max_completion_tokens,
                    "max_tokens": max_tokens,
                    "metadata": metadata,
                    "modalities": modalities,
                    "moderation": moderation,
                    "n": n,
                    "parallel_tool_calls": parallel_tool_calls,
                    "prediction": prediction,
                    "presence_penalty": presence_penalty,
                    "prompt_cache_key": prompt_cache_key,
                    "prompt_cache_options": prompt_cache_options,
                    "prompt_cache_retention": prompt_cache_retention,
                    "reasoning_effort": reasoning_effort,
                    "response_format": response_format,
                    "safety_identifier": safety_identifier,
                    "seed": seed,
                    "service_tier": service_tier,
                    "stop": stop,
                    "store": store,
                    "stream": stream,
                    "stream_options": stream_options,
                    "temperature": temperature,
                    "tool_choice": tool_choice,
                    "tools": tools,
                    "top_logprobs": top_logprobs,
                    "top_p": top_p,
                    "user": user,
                    "verbosity": verbosity,
                    "web_search_options": web_search_options,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class ChatCompletionsWithRawResponse:
    def __init__(self, resource: ChatCompletions) -> None:

        self.create = raw(resource.create)


class ChatCompletionsWithStreamingResponse:
    def __init__(self, resource: ChatCompletions) -> None:

        self.create = streaming(resource.create)


class Completions:
    """completions: Text from a prompt (legacy)."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> CompletionsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return CompletionsWithRawResponse(Completions(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> CompletionsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return CompletionsWithStreamingResponse(Completions(View(self._client._streaming)))

    @overload
    def create(
        self,
        *,
        model: str,
        prompt: Optional[TextInput],
        best_of: Union[int, None, Omit] = omit,
        echo: Union[bool, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        suffix: Union[str, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        stream: Union[Literal[False], None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.Completion: ...

    @overload
    def create(
        self,
        *,
        model: str,
        prompt: Optional[TextInput],
        best_of: Union[int, None, Omit] = omit,
        echo: Union[bool, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        suffix: Union[str, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        stream: Literal[True],
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Stream[_t.Completion]: ...

    @overload
    def create(
        self,
        *,
        model: str,
        prompt: Optional[TextInput],
        best_of: Union[int, None, Omit] = omit,
        echo: Union[bool, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        suffix: Union[str, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        stream: bool,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Union[_t.Completion, Stream[_t.Completion]]: ...

    def create(
        self,
        *,
        model: str,
        prompt: Optional[TextInput],
        best_of: Union[int, None, Omit] = omit,
        echo: Union[bool, None, Omit] = omit,
        frequency_penalty: Union[float, None, Omit] = omit,
        logit_bias: Union[Dict[str, int], None, Omit] = omit,
        logprobs: Union[int, None, Omit] = omit,
        max_tokens: Union[int, None, Omit] = omit,
        n: Union[int, None, Omit] = omit,
        presence_penalty: Union[float, None, Omit] = omit,
        seed: Union[int, None, Omit] = omit,
        stop: Union[Stop, None, Omit] = omit,
        stream_options: Union[StreamOptions, None, Omit] = omit,
        suffix: Union[str, None, Omit] = omit,
        temperature: Union[float, None, Omit] = omit,
        top_p: Union[float, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        stream: Union[bool, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> Union[_t.Completion, Stream[_t.Completion]]:
        """Create a completion

        The legacy endpoint for base models: a prompt in, text out.

        `POST /v1/completions`

        Args:
            model: The model's name, as `GET /v1/models` lists it.
            prompt: The text to go on from; with several, each is completed. `null` stands for the beginning of a new
                document.
            best_of: How many candidates the provider makes, of which it returns the `n` best; 1 by default. Cannot be
                streamed.
            echo: Whether the prompt is put before its completion; `false` by default.
            frequency_penalty: From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default.
            logit_bias: Token ids with a bias from -100 (never) to 100 (only).
            logprobs: How many of the likeliest tokens come with their log probabilities, up to 5.
            max_tokens: The most tokens to generate; 16 by default at OpenAI.
            n: How many completions of each prompt, from 1 to 128; 1 by default.
            presence_penalty: From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default.
            seed: Asks for the same answer to the same request, as far as the provider can.
            stop: Up to 4 texts before which the completion ends.
            stream: Whether the answer comes as server-sent events; `false` by default.
            stream_options: Only with `stream: true`.
            suffix: The text that comes after what is completed.
            temperature: From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both.
            top_p: From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by
                default.
            user: An identifier of your end user.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The completion, or a stream of chunks when `stream` is true

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request is wrong (400, 413, 415, 422), not allowed (401, 403), too slow (408), asks for what does not exist (404), or a quota is used up (429, with `Retry-After`).
                5XX: The provider failed (502), is unavailable or the gateway is full (503, with `Retry-After`), or took too long (504).
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: Union[_t.Completion, Stream[_t.Completion]] = self._client.request(
            Call(
                method="POST",
                path="/v1/completions",
                answer="Completion",
                event="Completion",
                end="[DONE]",
                stream=bool(stream),
                body={
                    "model": model,
                    "prompt": prompt,
                    "best_of": best_of,
                    "echo": echo,
                    "frequency_penalty": frequency_penalty,
                    "logit_bias": logit_bias,
                    "logprobs": logprobs,
                    "max_tokens": max_tokens,
                    "n": n,
                    "presence_penalty": presence_penalty,
                    "seed": seed,
                    "stop": stop,
                    "stream": stream,
                    "stream_options": stream_options,
                    "suffix": suffix,
                    "temperature": temperature,
                    "top_p": top_p,
                    "user": user,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class CompletionsWithRawResponse:
    def __init__(self, resource: Completions) -> None:

        self.create = raw(resource.create)


class CompletionsWithStreamingResponse:
    def __init__(self, resource: Completions) -> None:

        self.create = streaming(resource.create)


class Embeddings:
    """embeddings: Vectors from text."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> EmbeddingsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return EmbeddingsWithRawResponse(Embeddings(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> EmbeddingsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return EmbeddingsWithStreamingResponse(Embeddings(View(self._client._streaming)))

    def create(
        self,
        *,
        model: str,
        input: TextInput,
        dimensions: Union[int, None, Omit] = omit,
        encoding_format: Union[EncodingFormat, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.EmbeddingResponse:
        """Create embeddings

        One vector for each input.

        `POST /v1/embeddings`

        Args:
            model: The model's name, as `GET /v1/models` lists it.
            input: One input or many; each becomes one vector. An input must not be empty. More than a provider takes
                at once go in several requests.
            dimensions: The length of the vectors, for models that can shorten them. The model's own length by default.
            encoding_format: How vectors are written; `float` by default. (The OpenAI SDKs ask for `base64` by themselves.)
            user: An identifier of your end user.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The embeddings

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request is wrong (400, 413, 415, 422), not allowed (401, 403), too slow (408), asks for what does not exist (404), or a quota is used up (429, with `Retry-After`).
                5XX: The provider failed (502), is unavailable or the gateway is full (503, with `Retry-After`), or took too long (504).
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.EmbeddingResponse = self._client.request(
            Call(
                method="POST",
                path="/v1/embeddings",
                answer="EmbeddingResponse",
                body={
                    "model": model,
                    "input": input,
                    "dimensions": dimensions,
                    "encoding_format": encoding_format,
                    "user": user,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class EmbeddingsWithRawResponse:
    def __init__(self, resource: Embeddings) -> None:

        self.create = raw(resource.create)


class EmbeddingsWithStreamingResponse:
    def __init__(self, resource: Embeddings) -> None:

        self.create = streaming(resource.create)


class Health:
    """health: Is the gateway alive and ready."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> HealthWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return HealthWithRawResponse(Health(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> HealthWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return HealthWithStreamingResponse(Health(View(self._client._streaming)))

    def retrieve(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.Liveness:
        """Liveness

        200 as long as the process runs.

        `GET /healthz`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The process runs

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.Liveness = self._client.request(
            Call(
                method="GET",
                path="/healthz",
                answer="Liveness",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def live(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.Liveness:
        """Liveness (Kubernetes)

        The same as `/healthz`.

        `GET /livez`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The process runs

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.Liveness = self._client.request(
            Call(
                method="GET",
                path="/livez",
                answer="Liveness",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def metrics(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> BinaryResponse:
        """Metrics

        Everything that has been counted, in Prometheus' text format. `prometheus.path` moves the page or
        switches it off.

        `GET /metrics`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The metrics

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: BinaryResponse = self._client.request(
            Call(
                method="GET",
                path="/metrics",
                binary=True,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def ready(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.Readiness:
        """Readiness

        200 when requests are served, 503 before the start is complete and while the process drains. NATS
        and the disk have no part in it: what is wrong with them is a warning.

        `GET /readyz`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            Requests are served

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                503: Starting or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.Readiness = self._client.request(
            Call(
                method="GET",
                path="/readyz",
                answer="Readiness",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class HealthWithRawResponse:
    def __init__(self, resource: Health) -> None:

        self.retrieve = raw(resource.retrieve)

        self.live = raw(resource.live)

        self.metrics = raw(resource.metrics)

        self.ready = raw(resource.ready)


class HealthWithStreamingResponse:
    def __init__(self, resource: Health) -> None:

        self.retrieve = streaming(resource.retrieve)

        self.live = streaming(resource.live)

        self.metrics = streaming(resource.metrics)

        self.ready = streaming(resource.ready)


class Keys:
    """keys: Client keys of organisations."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> KeysWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return KeysWithRawResponse(Keys(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> KeysWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return KeysWithStreamingResponse(Keys(View(self._client._streaming)))

    def create(
        self,
        *,
        org_id: str,
        name: str,
        role: Union[KeyRole, None, Omit] = omit,
        models: Union[List[str], None, Omit] = omit,
        providers: Union[List[str], None, Omit] = omit,
        allowed_ips: Union[List[str], None, Omit] = omit,
        allowed_tools: Union[List[str], None, Omit] = omit,
        denied_tools: Union[List[str], None, Omit] = omit,
        rate_limit_rpm: Union[int, None, Omit] = omit,
        rate_limit_tpm: Union[int, None, Omit] = omit,
        max_concurrent: Union[int, None, Omit] = omit,
        budget: Union[KeyBudget, None, Omit] = omit,
        metadata: Union[Dict[str, Optional[Any]], None, Omit] = omit,
        expires_at: Union[str, None, Omit] = omit,
        disabled: Union[bool, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.VirtualKey:
        """Create a key

        The key itself is in this answer, and in none after it.

        `POST /v1/orgs/{org_id}/keys`

        Args:
            org_id: Id of the organisation; `default` is the one of the gateway's file
            name: Name for people, unique in the organisation.
            role: By default `member`.
            models: Models it may use, with `*` as wildcard; by default all.
            providers: Providers it may use; by default all.
            allowed_ips: Addresses and networks it may come from; by default all.
            allowed_tools: Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as
                wildcard.
            denied_tools: Those that they may not offer, whatever else is allowed.
            rate_limit_rpm: Requests a minute; 0 for any number.
            rate_limit_tpm: Tokens a minute; 0 for any number.
            max_concurrent: Requests in progress at once; 0 for any number.
            budget: What it may spend; by default what its organisation may.
            metadata: What there is to say of it, scalars by name: in logs, and for conditional routes.
            expires_at: When it stops working, as `2027-01-01T00:00:00Z`.
            disabled: `true` keeps it without letting it in.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The key

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.VirtualKey = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/keys",
                answer="VirtualKey",
                server="control_plane",
                path_params={"org_id": org_id},
                body={
                    "name": name,
                    "role": role,
                    "models": models,
                    "providers": providers,
                    "allowed_ips": allowed_ips,
                    "allowed_tools": allowed_tools,
                    "denied_tools": denied_tools,
                    "rate_limit_rpm": rate_limit_rpm,
                    "rate_limit_tpm": rate_limit_tpm,
                    "max_concurrent": max_concurrent,
                    "budget": budget,
                    "metadata": metadata,
                    "expires_at": expires_at,
                    "disabled": disabled,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def delete(
        self,
        *,
        org_id: str,
        key_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.VirtualKeyDeleted:
        """Delete a key

        It opens nothing from the next request on.

        `DELETE /v1/orgs/{org_id}/keys/{key_id}`

        Args:
            org_id: Id of the organisation
            key_id: Id of the key
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            It is no more

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.VirtualKeyDeleted = self._client.request(
            Call(
                method="DELETE",
                path="/v1/orgs/{org_id}/keys/{key_id}",
                answer="VirtualKeyDeleted",
                server="control_plane",
                path_params={"org_id": org_id, "key_id": key_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def list(
        self,
        *,
        org_id: str,
        cursor: Union[str, None, Omit] = omit,
        limit: Union[int, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> SyncPage[_t.VirtualKey]:
        """List keys

        The oldest first.

        `GET /v1/orgs/{org_id}/keys`

        Args:
            org_id: Id of the organisation
            cursor: `next_cursor` of the page before
            limit: Entries on a page, 1 to 100; by default 20
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The keys

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        page: SyncPage[_t.VirtualKey] = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/keys",
                answer="VirtualKeyList",
                page=True,
                server="control_plane",
                path_params={"org_id": org_id},
                query={"cursor": cursor, "limit": limit},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return page

    def retrieve(
        self,
        *,
        org_id: str,
        key_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.VirtualKey:
        """Retrieve a key

        What is known of it; the key itself is not.

        `GET /v1/orgs/{org_id}/keys/{key_id}`

        Args:
            org_id: Id of the organisation
            key_id: Id of the key
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The key

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.VirtualKey = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/keys/{key_id}",
                answer="VirtualKey",
                server="control_plane",
                path_params={"org_id": org_id, "key_id": key_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def rotate(
        self,
        *,
        org_id: str,
        key_id: str,
        overlap_seconds: Union[int, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.VirtualKey:
        """Rotate a key

        A new key takes its place; the old one works beside it for as long as was asked. The new key is in
        this answer, and in none after it.

        `POST /v1/orgs/{org_id}/keys/{key_id}/rotate`

        Args:
            org_id: Id of the organisation
            key_id: Id of the key
            overlap_seconds: Seconds for which the old one works beside the new one, at most 30 days; by default 0.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The key

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.VirtualKey = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/keys/{key_id}/rotate",
                answer="VirtualKey",
                server="control_plane",
                path_params={"org_id": org_id, "key_id": key_id},
                body={
                    "overlap_seconds": overlap_seconds,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def update(
        self,
        *,
        org_id: str,
        key_id: str,
        name: Union[str, None, Omit] = omit,
        role: Union[KeyRole, None, Omit] = omit,
        models: Union[List[str], None, Omit] = omit,
        providers: Union[List[str], None, Omit] = omit,
        allowed_ips: Union[List[str], None, Omit] = omit,
        allowed_tools: Union[List[str], None, Omit] = omit,
        denied_tools: Union[List[str], None, Omit] = omit,
        rate_limit_rpm: Union[int, None, Omit] = omit,
        rate_limit_tpm: Union[int, None, Omit] = omit,
        max_concurrent: Union[int, None, Omit] = omit,
        budget: Union[KeyBudget, None, Omit] = omit,
        metadata: Union[Dict[str, Optional[Any]], None, Omit] = omit,
        expires_at: Union[str, None, Omit] = omit,
        disabled: Union[bool, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.VirtualKey:
        """Update a key

        What is named is changed, what is null is as if it had never been said, everything else stays. It
        holds from the next request on.

        `PATCH /v1/orgs/{org_id}/keys/{key_id}`

        Args:
            org_id: Id of the organisation
            key_id: Id of the key
            name: Name for people, unique in the organisation.
            role:
            models: Models it may use, with `*` as wildcard.
            providers: Providers it may use.
            allowed_ips: Addresses and networks it may come from.
            allowed_tools: Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as
                wildcard.
            denied_tools: Those that they may not offer, whatever else is allowed.
            rate_limit_rpm: Requests a minute; 0 for any number.
            rate_limit_tpm: Tokens a minute; 0 for any number.
            max_concurrent: Requests in progress at once; 0 for any number.
            budget: What it may spend; by default what its organisation may.
            metadata: What there is to say of it, scalars by name: in logs, and for conditional routes.
            expires_at: When it stops working, as `2027-01-01T00:00:00Z`.
            disabled: `true` keeps it without letting it in.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The key

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.VirtualKey = self._client.request(
            Call(
                method="PATCH",
                path="/v1/orgs/{org_id}/keys/{key_id}",
                answer="VirtualKey",
                server="control_plane",
                path_params={"org_id": org_id, "key_id": key_id},
                body={
                    "name": name,
                    "role": role,
                    "models": models,
                    "providers": providers,
                    "allowed_ips": allowed_ips,
                    "allowed_tools": allowed_tools,
                    "denied_tools": denied_tools,
                    "rate_limit_rpm": rate_limit_rpm,
                    "rate_limit_tpm": rate_limit_tpm,
                    "max_concurrent": max_concurrent,
                    "budget": budget,
                    "metadata": metadata,
                    "expires_at": expires_at,
                    "disabled": disabled,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class KeysWithRawResponse:
    def __init__(self, resource: Keys) -> None:

        self.create = raw(resource.create)

        self.delete = raw(resource.delete)

        self.list = raw(resource.list)

        self.retrieve = raw(resource.retrieve)

        self.rotate = raw(resource.rotate)

        self.update = raw(resource.update)


class KeysWithStreamingResponse:
    def __init__(self, resource: Keys) -> None:

        self.create = streaming(resource.create)

        self.delete = streaming(resource.delete)

        self.list = streaming(resource.list)

        self.retrieve = streaming(resource.retrieve)

        self.rotate = streaming(resource.rotate)

        self.update = streaming(resource.update)


class Limits:
    """limits: How much may be asked for."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> LimitsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return LimitsWithRawResponse(Limits(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> LimitsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return LimitsWithStreamingResponse(Limits(View(self._client._streaming)))

    def retrieve(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.Limits:
        """Retrieve limits

        How the limits stand that a request with this key would meet: its own, those of everybody together
        and of models, and those of the user that is named. Asking takes nothing from any of them.

        `GET /v1/limits`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The limits

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.Limits = self._client.request(
            Call(
                method="GET",
                path="/v1/limits",
                answer="Limits",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class LimitsWithRawResponse:
    def __init__(self, resource: Limits) -> None:

        self.retrieve = raw(resource.retrieve)


class LimitsWithStreamingResponse:
    def __init__(self, resource: Limits) -> None:

        self.retrieve = streaming(resource.retrieve)


class Models:
    """models: What can be called."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ModelsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return ModelsWithRawResponse(Models(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> ModelsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return ModelsWithStreamingResponse(Models(View(self._client._streaming)))

    def list(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ModelList:
        """List models

        Every model that configuration or a provider's own list names, as `provider/model`; the bare name
        works too. A key sees what it may call. Answered from memory: no provider is asked.

        `GET /v1/models`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The models

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.ModelList = self._client.request(
            Call(
                method="GET",
                path="/v1/models",
                answer="ModelList",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def retrieve(
        self,
        *,
        model: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ModelInfo:
        """Retrieve a model

        By its full id (`provider/model`, slashes included) or its bare name.

        `GET /v1/models/{model}`

        Args:
            model: The model's id; slashes need no escaping
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The model

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.ModelInfo = self._client.request(
            Call(
                method="GET",
                path="/v1/models/{model}",
                answer="ModelInfo",
                path_params={"model": model},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class ModelsWithRawResponse:
    def __init__(self, resource: Models) -> None:

        self.list = raw(resource.list)

        self.retrieve = raw(resource.retrieve)


class ModelsWithStreamingResponse:
    def __init__(self, resource: Models) -> None:

        self.list = streaming(resource.list)

        self.retrieve = streaming(resource.retrieve)


class OrgConfigs:
    """org_configs: What each organisation has configured."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> OrgConfigsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return OrgConfigsWithRawResponse(OrgConfigs(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> OrgConfigsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return OrgConfigsWithStreamingResponse(OrgConfigs(View(self._client._streaming)))

    def create(
        self,
        *,
        org_id: str,
        config: OrgConfigDocument,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfig:
        """Create an organisation's configuration

        The organisation is there from now on. Everything is checked as the configuration file is; all
        mistakes are named at once.

        `POST /v1/orgs/{org_id}/config`

        Args:
            org_id: Id of the organisation: letters, digits, `-` and `_`
            config: The blocks of the configuration file that are an organisation's own; unknown keys are refused with
                their path.

                A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
                read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
                reference to one, `env://NAME` or `file:///path`.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What is configured

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfig = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/config",
                answer="OrgConfig",
                server="control_plane",
                path_params={"org_id": org_id},
                body=config,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def delete(
        self,
        *,
        org_id: str,
        if_match: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfigDeleted:
        """Delete an organisation

        Its configuration, all versions of it, and its keys.

        `DELETE /v1/orgs/{org_id}/config`

        Args:
            org_id: Id of the organisation
            if_match: `etag` of the configuration that was read; the header `If-Match` says the same
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            It is no more

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfigDeleted = self._client.request(
            Call(
                method="DELETE",
                path="/v1/orgs/{org_id}/config",
                answer="OrgConfigDeleted",
                server="control_plane",
                path_params={"org_id": org_id},
                query={"if_match": if_match},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def diff(
        self,
        *,
        org_id: str,
        from_version: Union[int, None, Omit] = omit,
        to_version: Union[int, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfigDiff:
        """Compare versions

        What two versions differ in; without numbers, the last two.

        `GET /v1/orgs/{org_id}/config/diff`

        Args:
            org_id: Id of the organisation
            from_version: The earlier version; by default the one before the other
            to_version: The later version; by default the present one
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The differences

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfigDiff = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/config/diff",
                answer="OrgConfigDiff",
                server="control_plane",
                path_params={"org_id": org_id},
                query={"from_version": from_version, "to_version": to_version},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def versions(
        self,
        *,
        org_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfigVersions:
        """List versions

        The last hundred, the latest first, with who made them.

        `GET /v1/orgs/{org_id}/config/versions`

        Args:
            org_id: Id of the organisation
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The versions

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfigVersions = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/config/versions",
                answer="OrgConfigVersions",
                server="control_plane",
                path_params={"org_id": org_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def list(
        self,
        *,
        cursor: Union[str, None, Omit] = omit,
        limit: Union[int, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> SyncPage[_t.OrgSummary]:
        """List organisations

        Those that the caller administers, in the order of their ids.

        `GET /v1/orgs`

        Args:
            cursor: `next_cursor` of the page before
            limit: Entries on a page, 1 to 100; by default 20
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The organisations

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        page: SyncPage[_t.OrgSummary] = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs",
                answer="OrgList",
                page=True,
                server="control_plane",
                query={"cursor": cursor, "limit": limit},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return page

    def replace(
        self,
        *,
        org_id: str,
        config: OrgConfigDocument,
        if_match: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfig:
        """Replace an organisation's configuration

        With the whole of it. A marker that was read keeps its secret. `if_match` is required: nobody
        overwrites what they have not seen (`*` does all the same).

        `PUT /v1/orgs/{org_id}/config`

        Args:
            org_id: Id of the organisation
            config: The blocks of the configuration file that are an organisation's own; unknown keys are refused with
                their path.

                A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
                read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
                reference to one, `env://NAME` or `file:///path`.
            if_match: `etag` of the configuration that was read, or `*`; the header `If-Match` says the same
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What is configured

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfig = self._client.request(
            Call(
                method="PUT",
                path="/v1/orgs/{org_id}/config",
                answer="OrgConfig",
                server="control_plane",
                path_params={"org_id": org_id},
                query={"if_match": if_match},
                body=config,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def retrieve(
        self,
        *,
        org_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfig:
        """Retrieve an organisation's configuration

        In the place of each secret stands a marker, `{"set": true, …}`.

        `GET /v1/orgs/{org_id}/config`

        Args:
            org_id: Id of the organisation
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What is configured

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfig = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/config",
                answer="OrgConfig",
                server="control_plane",
                path_params={"org_id": org_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def rollback(
        self,
        *,
        org_id: str,
        version: int,
        if_match: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfig:
        """Roll back

        An earlier version becomes the present one, as a version of its own.

        `POST /v1/orgs/{org_id}/config/rollback`

        Args:
            org_id: Id of the organisation
            version:
            if_match: `etag` of the configuration that was read; the header `If-Match` says the same
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What is configured

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfig = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/config/rollback",
                answer="OrgConfig",
                server="control_plane",
                path_params={"org_id": org_id},
                query={"if_match": if_match},
                body={
                    "version": version,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def update(
        self,
        *,
        org_id: str,
        config: OrgConfigDocument,
        if_match: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfig:
        """Update an organisation's configuration

        With a merge patch (RFC 7396): what is named is replaced, what is null goes, everything else stays.

        `PATCH /v1/orgs/{org_id}/config`

        Args:
            org_id: Id of the organisation
            config: The blocks of the configuration file that are an organisation's own; unknown keys are refused with
                their path.

                A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
                read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
                reference to one, `env://NAME` or `file:///path`.
            if_match: `etag` of the configuration that was read, as the header `If-Match` says it too; without it the
                present one is patched
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What is configured

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfig = self._client.request(
            Call(
                method="PATCH",
                path="/v1/orgs/{org_id}/config",
                answer="OrgConfig",
                server="control_plane",
                path_params={"org_id": org_id},
                query={"if_match": if_match},
                body=config,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def validate(
        self,
        *,
        org_id: str,
        config: OrgConfigDocument,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgConfigValidation:
        """Validate a configuration

        What would be said of it if it were the organisation's; nothing changes.

        `POST /v1/orgs/{org_id}/config/validate`

        Args:
            org_id: Id of the organisation
            config: The blocks of the configuration file that are an organisation's own; unknown keys are refused with
                their path.

                A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was
                read in its place, `{"set": true, …}`, which leaves it as it is. Operators may also write a
                reference to one, `env://NAME` or `file:///path`.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What would be said

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgConfigValidation = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/config/validate",
                answer="OrgConfigValidation",
                server="control_plane",
                path_params={"org_id": org_id},
                body=config,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class OrgConfigsWithRawResponse:
    def __init__(self, resource: OrgConfigs) -> None:

        self.create = raw(resource.create)

        self.delete = raw(resource.delete)

        self.diff = raw(resource.diff)

        self.versions = raw(resource.versions)

        self.list = raw(resource.list)

        self.replace = raw(resource.replace)

        self.retrieve = raw(resource.retrieve)

        self.rollback = raw(resource.rollback)

        self.update = raw(resource.update)

        self.validate = raw(resource.validate)


class OrgConfigsWithStreamingResponse:
    def __init__(self, resource: OrgConfigs) -> None:

        self.create = streaming(resource.create)

        self.delete = streaming(resource.delete)

        self.diff = streaming(resource.diff)

        self.versions = streaming(resource.versions)

        self.list = streaming(resource.list)

        self.replace = streaming(resource.replace)

        self.retrieve = streaming(resource.retrieve)

        self.rollback = streaming(resource.rollback)

        self.update = streaming(resource.update)

        self.validate = streaming(resource.validate)


class ProviderTypes:
    """provider_types: What each type of provider needs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ProviderTypesWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return ProviderTypesWithRawResponse(ProviderTypes(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> ProviderTypesWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return ProviderTypesWithStreamingResponse(ProviderTypes(View(self._client._streaming)))

    def list(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ProviderTypeList:
        """List types of providers

        Every type with its fields: which of them are needed, and which are secret. What a form has to know.

        `GET /v1/provider-types`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The types

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.ProviderTypeList = self._client.request(
            Call(
                method="GET",
                path="/v1/provider-types",
                answer="ProviderTypeList",
                server="control_plane",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class ProviderTypesWithRawResponse:
    def __init__(self, resource: ProviderTypes) -> None:

        self.list = raw(resource.list)


class ProviderTypesWithStreamingResponse:
    def __init__(self, resource: ProviderTypes) -> None:

        self.list = streaming(resource.list)


class Providers:
    """providers: The providers behind the gateway."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> ProvidersWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return ProvidersWithRawResponse(Providers(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> ProvidersWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return ProvidersWithStreamingResponse(Providers(View(self._client._streaming)))

    def health(
        self,
        *,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ProvidersHealth:
        """Health of the providers

        One entry for each provider in each of its regions: its state and how it came to it, circuit
        breaker, availability, latency, quotas, keys, last error, model discovery. Keys are named by their
        place in the configuration.

        `GET /v1/providers/health`

            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The providers

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.ProvidersHealth = self._client.request(
            Call(
                method="GET",
                path="/v1/providers/health",
                answer="ProvidersHealth",
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def list(
        self,
        *,
        org_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.OrgProviderList:
        """List an organisation's providers

        Its own and those of the gateway that it may use, each with its models and its health.

        `GET /v1/orgs/{org_id}/providers`

        Args:
            org_id: Id of the organisation
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The providers

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.OrgProviderList = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/providers",
                answer="OrgProviderList",
                server="control_plane",
                path_params={"org_id": org_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def test(
        self,
        *,
        org_id: str,
        provider: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.ProviderTestResult:
        """Test a provider

        Reads its list of models with its own credentials, which no provider bills.

        `POST /v1/orgs/{org_id}/providers/{provider}/test`

        Args:
            org_id: Id of the organisation
            provider: Name of the provider
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What came of it

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.ProviderTestResult = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/providers/{provider}/test",
                answer="ProviderTestResult",
                server="control_plane",
                path_params={"org_id": org_id, "provider": provider},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class ProvidersWithRawResponse:
    def __init__(self, resource: Providers) -> None:

        self.health = raw(resource.health)

        self.list = raw(resource.list)

        self.test = raw(resource.test)


class ProvidersWithStreamingResponse:
    def __init__(self, resource: Providers) -> None:

        self.health = streaming(resource.health)

        self.list = streaming(resource.list)

        self.test = streaming(resource.test)


class Rerank:
    """rerank: Documents by their relevance to a query."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> RerankWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return RerankWithRawResponse(Rerank(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> RerankWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return RerankWithStreamingResponse(Rerank(View(self._client._streaming)))

    def create(
        self,
        *,
        model: str,
        query: str,
        documents: List[RerankDocument],
        top_n: Union[int, None, Omit] = omit,
        return_documents: Union[bool, None, Omit] = omit,
        max_tokens_per_doc: Union[int, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RerankResponse:
        """Rank documents

        Documents come back in the order of their relevance to a query. The request is Cohere's, as
        compatible servers have it.

        `POST /v1/rerank`

        Args:
            model: The model's name, as `GET /v1/models` lists it.
            query: What the documents are compared with.
            documents: What is ranked: texts, or objects with a `text`.
            top_n: How many of the best are answered; all of them by default.
            return_documents: Whether the answer repeats the documents.
            max_tokens_per_doc: Longer documents are cut to this many tokens.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The documents by relevance

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request is wrong (400, 413, 415, 422), not allowed (401, 403), too slow (408), asks for what does not exist (404), or a quota is used up (429, with `Retry-After`).
                5XX: The provider failed (502), is unavailable or the gateway is full (503, with `Retry-After`), or took too long (504).
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RerankResponse = self._client.request(
            Call(
                method="POST",
                path="/v1/rerank",
                answer="RerankResponse",
                body={
                    "model": model,
                    "query": query,
                    "documents": documents,
                    "top_n": top_n,
                    "return_documents": return_documents,
                    "max_tokens_per_doc": max_tokens_per_doc,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class RerankWithRawResponse:
    def __init__(self, resource: Rerank) -> None:

        self.create = raw(resource.create)


class RerankWithStreamingResponse:
    def __init__(self, resource: Rerank) -> None:

        self.create = streaming(resource.create)


class Route:
    """route: Why a request goes where it goes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> RouteWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return RouteWithRawResponse(Route(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> RouteWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return RouteWithStreamingResponse(Route(View(self._client._streaming)))

    @cached_property
    def decisions(self) -> RouteDecisions:
        return RouteDecisions(self._client)

    def explain(
        self,
        *,
        request: RouteExplainRequest,
        endpoint: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RouteExplanation:
        """Explain a route

        What the gateway would do now with the request that is the body: who says who serves the model, the
        candidates in the order in which they would be tried and what speaks against each, fallbacks,
        hedging, mirrors. Headers count as they do for the request itself. Nothing is sent to any provider,
        and nobody's turn changes.

        `POST /v1/route/explain`

        Args:
            request: The request that one would send.
            endpoint: Where the request would be sent: `chat.completions` (the default), `completions`, `embeddings`, …
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What would be done

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RouteExplanation = self._client.request(
            Call(
                method="POST",
                path="/v1/route/explain",
                answer="RouteExplanation",
                query={"endpoint": endpoint},
                body=request,
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class RouteWithRawResponse:
    def __init__(self, resource: Route) -> None:

        self.explain = raw(resource.explain)


class RouteWithStreamingResponse:
    def __init__(self, resource: Route) -> None:

        self.explain = streaming(resource.explain)


class RouteDecisions:
    """route.decisions: Where recent requests went."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> RouteDecisionsWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return RouteDecisionsWithRawResponse(RouteDecisions(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> RouteDecisionsWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return RouteDecisionsWithStreamingResponse(RouteDecisions(View(self._client._streaming)))

    def retrieve(
        self,
        *,
        request_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RouteDecision:
        """Retrieve a decision

        What was decided for a recent request of the same client key (`x-prism-request-id` of its answer),
        once it has ended: the candidates in the order of their turns, and every attempt. The gateway
        remembers the last 4,096 requests.

        `GET /v1/route/decisions/{request_id}`

        Args:
            request_id: The id that the answer had in `x-prism-request-id`
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What was decided

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RouteDecision = self._client.request(
            Call(
                method="GET",
                path="/v1/route/decisions/{request_id}",
                answer="RouteDecision",
                path_params={"request_id": request_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class RouteDecisionsWithRawResponse:
    def __init__(self, resource: RouteDecisions) -> None:

        self.retrieve = raw(resource.retrieve)


class RouteDecisionsWithStreamingResponse:
    def __init__(self, resource: RouteDecisions) -> None:

        self.retrieve = streaming(resource.retrieve)


class Routing:
    """routing: Conditional routes of organisations."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> RoutingWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return RoutingWithRawResponse(Routing(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> RoutingWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return RoutingWithStreamingResponse(Routing(View(self._client._streaming)))

    def create(
        self,
        *,
        org_id: str,
        name: str,
        priority: Union[int, None, Omit] = omit,
        condition: Dict[str, Optional[Any]],
        action: Dict[str, Optional[Any]],
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RoutingPolicy:
        """Create a routing policy

        Behind those that there are. The organisation's configuration gets a new version.

        `POST /v1/orgs/{org_id}/routing`

        Args:
            org_id: Id of the organisation
            name: Unique in the organisation.
            priority: Lower is tried first, by default 0.
            condition: Which requests, as `routing.conditional_routes` of the configuration file has it: `{"metadata.tier":
                {"$in": ["gold"]}}`.
            action: Where they go: `provider`, `model_override`.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The policy

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RoutingPolicy = self._client.request(
            Call(
                method="POST",
                path="/v1/orgs/{org_id}/routing",
                answer="RoutingPolicy",
                server="control_plane",
                path_params={"org_id": org_id},
                body={
                    "name": name,
                    "priority": priority,
                    "condition": condition,
                    "action": action,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def delete(
        self,
        *,
        org_id: str,
        name: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RoutingPolicyDeleted:
        """Delete a routing policy

        The organisation's configuration gets a new version.

        `DELETE /v1/orgs/{org_id}/routing/{name}`

        Args:
            org_id: Id of the organisation
            name: Name of the policy
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            It is no more

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RoutingPolicyDeleted = self._client.request(
            Call(
                method="DELETE",
                path="/v1/orgs/{org_id}/routing/{name}",
                answer="RoutingPolicyDeleted",
                server="control_plane",
                path_params={"org_id": org_id, "name": name},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def list(
        self,
        *,
        org_id: str,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RoutingPolicyList:
        """List routing policies

        In the order in which they are written.

        `GET /v1/orgs/{org_id}/routing`

        Args:
            org_id: Id of the organisation
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The policies

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RoutingPolicyList = self._client.request(
            Call(
                method="GET",
                path="/v1/orgs/{org_id}/routing",
                answer="RoutingPolicyList",
                server="control_plane",
                path_params={"org_id": org_id},
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer

    def update(
        self,
        *,
        org_id: str,
        name: str,
        priority: Union[int, None, Omit] = omit,
        condition: Union[Dict[str, Optional[Any]], None, Omit] = omit,
        action: Union[Dict[str, Optional[Any]], None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> _t.RoutingPolicy:
        """Update a routing policy

        What is named is replaced. The organisation's configuration gets a new version.

        `PATCH /v1/orgs/{org_id}/routing/{name}`

        Args:
            org_id: Id of the organisation
            name: Name of the policy
            priority: Lower is tried first.
            condition: Which requests: replaced as a whole.
            action: Where they go: replaced as a whole.
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            The policy

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        answer: _t.RoutingPolicy = self._client.request(
            Call(
                method="PATCH",
                path="/v1/orgs/{org_id}/routing/{name}",
                answer="RoutingPolicy",
                server="control_plane",
                path_params={"org_id": org_id, "name": name},
                body={
                    "priority": priority,
                    "condition": condition,
                    "action": action,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return answer


class RoutingWithRawResponse:
    def __init__(self, resource: Routing) -> None:

        self.create = raw(resource.create)

        self.delete = raw(resource.delete)

        self.list = raw(resource.list)

        self.update = raw(resource.update)


class RoutingWithStreamingResponse:
    def __init__(self, resource: Routing) -> None:

        self.create = streaming(resource.create)

        self.delete = streaming(resource.delete)

        self.list = streaming(resource.list)

        self.update = streaming(resource.update)


class Usage:
    """usage: What has been used, and what it cost."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def with_raw_response(self) -> UsageWithRawResponse:
        """The same methods; they give the answer with its HTTP."""
        return UsageWithRawResponse(Usage(View(self._client._raw)))

    @cached_property
    def with_streaming_response(self) -> UsageWithStreamingResponse:
        """The same methods; they give context managers around answers that were not read yet."""
        return UsageWithStreamingResponse(Usage(View(self._client._streaming)))

    def list(
        self,
        *,
        since: Union[str, None, Omit] = omit,
        until: Union[str, None, Omit] = omit,
        group_by: Union[str, None, Omit] = omit,
        key: Union[str, None, Omit] = omit,
        user: Union[str, None, Omit] = omit,
        model: Union[str, None, Omit] = omit,
        provider: Union[str, None, Omit] = omit,
        endpoint: Union[str, None, Omit] = omit,
        status: Union[str, None, Omit] = omit,
        limit: Union[int, None, Omit] = omit,
        cursor: Union[str, None, Omit] = omit,
        extra_headers: Optional[Headers] = None,
        extra_query: Optional[Mapping[str, Any]] = None,
        extra_body: Optional[Mapping[str, Any]] = None,
        timeout: Union[TimeoutTypes, Omit] = omit,
    ) -> SyncPage[_t.UsageRow]:
        """Report usage

        Requests, errors, tokens, cost and latency of the key's organisation, by any combination of day,
        hour, key, user, model, provider, endpoint, status and members of the requests' metadata. Usage is
        counted by the hour, about a second after a request has ended; `freshness` says how far behind it
        is. Rows come in the order of `group_by`, page after page; `totals` are those of all pages. Beyond
        10,000 combinations within an hour, new users and metadata (then new models) are counted together as
        `other`.

        A filter may be given several times: any of its values. `metadata.NAME=VALUE` keeps requests whose
        metadata have that value; `group_by` takes `metadata.NAME` too.

        `GET /v1/usage`

        Args:
            since: The first hour that counts: a day (`2026-11-28`, in UTC) or a moment (RFC 3339), down to the hour;
                30 days before `until` without it. Also understood as `from`
            until: The first hour that does not count any more: a day or a moment, up to the hour; now without it. Also
                understood as `to`
            group_by: What rows are told apart by, with commas between: `day`, `hour`, `org`, `key`, `user`, `model`,
                `provider`, `endpoint`, `status`, `metadata.NAME`; only `totals` without it
            key: Only this client key, by its name
            user: Only this user
            model: Only this model, as the provider knows it
            provider: Only this provider
            endpoint: Only this endpoint: `chat.completions`, …
            status: Only requests that ended so: `answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`
            limit: Rows of a page, 1 to 1000; 100 without it
            cursor: `next_cursor` of the page before
            extra_headers: More headers; `create_headers` knows the gateway's.
            extra_query: More query parameters.
            extra_body: More members of the body; they win.
            timeout: Seconds, or a `Timeout`, instead of the client's.

        Returns:
            What has been used

        Raises:
            APIStatusError: The answer was an error.
                4XX: The request cannot be served as it is
                5XX: The gateway is overloaded or draining
            APIConnectionError: There was no answer; `APITimeoutError` when there was none in time.
        """
        page: SyncPage[_t.UsageRow] = self._client.request(
            Call(
                method="GET",
                path="/v1/usage",
                answer="UsageReport",
                page=True,
                query={
                    "since": since,
                    "until": until,
                    "group_by": group_by,
                    "key": key,
                    "user": user,
                    "model": model,
                    "provider": provider,
                    "endpoint": endpoint,
                    "status": status,
                    "limit": limit,
                    "cursor": cursor,
                },
                extra_headers=extra_headers,
                extra_query=extra_query,
                extra_body=extra_body,
                timeout=timeout,
            )
        )
        return page


class UsageWithRawResponse:
    def __init__(self, resource: Usage) -> None:

        self.list = raw(resource.list)


class UsageWithStreamingResponse:
    def __init__(self, resource: Usage) -> None:

        self.list = streaming(resource.list)


class Chat:
    """chat"""

    def __init__(self, client: Any) -> None:
        self._client = client

    @cached_property
    def completions(self) -> ChatCompletions:
        return ChatCompletions(self._client)
