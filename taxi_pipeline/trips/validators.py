"""Validators: what a source says of a file by which a changed file is told without fetching it.

They are plain names and values, as HTTP calls them (RFC 9110): entity tag, time of modification,
length. Files of this machine and objects of a store have their counterparts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from typing import Any

Validators = Mapping[str, str | int]
"""The validators of a file by name; empty where a source gives none."""

_LENGTHS = ("Content-Length", "size")
_HEADERS = ("ETag", "Last-Modified")
# As the fsspec file systems of object stores, of servers and of archives name them.
_INFO = (
    *("ETag", "etag", "e_tag", "md5", "md5Hash", "content_md5", "crc32c", "checksum", "sha"),
    *("VersionId", "generation", "LastModified", "last_modified", "Last-Modified", "mtime"),
    *("modified", "updated", "modifiedTime"),
)


def of_headers(headers: Mapping[str, str]) -> dict[str, str | int]:
    """The validators among the headers of an HTTP answer.

    A length of zero is left out, since some servers answer HEAD so; as is that of an encoded form.
    """
    found: dict[str, str | int] = {name: headers[name] for name in _HEADERS if headers.get(name)}
    length = headers.get("Content-Length", "")
    encoding = headers.get("Content-Encoding", "identity")
    if length.isdecimal() and int(length) and encoding == "identity":
        found["Content-Length"] = int(length)
    return found


def of_stat(stat: os.stat_result) -> dict[str, str | int]:
    """The validators of a file of this machine."""
    return {"mtime_ns": stat.st_mtime_ns, "size": stat.st_size}


def of_info(info: Mapping[str, Any]) -> dict[str, str | int]:
    """The validators among what an fsspec file system says of a file."""
    found: dict[str, str | int] = {
        name: _text(info[name]) for name in _INFO if info.get(name) is not None
    }
    if isinstance(size := info.get("size"), int):
        found["size"] = size
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else str(value)


def length(validators: Validators) -> int | None:
    """The length of the file in bytes, where the source tells it."""
    return next((int(validators[name]) for name in _LENGTHS if name in validators), None)


def changed(before: Validators, now: Validators) -> list[str]:
    """The names of the validators by which a file seems to be another one; empty if it does not.

    Those that both have are compared; if they have none in common, all that there are now count as
    changed. An entity tag may become weak on its way (``W/"..."``): that is no change.
    """
    common = [name for name in now if name in before]
    if not common:
        return list(now)
    return [name for name in common if _strong(before[name]) != _strong(now[name])]


def _strong(value: str | int) -> str:
    return str(value).removeprefix("W/")
