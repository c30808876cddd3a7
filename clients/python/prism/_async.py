"""The asynchronous client's machinery, the sibling of `_sync`. Runs on asyncio and on trio."""

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
    from ._responses import APIResponse, AsyncStreamedResponse
    from ._resume import Again, Place


class AsyncConnections:
    """A client's pool, made by the first call and shared with its copies."""

    def __init__(self, http_client: Optional[httpx.AsyncClient]) -> None:
        self._made: Dict[str, httpx.AsyncClient] = {} if http_client is None else {"http": http_client}

    def http(self) -> httpx.AsyncClient:
        if (made := self._made.get("http")) is not None:
            return made
        import httpx

        from ._http import LIMITS

        # Of several threads that come at once, all take the first one's.
        return self._made.setdefault("http", httpx.AsyncClient(follow_redirects=True, limits=LIMITS))

    async def close(self) -> None:
        for http in self._made.values():
            await http.aclose()


class AsyncClient(BaseClient):
    _connections: AsyncConnections

    async def request(self, call: Call) -> Any:
        call, place = self._resumption(call)
        return await self._read(call, await self._send(call, body_later=call.stream), place)

    async def _raw(self, call: Call) -> APIResponse[Any]:
        from ._responses import APIResponse

        call, place = self._resumption(call)
        response = await self._send(call, body_later=call.stream)
        return APIResponse(response, lambda: self._made(call, response, place))

    async def _streaming(self, call: Call) -> AsyncStreamedResponse[Any]:
        from ._responses import AsyncStreamedResponse

        response = await self._send(call, body_later=True)
        return AsyncStreamedResponse(response, lambda: self._read(call, response))

    async def _read(self, call: Call, response: httpx.Response, place: Optional[Place] = None) -> Any:
        if not call.stream:
            await response.aread()
        return self._made(call, response, place)

    def _made(self, call: Call, response: httpx.Response, place: Optional[Place]) -> Any:
        if call.stream:
            from ._resume import AsyncBody
            from ._streams import AsyncStream

            body = AsyncBody(response, place, lambda place: self._again(call, place))
            return AsyncStream(body, answer_type(call.event), call.end)
        if call.binary:
            from ._responses import BinaryResponse

            return BinaryResponse(response)
        if call.answer is None:
            return None
        from ._models import model

        answer = model(answer_type(call.answer), response.content, response.headers)
        if call.page:
            from ._pages import AsyncPage

            return AsyncPage(self, call, answer)
        return answer

    async def _send(self, call: Call, *, body_later: bool) -> httpx.Response:
        import anyio
        import httpx

        from ._http import HOPELESS, scrub_error

        attempts = Attempts(self._timeout_of(call), self.max_retries)
        upload = upload_of(call)
        while True:
            try:
                with anyio.fail_after(attempts.deadline.remaining()):
                    response = await self._attempt(call, attempts, upload, body_later)
                if response.is_success:
                    return response
                wait, why = attempts.after_status(response), str(response.status_code)
            except TimeoutError as error:
                wait, why = attempts.after_failure(error, timed_out=True), "timeout"
            except httpx.RequestError as error:
                scrub_error(error)
                timed_out, hopeless = isinstance(error, httpx.TimeoutException), isinstance(error, HOPELESS)
                wait, why = attempts.after_failure(error, timed_out=timed_out, hopeless=hopeless), type(error).__name__
            _logs.waiting(call.method, call.path, why, wait, attempts.retries)
            await anyio.sleep(wait)

    async def _again(self, call: Call, place: Place) -> Again:
        """Asks once for the rest of a stream."""
        import anyio
        import httpx

        from ._http import scrub_error
        from ._resume import Again

        if self._connections.http().is_closed:
            return Again(hopeless=True)
        attempts = Attempts(self._time_for_rest(call, place), 0)
        try:
            with anyio.fail_after(attempts.deadline.remaining()):
                response = await self._attempt(self._rest(call, place), attempts, None, body_later=True)
        except TimeoutError:
            return Again()
        except httpx.RequestError as error:
            scrub_error(error)
            return Again()
        if response.is_success:
            return Again(response)
        hopeless = not should_retry(response.status_code, response.headers)
        return Again(hopeless=hopeless, asked=retry_after(response.headers))

    async def _attempt(
        self, call: Call, attempts: Attempts, upload: Optional[Upload], body_later: bool
    ) -> httpx.Response:
        """One answer; read, unless it is good and its reader wants to read it."""
        from ._http import USE_CLIENT_DEFAULT, Bearer, let_stream_rest, scrub, timeouts

        http, began = self._connections.http(), time.monotonic()
        arguments = self._request_arguments(call, upload)
        request = http.build_request(**arguments, timeout=timeouts(attempts.deadline))
        auth = Bearer(self._secret) if self._secret and self._needs_key(call) else USE_CLIENT_DEFAULT
        response = await http.send(request, auth=auth, stream=True)
        scrub(response)
        request_id = response.headers.get("x-request-id")
        _logs.answered(call.method, call.path, response.status_code, time.monotonic() - began, request_id)
        if body_later and response.is_success:
            let_stream_rest(response, attempts.deadline.timeout.idle)
            return response
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def close(self) -> None:
        """Closes the connections, also those of copies."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        await self.close()
