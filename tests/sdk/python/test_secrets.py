"""A key goes to the gateway and nowhere else."""

from __future__ import annotations

import copy
import functools
import io
import json
import logging
import pickle
import pprint
import traceback

import prism
import pytest
from asking import async_chat, chat, with_async
from scripted import DONE, Scripted, answer, chunk, error, stream

KEY = "sk-prism-canary-0123456789"


def shown(value: object) -> str:
    """Every way in which an object ends up in a log."""
    ways = [repr(value), str(value), f"{value!r:>200}", pprint.pformat(value)]
    for attribute in ("__dict__", "__slots__"):
        ways.append(repr(getattr(value, attribute, "")))
    as_json = functools.partial(json.dumps, default=lambda each: getattr(each, "__dict__", repr(each)), skipkeys=True)
    for dump in (pickle.dumps, copy.deepcopy, as_json):
        try:
            ways.append(repr(dump(value)))
        except Exception as refused:
            ways.append(repr(refused))
    return "\n".join(ways)


@pytest.mark.parametrize("kind", [prism.Prism, prism.AsyncPrism])
def test_a_client_shows_no_key(kind):
    client = kind(
        api_key=KEY,
        default_headers=prism.create_headers(api_key=KEY),
        base_url="http://user:pass-canary@127.0.0.1:9/v1",
    )
    assert KEY not in shown(client) and client.api_key == KEY
    assert KEY not in shown(client.chat.completions) and KEY not in shown(client.with_options(timeout=1))
    assert "pass-canary" not in repr(client)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client)


def test_answers_and_errors_show_no_key():
    with Scripted(answer(), error(400), stream([chunk("a"), DONE])) as server:
        client = prism.Prism(api_key=KEY, base_url=server.url, default_headers={"x-api-key": KEY})
        raw = client.chat.completions.with_raw_response.create(model="m", messages=[])
        with pytest.raises(prism.BadRequestError) as caught:
            chat(client)
        streamed = chat(client, stream=True)
        for value in (
            raw,
            raw.http_response,
            raw.parse(),
            caught.value,
            caught.value.response,
            streamed,
            streamed.response,
        ):
            assert KEY not in shown(value)
        assert KEY not in repr(raw.http_response.request.headers.raw) + repr(caught.value.response.request.headers.raw)
        assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)


@pytest.mark.parametrize(
    "ask",
    [
        lambda url: chat(prism.Prism(api_key=KEY, base_url=url, max_retries=0)),
        lambda url: with_async(url, async_chat, api_key=KEY),
    ],
)
def test_tracebacks_show_no_key_even_with_their_locals(ask):
    with pytest.raises(prism.APIConnectionError) as caught:
        ask("http://127.0.0.1:9")
    error: BaseException | None = caught.value
    while error is not None:
        # The tests' own frames know the key, of course.
        frames = [
            frame for frame, _ in traceback.walk_tb(error.__traceback__) if "/tests/" not in frame.f_code.co_filename
        ]
        assert frames and all(KEY not in repr(frame.f_locals) for frame in frames)
        request = getattr(error, "_request", None)
        assert request is None or KEY not in repr(request.headers.raw)
        error = error.__cause__ or error.__context__


def test_logs_show_no_key(monkeypatch):
    monkeypatch.setenv("PRISM_LOG", "debug")
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    root.addHandler(handler)
    monkeypatch.setattr(root, "level", logging.DEBUG)
    try:
        with Scripted(error(503), answer()) as server:
            client = prism.Prism(api_key=KEY, base_url=server.url, default_query={"token": "query-canary"})
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "body-canary"}])
    finally:
        root.removeHandler(handler)
        logging.getLogger("prism").setLevel(logging.NOTSET)
    log = said.getvalue()
    ours = "\n".join(line for line in log.splitlines() if "/v1/chat/completions" in line and "HTTP Request" not in line)
    assert "POST /v1/chat/completions: 503, retry 1" in ours and "POST /v1/chat/completions: 200" in ours
    assert KEY not in log and "body-canary" not in log and "query-canary" not in ours


def test_a_redirect_to_another_host_takes_no_key_along():
    with Scripted(answer()) as elsewhere:
        url = elsewhere.url.replace("127.0.0.1", "localhost")
        with Scripted(answer(307, {}, {"location": f"{url}/v1/chat/completions"})) as server:
            chat(prism.Prism(api_key=KEY, base_url=server.url))
        assert "authorization" not in elsewhere.requests[0].headers
