"""What each failure is called, and what it tells."""

from __future__ import annotations

import pickle

import prism
import pytest
from asking import async_chat, chat, with_async
from scripted import Scripted, answer, error

CLASSES = {
    400: prism.BadRequestError,
    401: prism.AuthenticationError,
    403: prism.PermissionDeniedError,
    404: prism.NotFoundError,
    409: prism.ConflictError,
    413: prism.APIStatusError,
    422: prism.UnprocessableEntityError,
    429: prism.RateLimitError,
    500: prism.InternalServerError,
    502: prism.InternalServerError,
    503: prism.InternalServerError,
    504: prism.InternalServerError,
}


@pytest.mark.parametrize("status", CLASSES)
def test_a_status_has_its_class(status):
    with Scripted(error(status, {"x-prism-request-id": "req_1", "retry-after": "3"})) as server:
        with pytest.raises(prism.APIStatusError) as caught:
            chat(prism.Prism(base_url=server.url, max_retries=0))
        with pytest.raises(CLASSES[status]):
            with_async(server.url, async_chat)
    seen = caught.value
    assert type(seen) is CLASSES[status]
    assert (seen.status_code, seen.type, seen.code, seen.param) == (status, "t", "c", "p")
    assert (seen.request_id, seen.retry_after) == ("req_1", 3.0)
    assert str(seen) == f"Error code: {status} - no" and seen.body["error"]["message"] == "no"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 429, 500, 502, 503])
def test_the_simulators_errors_arrive_typed(client, status):
    with pytest.raises(prism.APIStatusError) as caught:
        chat(client, f"simulator/echo?status={status}")
    # The gateway calls a provider's 500 a 502 and its refused credential its own trouble.
    assert isinstance(caught.value, CLASSES[caught.value.status_code])
    assert caught.value.prism.provider == "simulator" and caught.value.request_id


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(prism.NotFoundError) as caught:
        chat(client, "nobody/nothing")
    assert caught.value.code == "model_not_found"


def test_errors_survive_pickling():
    with Scripted(error(429, {"x-request-id": "req_2"})) as server, pytest.raises(prism.RateLimitError) as caught:
        chat(prism.Prism(base_url=server.url, max_retries=0))
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is prism.RateLimitError and (again.status_code, again.request_id) == (429, "req_2")
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b'"text"', b"[1]", b'{"error": "plain"}'])
def test_any_body_of_an_error_will_do(body):
    with Scripted(answer(503, body)) as server, pytest.raises(prism.InternalServerError):
        chat(prism.Prism(base_url=server.url, max_retries=0))


def test_no_server_is_a_connection_error():
    with pytest.raises(prism.APIConnectionError, match="Connection error"):
        chat(prism.Prism(base_url="http://127.0.0.1:9", max_retries=1))
    with pytest.raises(prism.APIConnectionError):
        with_async("http://127.0.0.1:9", async_chat)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80"])
def test_a_url_that_cannot_work_is_not_retried(url):
    with pytest.raises(prism.APIConnectionError):
        chat(prism.Prism(base_url=url, max_retries=5))


@pytest.mark.parametrize("body", [b"not json", b"[1, 2]", b'"text"'])
def test_an_answer_that_is_none(body):
    with Scripted(answer(200, body)) as server, pytest.raises(prism.APIResponseValidationError):
        chat(prism.Prism(base_url=server.url, max_retries=0))


def test_every_error_is_a_prism_error():
    for name in prism.__all__:
        each = getattr(prism, name)
        if isinstance(each, type) and issubclass(each, Exception):
            assert issubclass(each, prism.PrismError)
