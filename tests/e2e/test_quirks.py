"""Providers that are almost OpenAI: what they refuse is cut from the bytes and said, what they answer oddly is mended."""

from __future__ import annotations

import json
import re

import openai
import pytest

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.http1 import events, text_of
from support.upstream import DONE, chunk, completion, event, json_reply, sse, stream_frames
from support.waiting import eventually

TYPES = ["openai", "groq", "mistral", "together", "fireworks", "openrouter", "tgi"]


@pytest.fixture(scope="module")
def gateway(upstream):
    """Every type at once; the model's prefix chooses."""
    providers = {name: provider(upstream, f"{name}-model", api_key=f"sk-upstream-{name}") for name in TYPES}
    with Gateway({"providers": providers, "routing": ONE_TRY}) as gateway:
        yield gateway


def send(gateway, upstream, name, script=None, **fields):
    """A request to that type: what arrived upstream, and the answer."""
    upstream.script(script or json_reply(completion()))
    reply = gateway.chat(ask(f"{name}-model") | fields)
    assert reply.status == 200, reply.body
    return upstream.last, reply


def without(document: dict, *names: str) -> dict:
    return {name: value for name, value in document.items() if name not in names}


def assert_says(reply, *fields):
    """`x-prism-translation` names each field, and no header at all when there is none."""
    said = reply.header("x-prism-translation")
    if not fields:
        assert said is None, said
    for field in fields:
        assert field in said, f"{field} is missing in {said!r}"


def test_openai_itself_is_never_touched(gateway, upstream):
    fields = {"logprobs": True, "top_logprobs": 2, "logit_bias": {"1": 2}, "seed": 7, "user": "u", "stop": "x",
              "max_completion_tokens": 5, "store": False, "parallel_tool_calls": False}
    odd = completion(finish_reason="eos", odd=True)
    sent, reply = send(gateway, upstream, "openai", json_reply(odd), **fields)
    assert sent.json() == ask("openai-model") | fields
    assert reply.json() == odd
    assert_says(reply)
    assert sent.header("authorization") == "Bearer sk-upstream-openai"


def test_openai_gets_no_message_fields_that_it_refuses(gateway, upstream):
    """Clients replay `reasoning_content` and the like; OpenAI answers them with 400."""
    replayed = [{"role": "assistant", "content": "a", "reasoning_content": "hm", "provider_specific_fields": {"a": [1]}},
                {"role": "user", "content": "b"}]
    sent, reply = send(gateway, upstream, "openai", messages=replayed)
    assert sent.json()["messages"] == [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]
    assert_says(reply, "reasoning_content", "provider_specific_fields")


def test_groq_gets_no_logprobs_no_logit_bias_and_no_names(gateway, upstream):
    messages = [{"role": "user", "name": "ann", "content": "a"}, {"name": "bob", "role": "user", "content": "b"}]
    sent, reply = send(gateway, upstream, "groq", messages=messages, logprobs=True, top_logprobs=3,
                       logit_bias={"5": 1.0}, seed=7)
    assert sent.json() == {"model": "groq-model", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
                           "seed": 7}
    assert_says(reply, "logprobs", "top_logprobs", "logit_bias", "name")


def test_what_is_not_cut_keeps_its_bytes(gateway, upstream):
    upstream.script(json_reply(completion()))
    body = b'{ "logit_bias":{"1" : 2} ,"odd" : 1.0,"model" :"groq-model", "messages":[{"role":"user","content":"x"}],"top_p":1e0,"logprobs":true}'
    assert gateway.chat(body).status == 200
    sent = upstream.last.body
    assert b'"odd" : 1.0' in sent and b'"model" :"groq-model"' in sent and b'"top_p":1e0' in sent
    assert set(json.loads(sent)) == {"odd", "model", "messages", "top_p"}


