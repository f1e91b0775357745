"""Where a browser finds what is kept under the storage root."""

from __future__ import annotations

from http import HTTPStatus

from taxi_pipeline import config
from taxi_pipeline.http import http_status
from taxi_pipeline.redaction import register_url_secrets, strip_credentials

FILES = "files"
"""The path under which `python -m taxi_pipeline luigid` shows the storage root."""

TIMEOUT_SECONDS = 2.0
"""Seconds that the scheduler may take to say whether it shows a file."""

_scheduler = ""
_shown: dict[tuple[str, str], bool] = {}


def set_scheduler_url(url: str) -> None:
    """Name the central scheduler that this process works for; empty for none."""
    global _scheduler  # noqa: PLW0603  (a process has one)
    register_url_secrets(url)
    _scheduler = url.rstrip("/")


def browser_url(location: str) -> str:
    """The URL at which a browser sees a location; empty if no browser can see it.

    Args:
        location: relative to the storage root; a file that is there, or the folder of one.
    """
    storage = config.storage()
    if storage.url:
        return f"{strip_credentials(storage.url).rstrip('/')}/{location}"
    if not _scheduler:
        return ""
    at = f"{_scheduler}/{FILES}/{location}"
    # Asked for once: a scheduler may show another folder than the one that is written to here.
    if (_scheduler, storage.root) not in _shown:
        answer = http_status(at, TIMEOUT_SECONDS)
        if not answer:
            return ""
        _shown[_scheduler, storage.root] = answer == HTTPStatus.OK
    return strip_credentials(at) if _shown[_scheduler, storage.root] else ""
