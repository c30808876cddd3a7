"""When a call is tried again, and after how long. Nothing here waits or sends."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Mapping, Optional

from ._errors import APIConnectionError, APIError, APITimeoutError, error_from
from ._timeouts import Deadline, Timeout

if TYPE_CHECKING:
    import httpx

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
LONGEST_RETRY_AFTER = 60.0


class Attempts:
    """One call: how often it may be tried, and until when."""

    def __init__(self, timeout: Timeout, max_retries: int) -> None:
        self.deadline = Deadline(timeout)
        self.retries = 0
        self._left = max_retries

    def after_failure(self, error: Exception, *, timed_out: bool, hopeless: bool = False) -> float:
        """The wait before the next attempt, or the error to show."""
        if not hopeless and self._may_retry():
            return self._next(backoff(self.retries))
        if timed_out:
            raise APITimeoutError() from error
        raise APIConnectionError(f"Connection error: {error or type(error).__name__}") from error

    def after_status(self, response: httpx.Response) -> float:
        """The same for an answer that is an error and was read."""
        wait = retry_after(response.headers)
        wait = backoff(self.retries) if wait is None or wait > LONGEST_RETRY_AFTER else wait
        remaining = self.deadline.remaining()
        too_late = remaining is not None and wait >= remaining
        if too_late or not should_retry(response.status_code, response.headers) or not self._may_retry():
            raise error_from(response) from None
        return self._next(wait)

    def _may_retry(self) -> bool:
        return self._left > 0 and not self.deadline.passed()

    def _next(self, wait: float) -> float:
        self._left -= 1
        self.retries += 1
        return self.deadline.at_most(wait) or 0.0


def should_retry(status: int, headers: Mapping[str, str]) -> bool:
    hint = headers.get("x-should-retry")
    if hint in ("true", "false"):
        return hint == "true"
    return status in (408, 409, 429) or status >= 500


def backoff(retries: int) -> float:
    """0.5 s, 1 s, 2 s … 8 s, each shortened by up to a quarter so that clients do not return in step."""
    wait = min(FIRST_WAIT * 2.0 ** min(retries, 10), LONGEST_WAIT)
    return float(wait * (1 - 0.25 * random.random()))


def retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Seconds, from `retry-after-ms` or from `retry-after` as seconds or a date."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return _sane(float(milliseconds) / 1000)
        if (given := headers.get("retry-after")) is None:
            return None
        try:
            return _sane(float(given))
        except ValueError:
            from email.utils import parsedate_to_datetime

            return max(parsedate_to_datetime(given).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _sane(seconds: float) -> Optional[float]:
    return seconds if 0 <= seconds < float("inf") else None


def as_api_error(error: Exception, *, timed_out: bool) -> APIError:
    """What a failure in the middle of a stream is called."""
    return APITimeoutError() if timed_out else APIConnectionError(f"Connection error: {error or type(error).__name__}")
