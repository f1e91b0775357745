"""How a month's file arrives: one way for every kind of URL that fsspec understands.

A URL template names the file of each month. :func:`fetch` copies the file to this machine, trying
again what may pass by itself, and :func:`check_file` says whether what came is a whole trip record
file. Every failure is one line that names the month, the URL without its secrets, the cause, and
what to do about it.

Every command imports this module to check its template, but few commands fetch anything: so
fsspec, tenacity, tqdm and pyarrow, half a second together, are imported in the functions that need
them. ``--workers N``, which forks, is safe with that: fsspec starts its thread in the process that
fetches, forgets it in a process forked from there, and no two attempts share a file system object.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from taxi_pipeline.errors import InvalidConfig, InvalidTripFile, MonthNotPublished, SourceError
from taxi_pipeline.http import http_status
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url

if TYPE_CHECKING:
    from fsspec.callbacks import Callback
    from tenacity import Future, RetryCallState

Progress = Callable[[int, int | None], None]
"""Told how much has arrived, and of how much where that is known: bytes, or rows if synthetic.

It is called often, from a thread of fsspec's, but never twice at the same time.
"""

DEFAULT_URL = (
    "https://d37ci6vzurychx.cloudfront.net/trip-data/{taxi}_tripdata_{year}-{month:02d}.parquet"
)
"""Where TLC publishes."""

FIRST_MONTHS = {"green": Month(2013, 8), "yellow": Month(2011, 1)}
"""The first month of each taxi whose file can be used."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Most seconds to wait before the second attempt, and before any attempt."""

_SYNTHETIC = "synthetic://"
_SYNTHETIC_FILE = "{taxi}_tripdata_{year}-{month:02d}.parquet"
_LIGHT_PROTOCOLS = {"http", "https", "file", "synthetic"}  # need no look at what fsspec knows

_PLACEHOLDER = re.compile(r"\{(?:taxi|(year|month)(?::0\dd?)?)\}")
_PROTOCOL = re.compile(r"(?:^|::)([^:/?#]{2,})://")


# --- the URL of a month -----------------------------------------------------------------------


def month_url(template: str, taxi: str, month: Month) -> str:
    """The URL of a month's file.

    Args:
        template: what :func:`check_template` accepts.
        taxi: ``green`` or ``yellow``.
        month: the month that the file is published for.
    """
    return _in_full(template).format(taxi=taxi, year=month.year, month=month.month)


def _in_full(template: str) -> str:
    """The template, with a file name if it is ``synthetic://`` with at most a query."""
    query = template.removeprefix(_SYNTHETIC)
    if query != template and query[:1] in ("", "?"):
        return f"{_SYNTHETIC}{_SYNTHETIC_FILE}{query}"
    return template


def check_template(template: str) -> None:
    """Refuse a URL template that cannot name the file of each month.

    Raises:
        InvalidConfig: it has other braces than those of the placeholders, does not name the year
            and the month, or has a protocol that fsspec cannot use.
    """
    shown = f"[source] url {redact_url(template)}"
    full = _in_full(template)
    if set("{}") & set(_PLACEHOLDER.sub("", full)):
        raise InvalidConfig(f"{shown}: braces may only read {{taxi}}, {{year}} and {{month:02d}}")
    if lacking := {"year", "month"} - {found[1] for found in _PLACEHOLDER.finditer(full)}:
        raise InvalidConfig(
            f"{shown}: it lacks the {' and the '.join(sorted(lacking))}; name each month's file "
            "with {year} and {month:02d}"
        )
    for protocol in set(_PROTOCOL.findall(template)) - _LIGHT_PROTOCOLS:
        _check_protocol(protocol, shown)


def _check_protocol(protocol: str, shown: str) -> None:
    from fsspec.registry import get_filesystem_class

    try:
        get_filesystem_class(protocol)
    except ValueError:
        raise InvalidConfig(
            f"{shown}: fsspec knows no protocol {protocol}; use https, file, s3 ..."
        ) from None
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or protocol
        raise InvalidConfig(
            f"{shown}: protocol {protocol} needs a package that is not installed; "
            f"pip install {package.partition('.')[0]}"
        ) from None


def check_month(taxi: str, month: Month) -> None:
    """Refuse a month that no source can offer in a form of use.

    Raises:
        MonthNotPublished: the month is before the taxi's first.
    """
    first = FIRST_MONTHS[taxi]
    if month < first:
        reason = (
            f"no green file exists before {first}"
            if taxi == "green"
            else f"files before {first} hold coordinates instead of zone ids"
        )
        raise MonthNotPublished(f"{taxi} {month}: {reason}; choose {first} or a later month")


# --- whether a month is published -------------------------------------------------------------

