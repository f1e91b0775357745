"""Opening the file system of a URL by fsspec, and what its failures mean for a user.

How a store is reached (endpoint, credentials, proxies) is the business of its package: the
environment and the files that it reads, or fsspec's own configuration. Here is only what a run
needs beside that: bounded waits, and enough connections to ask for many things at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from taxi_pipeline.errors import StorageError
from taxi_pipeline.redaction import redact

CONNECTIONS = 32
"""Requests that are on their way to a store at the same time."""

ATTEMPTS = 4
"""How often S3 is asked before it counts as unavailable; a few seconds pass in between."""

CONNECT_SECONDS = 3
READ_SECONDS = 10
"""Seconds that S3 may keep silent once it is connected."""

_IN_PARTS = {"chunksize": 8 * 2**20, "max_concurrency": 4}
"""S3 gets large files in parts, few of which are in memory at a time."""

S3 = {"s3", "s3a"}

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
"""The extra of this package that installs what a scheme needs."""

_CREDENTIALS = (
    "give them as its package expects them, for S3 by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
    "or by AWS_PROFILE"
)
_LATER = "run the same command again later, and it goes on from there"

_EXPLANATIONS = (
    (
        {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"},
        f"no credentials for the store were found: {_CREDENTIALS}",
    ),
    ({"NoSuchBucket"}, "the bucket is not there: create it, or correct [storage] root"),
    (
        {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"},
        f"the store does not accept the credentials: {_CREDENTIALS}",
    ),
    (
        {"AccessDenied", "Forbidden", "403", "AllAccessDisabled", "AccountProblem"},
        "the store denies access: allow these credentials to list, read, write and delete there",
    ),
    (
        {"503", "SlowDown", "ServiceUnavailable", "500", "InternalError", "502", "504"},
        f"the store is not available: {_LATER}",
    ),
    (
        {"EndpointConnectionError", "ConnectTimeoutError", "ClientConnectorError"},
        "the store cannot be reached: check the network and the endpoint (AWS_ENDPOINT_URL)",
    ),
    (
        {"ReadTimeoutError", "TimeoutError", "FSTimeoutError", "ConnectionClosedError"},
        f"the store does not answer: {_LATER}",
    ),
)
"""What a store's exceptions and codes mean; the first that fits is told."""

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
"""The codes by which a store says that a file is there already, or is being written."""


class RemoteFiles(NamedTuple):
    """A file system of fsspec, and how it is used.

    Attributes:
        files: the file system.
        prefix: the path of the root in it.
        reading: what is passed when a small file is read.
        uploading: what is passed when a file is uploaded.
    """

    files: Any
    prefix: str
    reading: Mapping[str, int]
    uploading: Mapping[str, int]


def open_filesystem(root: str) -> RemoteFiles:
    """The file system of a URL.

    Listings are never kept: other machines write to the same store.

    Raises:
        StorageError: there is no such kind of URL, or its package is not installed.
    """
    import fsspec

    kind = root.partition("://")[0]
    options: dict[str, Any] = {"use_listings_cache": False}
    if kind in S3:
        chosen = fsspec.config.conf.get(kind, {}).get("config_kwargs", {})
        options["config_kwargs"] = {
            "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
            "max_pool_connections": CONNECTIONS,
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            **chosen,
        }
    try:
        files, path = fsspec.core.url_to_fs(root, **options)
    except ImportError as error:
        extra = EXTRAS.get(kind)
        advice = f"pip install 'taxi_pipeline[{extra}]'" if extra else " ".join(str(error).split())
        raise StorageError(
            f"[storage] root {redact(root)} needs a package that is not installed: {advice}"
        ) from error
    except Exception as error:
        cause = " ".join(str(error).split())
        raise StorageError(
            f"[storage] root {redact(root)} is not usable: {type(error).__name__} {cause}"
        ) from error
    if kind not in S3:
        return RemoteFiles(files, path, {}, {})
    files.retries = 1  # botocore repeats requests by itself, and waits between them
    # Without the first, s3fs asks for the size of a file before it reads it.
    return RemoteFiles(files, path, {"max_concurrency": 1}, _IN_PARTS)


def was_taken(error: BaseException) -> bool:
    """Whether a file was not created because there is one already, or another creates it."""
    return isinstance(error, FileExistsError) or bool(_words(error) & _TAKEN)


def require_bucket(error: FileNotFoundError) -> None:
    """Raise an error again by which a store says that there is no bucket, rather than no file."""
    if "NoSuchBucket" in _words(error):
        raise error


def explain(error: BaseException) -> str | None:
    """What is wrong with a store and what to do, in one line; None if that is not known."""
    words = _words(error)
    return next((line for causes, line in _EXPLANATIONS if words & causes), None)


def _words(error: BaseException | None) -> set[str]:
    """The classes of an exception and of its causes, and the codes by which a store refuses."""
    words: set[str] = set()
    while error is not None:
        words |= {kind.__name__ for kind in type(error).__mro__}
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            words.add(str(response.get("Error", {}).get("Code")))
            words.add(str(response.get("ResponseMetadata", {}).get("HTTPStatusCode")))
        status = getattr(error, "code", None) or getattr(error, "status_code", None)
        words.add(str(status))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return words
