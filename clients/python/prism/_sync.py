"""The synchronous client's machinery: ask, wait, ask again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, Optional, Type

from . import _logs
from ._base import BaseClient, answer_type, upload_of
from ._call import Call
from ._retries import Attempts, retry_after, should_retry

if TYPE_CHECKING:
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from ._files import Upload
    from ._responses import APIResponse, StreamedResponse
    from ._resume import Again, Place


class Connections:
    """A client's pool, made by the first call and shared with its copies."""

    def __init__(self, http_client: Optional[httpx.Client]) -> None:
        self._made: Dict[str, httpx.Client] = {} if http_client is None else {"http": http_client}

    def http(self) -> httpx.Client:
        if (made := self._made.get("http")) is not None:
            return made
        import httpx

        from ._http import LIMITS

        # Of several threads that come at once, all take the first one's.
        return self._made.setdefault("http", httpx.Client(follow_redirects=True, limits=LIMITS))

    def close(self) -> None:
        for http in self._made.values():
            http.close()


class SyncClient(BaseClient):
    _connections: Connections

    def request(self, call: Call) -> Any:
        call, place = self._resumption(call)
        return self._read(call, self._send(call, body_later=call.stream), place)

    def _raw(self, call: Call) -> APIResponse[Any]:
        from ._responses import APIResponse

        call, place = self._resumption(call)
        response = self._send(call, body_later=call.stream)
        return APIResponse(response, lambda: self._read(call, response, place))

    def _streaming(self, call: Call) -> StreamedResponse[Any]:
        from ._responses import StreamedResponse

        response = self._send(call, body_later=True)
        return StreamedResponse(response, lambda: self._read(call, response))

    def _read(self, call: Call, response: httpx.Response, place: Optional[Place] = None) -> Any:
        if call.stream:
            from ._resume import Body
            from ._streams import Stream

            body = Body(response, place, lambda place: self._again(call, place))
            return Stream(body, answer_type(call.event), call.end)
        if call.binary:
            from ._responses import BinaryResponse

            response.read()
            return BinaryResponse(response)
        if call.answer is None:
            return None
        from ._models import model

        answer = model(answer_type(call.answer), response.read(), response.headers)
        if call.page:
            from ._pages import SyncPage

            return SyncPage(self, call, answer)
        return answer

    def _send(self, call: Call, *, body_later: bool) -> httpx.Response:
        import httpx

        from ._http import HOPELESS, scrub_error

        attempts = Attempts(self._timeout_of(call), self.max_retries)
        upload = upload_of(call)
        while True:
            try:
                response = self._attempt(call, attempts, upload, body_later)
                if response.is_success:
                    return response
                wait, why = attempts.after_status(response), str(response.status_code)
            except httpx.RequestError as error:
                scrub_error(error)
                timed_out, hopeless = isinstance(error, httpx.TimeoutException), isinstance(error, HOPELESS)
                wait, why = attempts.after_failure(error, timed_out=timed_out, hopeless=hopeless), type(error).__name__
            _logs.waiting(call.method, call.path, why, wait, attempts.retries)
            time.sleep(wait)

    def _again(self, call: Call, place: Place) -> Again:
        """Asks once for the rest of a stream."""
        import httpx

        from ._http import scrub_error
        from ._resume import Again

        if self._connections.http().is_closed:
            return Again(hopeless=True)
        attempts = Attempts(self._time_for_rest(call, place), 0)
        try:
            response = self._attempt(self._rest(call, place), attempts, None, body_later=True)
        except httpx.RequestError as error:
            scrub_error(error)
            return Again()
        if response.is_success:
            return Again(response)
        hopeless = not should_retry(response.status_code, response.headers)
        return Again(hopeless=hopeless, asked=retry_after(response.headers))

    def _attempt(self, call: Call, attempts: Attempts, upload: Optional[Upload], body_later: bool) -> httpx.Response:
        """One answer; read, unless it is good and its reader wants to read it."""
        from ._http import USE_CLIENT_DEFAULT, Bearer, Bounded, let_stream_rest, scrub, timeouts

        http, began = self._connections.http(), time.monotonic()
        arguments = self._request_arguments(call, upload)
        request = http.build_request(**arguments, timeout=timeouts(attempts.deadline))
        auth = Bearer(self._secret) if self._secret and self._needs_key(call) else USE_CLIENT_DEFAULT
        response = http.send(request, auth=auth, stream=True)
        scrub(response)
        request_id = response.headers.get("x-request-id")
        _logs.answered(call.method, call.path, response.status_code, time.monotonic() - began, request_id)
        if body_later and response.is_success:
            let_stream_rest(response, attempts.deadline.timeout.idle)
            return response
        try:
            response.stream = Bounded(response.stream, response, attempts.deadline)  # type: ignore[arg-type]
            response.read()
        finally:
            response.close()
        return response

    def close(self) -> None:
        """Closes the connections, also those of copies."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.close()