def test_groq_usage_under_x_groq_is_counted(gateway, upstream):
    frames = stream_frames("hi")
    frames[-2] = event(chunk({}, "stop", x_groq={"id": "r", "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}}))
    before = gateway.metrics().total("prism_tokens_total", provider="groq")
    _, reply = send(gateway, upstream, "groq", sse(*frames), stream=True)
    assert reply.body == b"".join(frames)
    eventually(lambda: gateway.metrics().total("prism_tokens_total", provider="groq") == before + 42, what="the usage")


def test_mistral_gets_its_own_names_and_no_strangers(gateway, upstream):
    sent, reply = send(gateway, upstream, "mistral", seed=7, max_completion_tokens=5, user="u", logit_bias={}, store=True,
                       messages=[{"role": "developer", "content": "be brief"}, {"role": "user", "name": "ann", "content": "hi"}])
    assert sent.json() == {"model": "mistral-model", "random_seed": 7, "max_tokens": 5,
                           "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]}
    assert_says(reply, "user", "logit_bias", "store", "name")


def test_mistral_streams_are_not_asked_for_usage(gateway, upstream):
    frames = stream_frames("hi", usage=True)
    sent, reply = send(gateway, upstream, "mistral", sse(*frames), stream=True)
    assert "stream_options" not in sent.json()
    assert text_of(reply.body) == "hi" and reply.body.endswith(DONE)


def test_mistral_gets_tool_ids_of_nine_letters_and_the_client_gets_its_own_back(gateway, upstream):
    call = {"id": "call_0123456789abcdef", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": call["id"], "content": "42"}]
    sent, _ = send(gateway, upstream, "mistral", messages=messages)
    given = sent.json()["messages"][1]["tool_calls"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9]{9}", given)
    assert sent.json()["messages"][2]["tool_call_id"] == given
    again, _ = send(gateway, upstream, "mistral", messages=messages)
    assert again.body == sent.body, "the same request gives the same bytes: prompt caches live on it"


def test_mistral_answers_are_mended(gateway, upstream):
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "let me see"}]}, {"type": "text", "text": "42"}]
    _, reply = send(gateway, upstream, "mistral", json_reply(completion(parts, finish_reason="model_length")))
    choice = reply.json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "42"
    assert choice["message"]["reasoning_content"] == "let me see"


def test_mistral_streams_are_mended(gateway, upstream):
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    frames = [event(chunk({"role": "assistant", "content": thinking})), event(chunk({"content": "42"})),
              event(chunk({"content": ""}, "model_length")), DONE]
    _, reply = send(gateway, upstream, "mistral", sse(*frames), stream=True)
    found = [e.json()["choices"][0] for e in events(reply.body) if e.data != "[DONE]"]
    assert found[0]["delta"]["reasoning_content"] == "hm"
    assert all(isinstance(choice["delta"].get("content") or "", str) for choice in found)
    assert found[-1]["finish_reason"] == "length"


def test_together_says_eos_and_the_client_reads_stop(gateway, upstream):
    odd = b'{"choices":[{"index":0,"finish_reason" : "eos","message":{"role":"assistant","content":"\\"finish_reason\\":\\"eos\\""}}],"n":1.0}'
    _, reply = send(gateway, upstream, "together", json_reply(odd))
    assert reply.body == odd.replace(b': "eos"', b': "stop"'), "mended in place, and only there"
    _, reply = send(gateway, upstream, "together", sse(*stream_frames("hi", finish_reason="eos")), stream=True)
    assert reply.body == b"".join(stream_frames("hi"))


def test_fireworks_models_get_their_prefix(gateway, upstream):
    sent, _ = send(gateway, upstream, "fireworks")
    assert sent.json()["model"] == "accounts/fireworks/models/fireworks-model"
    upstream.script(json_reply(completion()))
    assert gateway.chat(ask("fireworks/accounts/acme/models/m")).status == 200
    assert upstream.last.json()["model"] == "accounts/acme/models/m"


def test_openrouter_comments_are_no_content(gateway, upstream):
    frames = [b": OPENROUTER PROCESSING\n\n", b": OPENROUTER PROCESSING\n\n", *stream_frames("hi")]
    _, reply = send(gateway, upstream, "openrouter", sse(*frames), stream=True)
    assert text_of(reply.body) == "hi" and reply.body.endswith(DONE)


ODD_ERRORS = {
    "OpenAI": {"error": {"message": "it hurts", "type": "invalid_request_error", "param": "n", "code": "bad_n"}},
    "code is a number": {"error": {"code": 400, "message": "it hurts", "metadata": {"a": 1}}},
    "error is a string": {"error": "it hurts", "error_type": "validation"},
    "message alone": {"message": "it hurts"},
    "detail is a string": {"detail": "it hurts"},
    "detail is a list": {"detail": [{"loc": ["body", "n"], "msg": "it hurts", "type": "extra_forbidden"}]},
    "error object": {"object": "error", "message": "it hurts", "type": "invalid", "param": None, "code": 3280},
    "type is null": {"error": {"message": "it hurts", "type": None, "param": "prompt", "code": "ResponsibleAI"}},
}


@pytest.mark.parametrize("body", ODD_ERRORS.values(), ids=ODD_ERRORS.keys())
@pytest.mark.parametrize("status", [400, 422])
def test_every_shape_of_error_becomes_openais(gateway, upstream, body, status):
    upstream.script(json_reply(body, status))
    reply = gateway.chat(ask("tgi-model"))
    assert reply.status == status
    assert "it hurts" in reply.error()["message"]


@pytest.mark.parametrize("body, content_type", [
    (b"<html><body><h1>400 Bad Request</h1>nginx at http://10.0.0.7:8080</body></html>", "text/html"),
    (b"", "application/json"), (b"plain words from http://internal.example:99/x", "text/plain"), (b"{", "application/json"),
    (b"[]", "application/json"), (b'{"error":null}', "application/json"), (b"\xff\xfe", "application/json"),
])
def test_an_unreadable_error_is_still_a_clear_one(gateway, upstream, body, content_type):
    upstream.script(json_reply(body, 400, content_type=content_type))
    reply = gateway.chat(ask("tgi-model"))
    assert reply.status == 400
    assert "10.0.0.7" not in reply.error()["message"] and "internal.example" not in reply.body.decode()


def test_the_sdk_reads_a_mended_error(gateway, upstream):
    upstream.script(json_reply({"detail": [{"loc": ["body", "n"], "msg": "extra", "type": "extra_forbidden"}]}, 422))
    with pytest.raises(openai.UnprocessableEntityError) as raised:
        gateway.openai().chat.completions.create(**ask("mistral-model"))
    assert "extra" in raised.value.message
