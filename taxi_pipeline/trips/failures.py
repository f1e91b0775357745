"""What a failed attempt to fetch a file means: its cause, and what to do about it.

Advice names arguments in backticks; the caller knows which options they come from.
"""

from __future__ import annotations

import errno
import sys
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
    """

    cause: str
    advice: str
    max_attempts: int = 1
    kind: type[SourceError] = SourceError


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


def diagnose(error: BaseException | None, url: str) -> Failure:
    """Cause and advice for an error that was raised while this URL was fetched."""
    names = {kind.__name__ for kind in type(error).__mro__}
    status = _status(error)
    cause = _cause(error, status, url)
    if isinstance(error, FileNotFoundError) or status in {404, 410}:
        return Failure(f"not published, {cause}", PUBLISHING, kind=MonthNotPublished)
    by_proxy = "ClientHttpProxyError" in names
    if status == HTTPStatus.FORBIDDEN and not by_proxy:
        advice = (
            "TLC answers so too when it throttles, and others where they want credentials: try "
            f"again later; {PUBLISHING}"
        )
        return Failure(f"not published, {cause}", advice, max_attempts=2, kind=MonthNotPublished)
    if status:
        transient = status in {408, 425, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        transient = bool(names & (_TRUNCATED | _CONNECTION)) and not names & _LASTING
    if transient:
        advice = "try again later, or raise `attempts` or `timeout`"
        return Failure(cause, advice, max_attempts=sys.maxsize)
    if by_proxy:
        return Failure(f"the proxy answers {cause}", "check HTTPS_PROXY and NO_PROXY")
    if getattr(error, "errno", None) == errno.ENOSPC:
        return Failure(cause, "make room on the disk of `root`")
    return Failure(cause, "check `url`" + (" and its credentials" if status else ""))


def _status(error: BaseException | None) -> int | None:
    """The HTTP status that an error stands for, if it stands for one."""
    botocore = getattr(getattr(error, "__cause__", None), "response", None)
    if isinstance(botocore, dict):  # s3fs raises a builtin exception from botocore's
        return int(botocore["ResponseMetadata"]["HTTPStatusCode"])
    return getattr(error, "status", None)


def _cause(error: BaseException | None, status: int | None, url: str) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, FileNotFoundError) and not status:
        return "HTTP 404 Not Found" if is_http(url) else "no such file"
    if names & _TRUNCATED:
        return "the transfer broke off and the file is truncated"
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    text = _without_secrets(text, url) or type(error).__name__
    if status:
        return f"HTTP {status} {text}"
    if isinstance(error, TimeoutError):
        return f"timed out, {text}"
    return text


def _without_secrets(text: str, url: str) -> str:
    """An error's text on one line."""
    return " ".join(redact_url(word) for word in text.replace(url, redact_url(url)).split())
