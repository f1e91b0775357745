"""Whether a month's file is published at its source."""

from __future__ import annotations

from http import HTTPStatus

from taxi_pipeline.http import http_status
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips.download import file_system
from taxi_pipeline.trips.failures import PUBLISHING
from taxi_pipeline.trips.urls import is_http

# Answers that deny a file; TLC answers 403 for files that it does not have.
_DENIALS = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def is_published(url: str, *, timeout: float) -> bool | None:
    """Whether the source offers a month's file; None if it does not say.

    A source that does not answer is not explained here: a fetch tries it again and explains it.

    Args:
        url: the file, as fsspec understands it.
        timeout: seconds that the answer may take over HTTP.
    """
    if is_http(url):
        status = http_status(url, timeout)
        return True if status == HTTPStatus.OK else False if status in _DENIALS else None
    try:
        files, path = file_system(url, {})
        return bool(files.exists(path))
    except Exception:  # noqa: BLE001  (a file system may raise anything)
        return None


def not_published(label: str, url: str) -> str:
    """The line for a month that its source does not offer."""
    denied = ", or denied for want of credentials or for too many requests" * is_http(url)
    return f"{label}: not published yet at {redact_url(url)}{denied}; {PUBLISHING}"
