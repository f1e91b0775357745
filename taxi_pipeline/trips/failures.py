"""What a failed attempt to fetch a file means: its cause, and what to do about it.

Advice names arguments in backticks; the caller knows which options they come from.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from taxi_pipeline.errors import MonthNotPublished, SourceError
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips.urls import is_http


class Truncated(Exception):
    """Fewer bytes were received than the source announced."""


class Failure(NamedTuple):
    """What a failed attempt means for a person.

    Attributes:
        cause: what happened, in a few words without secrets.
        advice: what to do about it.
        max_attempts: how many attempts in all may be made after such a failure.
        kind: what to raise after the last one.
        retry_after: seconds that the source asks to wait before the next attempt.
    """

    cause: str
    advice: str
    max_attempts: int = 1
    kind: type[SourceError] = SourceError
    retry_after: float = 0.0


# Classes are known by name, so that no package is imported to tell which error it is. botocore has
# errors of the same names as builtin ones.
_TRUNCATED = {"Truncated", "ClientPayloadError", "IncompleteReadError"}
_CONNECTION = {"ConnectionError", "TimeoutError", "ClientConnectionError", "HTTPClientError"}
_LASTING = {"ClientConnectorCertificateError", "ServerFingerprintMismatch"}

PUBLISHING = (
    "months appear about two months late, and a month is needed both to train on it and, as "
    "evaluation month, to train on the month before: choose an earlier month or check `url`"
)
"""What to do where a month is not published."""


OFFERED = (
    "the source says that it has the file, but does not give it: try again later, or check `url` "
    "and its credentials"
)
"""What to do where a file is denied that its source offered just before."""


def diagnose(error: BaseException | None, url: str, *, is_offered: bool = False) -> Failure:
    """Cause and advice for an error that was raised while this URL was fetched.

    Args:
        error: what was raised.
        url: what was fetched.
        is_offered: whether the source has said just before that it has the file.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    status = _status(error)
    cause = _cause(error, status, url)
    by_proxy = "ClientHttpProxyError" in names
    if isinstance(error, FileNotFoundError) or status in {404, 410}:
        return _denied(cause, PUBLISHING, 1, is_offered=is_offered)
    if status == HTTPStatus.FORBIDDEN and not by_proxy:
        advice = (
            "TLC answers so too when it throttles, and others where they want credentials: try "
            f"again later; {PUBLISHING}"
        )
        denied = _denied(cause, advice, 2, is_offered=is_offered)
        return denied._replace(retry_after=_retry_after(error))
    if status:
        transient = status in {408, 425, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        transient = bool(names & (_TRUNCATED | _CONNECTION)) and not names & _LASTING
    if transient:
        advice = "try again later, or raise `attempts` or `timeout`"
        return Failure(cause, advice, max_attempts=sys.maxsize, retry_after=_retry_after(error))
    if by_proxy:
        return Failure(f"the proxy answers {cause}", "check HTTPS_PROXY and NO_PROXY")
    return Failure(cause, "check `url`" + (" and its credentials" if status else ""))


def _denied(cause: str, advice: str, max_attempts: int, *, is_offered: bool) -> Failure:
    """The source has no such file for us, whatever it said just before."""
    if is_offered:
        return Failure(cause, OFFERED, max_attempts)
    return Failure(cause, advice, max_attempts, kind=MonthNotPublished)


def unpublished(url: str) -> str:
    """What it means that a source denies a month: a web server may refuse it as well."""
    return f"not published yet at {redact_url(url)}" + ", or refused" * is_http(url)


def _retry_after(error: BaseException | None) -> float:
    """Seconds that the source asks to wait (RFC 9110, Retry-After); 0 if it does not say."""
    headers = getattr(error, "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:  # as for -0000, an unknown zone
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _status(error: BaseException | None) -> int | None:
    """The HTTP status that an error stands for, if it stands for one."""
    botocore = getattr(getattr(error, "__cause__", None), "response", None)
    if isinstance(botocore, dict):  # s3fs raises a builtin exception from botocore's
        return int(botocore["ResponseMetadata"]["HTTPStatusCode"])
    # aiohttp gives errors that stand for no answer a status of 0, and for a redirection its own.
    status = getattr(error, "status", None)
    return status if status and status >= HTTPStatus.BAD_REQUEST else None


def _cause(error: BaseException | None, status: int | None, url: str) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, FileNotFoundError) and not status:
        return "HTTP 404 Not Found" if is_http(url) else "no such file"
    if "TooManyRedirects" in names:
        return "it redirects without end"
    if names & _TRUNCATED:
        return "the transfer broke off and the file is truncated"
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    text = _without_secrets(text, url) or type(error).__name__
    if status:
        return f"HTTP {status} {text}"
    if isinstance(error, TimeoutError):
        return f"timed out, {text}" if str(error) else "timed out"
    return text


def _without_secrets(text: str, url: str) -> str:
    """An error's text on one line."""
    return " ".join(redact_url(word) for word in text.replace(url, redact_url(url)).split())