# Answers that deny a file; TLC denies with 403 what it does not have.
_DENIALS = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def offers(url: str, *, timeout: float) -> bool | None:
    """Whether the source offers a month's file; None if it does not say.

    What keeps a source from answering is for :func:`fetch` to find, to try again and to explain.

    Args:
        url: the file, as fsspec understands it.
        timeout: seconds that the answer may take over HTTP.
    """
    if _is_http(url):
        status = http_status(url, timeout)
        return True if status == HTTPStatus.OK else False if status in _DENIALS else None
    try:
        files, path = _file_system(url, {})
        return bool(files.exists(path))
    except Exception:  # noqa: BLE001  (a file system may raise anything)
        return None


def not_published(label: str, url: str) -> str:
    """The line for a month that its source does not offer."""
    denied = ", or denied for want of credentials or for too many requests" * _is_http(url)
    return f"{label}: not published yet at {redact_url(url)}{denied}; {_PUBLISHING}"


# --- fetching ---------------------------------------------------------------------------------


def fetch(  # noqa: PLR0913  (each is a caller's to choose)
    url: str,
    destination: Path,
    *,
    attempts: int,
    timeout: float,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    on_retry: Callable[[str], None] | None = None,
    label: str,
) -> None:
    """Copy a month's file to this machine, whole or not at all.

    What may pass by itself (lost connections, timeouts, truncated transfers, busy servers) is
    tried again after a random wait, whose limit doubles each time up to `LONGEST_WAIT`.

    Args:
        url: the file, as fsspec understands it.
        destination: the local file to write.
        attempts: how often to try in all.
        timeout: seconds that connecting, and each read, may take over HTTP. Other file systems
            have limits of their own.
        options: options of the fsspec file system, such as credentials.
        progress: called as the file arrives. On a terminal there is a progress bar besides.
        on_retry: called with a line before each wait.
        label: what is fetched, for a person: ``green 2021-01``.

    Raises:
        MonthNotPublished: the source says that it has no such file.
        SourceError: the file could not be fetched.
    """
    from tenacity import Retrying, wait_random_exponential

    def attempt() -> None:
        with _shown(label, url, progress) as callback:
            _copy(url, destination, _with_limits(url, timeout, options or {}), callback)

    def failure(state: RetryCallState) -> _Failure:
        return _diagnose(cast("Future", state.outcome).exception(), url)

    def exhausted(state: RetryCallState) -> bool:
        return state.attempt_number >= min(attempts, failure(state).worth)

    def tell(state: RetryCallState) -> None:
        if on_retry:
            failed = failure(state)
            on_retry(
                f"{label}: {failed.cause}; attempt {state.attempt_number + 1} of "
                f"{min(attempts, failed.worth)} in {state.upcoming_sleep:.1f} s"
            )

    retrying = Retrying(
        stop=exhausted,
        wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        before_sleep=tell,
        reraise=True,
    )
    with ExitStack() as cleanup:
        cleanup.callback(_remove, destination)
        try:
            retrying(attempt)
        except Exception as error:  # noqa: BLE001  (a file system may raise anything)
            failed = _diagnose(error, url)
            # Without its cause, whose traceback would show the secrets of the URL.
            raise failed.kind(
                f"{label}: {failed.cause} at {redact_url(url)}; {failed.advice}"
            ) from None
        cleanup.pop_all()


@contextmanager
def _shown(label: str, url: str, progress: Progress | None) -> Iterator[Callback]:
    """What fsspec tells of one transfer, passed on to the caller and to a bar on the terminal."""
    from fsspec.callbacks import Callback
    from tqdm import tqdm

    unit = " rows" if url.startswith(_SYNTHETIC) else "B"
    with tqdm(desc=label, unit=unit, unit_scale=True, disable=None) as bar:  # None: if no terminal

        def show(size: int | None, value: int, **_: Any) -> None:
            if value:  # before that the size may be that of an error's answer
                bar.total = size
                bar.update(value - bar.n)
                if progress:
                    progress(value, size)

        yield Callback(hooks={"show": show})


def _copy(url: str, destination: Path, options: Mapping[str, Any], callback: Callback) -> None:
    files, path = _file_system(url, options)
    files.get_file(path, str(destination), callback=callback)
    if not destination.is_file():
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file")
    # Over HTTP, aiohttp has compared the length: it alone knows of content encodings.
    arrived = callback.value or destination.stat().st_size
    if not _is_http(url) and arrived < (callback.size or 0):
        raise _Truncated


