"""What a source says of a month's file: whether it is published, and by what it is recognised."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from taxi_pipeline.http import http_answer
from taxi_pipeline.trips import validators
from taxi_pipeline.trips.download import file_system
from taxi_pipeline.trips.failures import PUBLISHING, unpublished
from taxi_pipeline.trips.urls import SYNTHETIC, is_http

# Answers that deny a file; TLC answers 403 for files that it does not have.
_DENIALS = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Answer:
    """What a source says of a file.

    Attributes:
        published: whether the source offers the file; None if it does not say.
        validators: by what the file is recognised, see :mod:`.validators`.
        problem: why it is not offered, or the source does not say, in a few words without secrets.
        is_silent: whether the source did not answer at all.
        asked: when the source was asked, in UTC.
    """

    published: bool | None
    validators: Mapping[str, str | int] = field(default_factory=dict)
    problem: str = ""
    is_silent: bool = False
    asked: datetime = field(default_factory=_now)


def ask(url: str, *, timeout: float) -> Answer:
    """What the source says of a month's file, which is not fetched.

    Args:
        url: the file, as fsspec understands it.
        timeout: seconds that the answer may take over HTTP. Other file systems have limits of
            their own.
    """
    asked = _now()
    if is_http(url):
        return _ask_server(url, timeout, asked)
    if (path := local_path(url)) is not None:
        return _ask_disk(path, asked)
    try:
        # Not an instance of fsspec's cache, which may remember an old listing.
        files, place = file_system(url, {"skip_instance_cache": True})
        info = files.info(place)
        found = validators.of_info(info)
        if set(found) <= {"size"} and not url.startswith(SYNTHETIC):
            found["ukey"] = str(files.ukey(place))
    except FileNotFoundError:
        return Answer(published=False, problem="no such file", asked=asked)
    except Exception as error:  # noqa: BLE001  (a file system may raise anything)
        # Its text may show secrets.
        return Answer(published=None, problem=type(error).__name__, asked=asked)
    return Answer(published=True, validators=found, asked=asked)


def _ask_server(url: str, timeout: float, asked: datetime) -> Answer:
    answer = http_answer(url, timeout)
    if answer.status == HTTPStatus.OK:
        found = validators.of_headers(answer.headers)
        return Answer(published=True, validators=found, asked=asked)
    if not answer.status:
        return Answer(published=None, problem=answer.problem, is_silent=True, asked=asked)
    denied = False if answer.status in _DENIALS else None
    return Answer(published=denied, problem=_status_text(answer.status), asked=asked)


def _status_text(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _ask_disk(path: Path, asked: datetime) -> Answer:
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Answer(published=False, problem="no such file", asked=asked)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
        return Answer(published=None, problem=problem, asked=asked)
    return Answer(published=True, validators=validators.of_stat(stat), asked=asked)


def local_path(url: str) -> Path | None:
    """The file of this machine that a URL names; None if it is elsewhere or inside another file."""
    path = url.removeprefix("file://")
    if "::" in path or "://" in path:
        return None
    return Path(os.path.expanduser(path))  # noqa: PTH111  (an unknown user stays as it is)


def not_published(label: str, url: str) -> str:
    """The line for a month that its source does not offer."""
    return f"{label}: {unpublished(url)}; {PUBLISHING}"