def _file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it."""
    import fsspec

    fsspec.register_implementation(
        "synthetic", "taxi_pipeline.trips.synthetic.month.SyntheticFileSystem", clobber=True
    )
    files, path = fsspec.core.url_to_fs(url, **options)
    return files, path


def _with_limits(url: str, timeout: float, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the file system, and for HTTP the time limits and the user's proxy."""
    # An instance from fsspec's cache might have an HTTP session that a failure has left unusable.
    full = {"skip_instance_cache": True, **options}
    if _is_http(url):
        from aiohttp import ClientTimeout

        full["client_kwargs"] = {
            "trust_env": True,
            "timeout": ClientTimeout(total=None, connect=timeout, sock_read=timeout),
            **full.get("client_kwargs", {}),
        }
    return full


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _remove(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


# --- what a failure means ---------------------------------------------------------------------


class _Truncated(Exception):
    """Less has arrived than the source announced."""


class _Failure(NamedTuple):
    """What a failed attempt means for a person.

    Attributes:
        cause: what happened, in a few words without secrets.
        advice: what to do about it.
        worth: how many attempts in all such a failure is worth.
        kind: what to raise after the last one.
    """

    cause: str
    advice: str
    worth: int = 1
    kind: type[SourceError] = SourceError


# Known by name, so that no package is imported to understand the failure of another; the names of
# builtin exceptions are botocore's too.
_TRUNCATED = {"_Truncated", "ClientPayloadError", "IncompleteReadError"}
_CONNECTION = {"ConnectionError", "TimeoutError", "ClientConnectionError", "HTTPClientError"}
_LASTING = {"ClientConnectorCertificateError", "ServerFingerprintMismatch"}

_PUBLISHING = (
    "months appear about two months late, and a month is needed both to train on it and, as "
    "evaluation month, to train on the month before: choose an earlier month or check [source] url"
)


def _diagnose(error: BaseException | None, url: str) -> _Failure:
    names = {kind.__name__ for kind in type(error).__mro__}
    status = _status(error)
    cause = _cause(error, status, url)
    if isinstance(error, FileNotFoundError) or status in {404, 410}:
        return _Failure(f"not published, {cause}", _PUBLISHING, kind=MonthNotPublished)
    by_proxy = "ClientHttpProxyError" in names
    if status == HTTPStatus.FORBIDDEN and not by_proxy:
        advice = (
            "TLC answers so too when it throttles, and others where they want credentials: try "
            f"again later; {_PUBLISHING}"
        )
        return _Failure(f"not published, {cause}", advice, worth=2, kind=MonthNotPublished)
    if status:
        transient = status in {408, 425, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        transient = bool(names & (_TRUNCATED | _CONNECTION)) and not names & _LASTING
    if transient:
        advice = "try again later, or raise [source] attempts or timeout"
        return _Failure(cause, advice, worth=sys.maxsize)
    if by_proxy:
        return _Failure(f"the proxy answers {cause}", "check HTTPS_PROXY and NO_PROXY")
    if getattr(error, "errno", None) == errno.ENOSPC:
        return _Failure(cause, "make room on the disk of [storage] root")
    return _Failure(cause, "check [source] url" + (" and its credentials" if status else ""))


def _status(error: BaseException | None) -> int | None:
    """The HTTP status of the answer that an error stands for, if it stands for one."""
    botocore = getattr(getattr(error, "__cause__", None), "response", None)
    if isinstance(botocore, dict):  # s3fs raises a builtin exception from botocore's
        return int(botocore["ResponseMetadata"]["HTTPStatusCode"])
    return getattr(error, "status", None)


def _cause(error: BaseException | None, status: int | None, url: str) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, FileNotFoundError) and not status:
        return "HTTP 404 Not Found" if _is_http(url) else "no such file"
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


# --- what has arrived -------------------------------------------------------------------------


def check_file(path: Path, *, label: str, url: str, required: Collection[str]) -> int:
    """Check that a file is a whole trip record file; reads no more than its ends.

    Args:
        path: the file.
        label: what it should hold, for a person: ``green 2021-01``.
        url: where it comes from.
        required: names of the columns that it must have, in any case.

    Returns:
        The number of rows.

    Raises:
        InvalidTripFile: it is something else, cut off, without these columns or without rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def invalid(problem: str, advice: str) -> InvalidTripFile:
        return InvalidTripFile(f"{label}: {redact_url(url)} {problem}; {advice}")

    with path.open("rb") as file:
        begin = file.read(512)
        file.seek(-min(4, len(begin)), os.SEEK_END)
        end = file.read()
    if not begin:
        raise invalid("is empty", "try again later")
    if not begin.startswith(b"PAR1"):
        raise invalid(
            f"is {_kind(begin)} instead of a parquet file",
            "check [source] url, and whether it wants a login",
        )
    if end != b"PAR1":
        raise invalid("is truncated: the end of the parquet file is missing", "try again later")
    try:
        with pq.ParquetFile(path) as parquet:
            names = {name.lower() for name in parquet.schema_arrow.names}
            rows = int(parquet.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise invalid(f"is a damaged parquet file ({text})", "try again later") from None
    if missing := [name for name in required if name.lower() not in names]:
        lacks = f"has no column {', '.join(missing)}"
        if any("longitude" in name or name.endswith("_lon") for name in names):
            raise invalid(
                f"{lacks}, but coordinates: it is from before zone ids", "choose a later month"
            )
        raise invalid(lacks, "check that [source] url names this taxi's trip records")
    if not rows:
        raise invalid("has no rows", "choose another month")
    return rows


def _kind(begin: bytes) -> str:
    """What a file that is no parquet seems to be, by its first bytes."""
    text = begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<"):
        return "an XML document"
    if text.startswith((b"{", b"[")):
        return "a JSON document"
    return f"something that begins with {begin[:8]!r}"
