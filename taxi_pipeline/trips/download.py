"""Fetching a month's file: one way for every kind of URL that fsspec understands.

:func:`fetch` copies the file to this machine, and repeats attempts whose failure may be transient.
A failure is one line that names the month, the redacted URL, the cause, and what to do about it.

Every run imports this module, but few runs fetch anything: so fsspec and tenacity, half a second
together, are imported in the functions that need them. ``--workers N``, which forks, is safe
with this: fsspec starts its thread in the process that fetches, forgets it in a process forked from
there, and no two attempts share a file system object.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from taxi_pipeline.errors import MonthNotPublished
from taxi_pipeline.formatting import pluralize
from taxi_pipeline.http import check_redirect
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips.failures import Failure, Truncated, diagnose, unpublished
from taxi_pipeline.trips.urls import is_http

if TYPE_CHECKING:
    from aiohttp import ClientSession, TraceRequestRedirectParams
    from fsspec.callbacks import Callback
    from tenacity import Future, RetryCallState

TransferProgress = Callable[[int, int | None], None]
"""Called with the amount received, and with the total where that is known.

Both are bytes; for the synthetic city they are rows. The calls are frequent and come from a thread
of fsspec's, one at a time.
"""

FIRST_WAIT, MAX_WAIT = 1.0, 30.0
"""The longest wait before the second attempt, and before any attempt, in seconds, unless the source
asks for a longer one."""


def fetch(  # noqa: PLR0913  (each is a caller's to choose)
    url: str,
    destination: Path | str,
    *,
    attempts: int,
    timeout: float,
    max_wait: float = 120.0,
    is_offered: bool = False,
    options: Mapping[str, Any] | None = None,
    progress: TransferProgress | None = None,
    on_retry: Callable[[str], None] | None = None,
    label: str,
) -> None:
    """Copy a month's file to this machine, whole or not at all.

    A failure that may be transient (a lost connection, a timeout, a truncated transfer, a busy
    server) is followed by another attempt after a random wait, whose limit doubles each time up to
    `MAX_WAIT`. A longer wait that the source asks for (Retry-After) is kept, up to `max_wait`.

    Args:
        url: the file, as fsspec understands it.
        destination: the local file to write.
        attempts: how often to try in all.
        timeout: seconds that connecting, and each read, may take over HTTP. Other file systems
            have limits of their own.
        max_wait: seconds to wait before another attempt at most.
        is_offered: whether the source has said just before that it has the file.
        options: options of the fsspec file system, such as credentials.
        progress: called as the file arrives.
        on_retry: called with a line before each wait.
        label: what is fetched, for a person: ``green 2021-01``.

    Raises:
        MonthNotPublished: the source says that it has no such file.
        SourceError: the file could not be fetched.
        OSError: the disk of `destination` is full, over quota, or can only be read.
    """
    from tenacity import Retrying, wait_random_exponential

    def attempt() -> None:
        limits = _with_limits(url, timeout, options or {})
        _copy(url, Path(destination), limits, _callback(progress))

    def failure(state: RetryCallState) -> Failure:
        error = cast("Future", state.outcome).exception()
        return diagnose(error, url, is_offered=is_offered)

    def wait(state: RetryCallState) -> float:
        return min(max(backoff(state), failure(state).retry_after), max_wait)

    def exhausted(state: RetryCallState) -> bool:
        return state.attempt_number >= min(attempts, failure(state).max_attempts)

    def announce_retry(state: RetryCallState) -> None:
        if on_retry:
            failed = failure(state)
            on_retry(
                f"{label}: {failed.cause}; attempt {state.attempt_number + 1} of "
                f"{min(attempts, failed.max_attempts)} in {state.upcoming_sleep:.1f} s"
            )

    backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=MAX_WAIT)
    retrying = Retrying(
        stop=exhausted,
        wait=wait,
        before_sleep=announce_retry,
        reraise=True,
    )
    with ExitStack() as cleanup:
        cleanup.callback(_remove, Path(destination))
        try:
            retrying(attempt)
        except Exception as error:  # noqa: BLE001  (a file system may raise anything)
            number = getattr(error, "errno", None)
            if number in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
                raise OSError(number, os.strerror(number), str(destination)) from None
            failed = diagnose(error, url, is_offered=is_offered)
            said = _in_words(failed, url, retrying.statistics.get("attempt_number", 1))
            # Without its cause, whose traceback would show the secrets of the URL.
            raise failed.kind(f"{label}: {said}; {failed.advice}") from None
        cleanup.pop_all()


def _in_words(failed: Failure, url: str, attempts: int) -> str:
    """What failed, where, and after how many attempts."""
    if failed.kind is MonthNotPublished:
        said = f"{unpublished(url)} ({failed.cause})"
    else:
        said = f"{failed.cause} at {redact_url(url)}"
    return f"{said}, after {pluralize(attempts, 'attempt')}" if is_http(url) else said


def _callback(progress: TransferProgress | None) -> Callback:
    """A callback for fsspec that passes the progress of a transfer on to the caller."""
    from fsspec.callbacks import Callback

    def show(size: int | None, value: int, **_: Any) -> None:
        if value and progress:  # before that the size may be that of an error's answer
            progress(value, size)

    return Callback(hooks={"show": show})


def _copy(url: str, destination: Path, options: Mapping[str, Any], callback: Callback) -> None:
    files, path = file_system(url, options)
    files.get_file(path, str(destination), callback=callback)
    if not destination.is_file():
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file")
    # Over HTTP, aiohttp has compared the length: it alone knows of content encodings.
    arrived = callback.value or destination.stat().st_size
    if not is_http(url) and arrived < (callback.size or 0):
        raise Truncated


def file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it."""
    import fsspec

    fsspec.register_implementation(
        "synthetic", "taxi_pipeline.trips.synthetic.filesystem.SyntheticFileSystem", clobber=True
    )
    files, path = fsspec.core.url_to_fs(url, **options)
    return files, path


def _with_limits(url: str, timeout: float, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the file system, and for HTTP the time limits and the user's proxy."""
    # An instance from fsspec's cache might have an HTTP session that a failure has left unusable.
    full = {"skip_instance_cache": True, **options}
    if is_http(url):
        from aiohttp import ClientTimeout, TraceConfig

        redirections = TraceConfig()
        redirections.on_request_redirect.append(_check_redirect)
        full["client_kwargs"] = {
            "trust_env": True,
            "timeout": ClientTimeout(total=None, connect=timeout, sock_read=timeout),
            "trace_configs": [redirections],
            **full.get("client_kwargs", {}),
        }
    return full


async def _check_redirect(
    _session: ClientSession, _context: object, asked: TraceRequestRedirectParams
) -> None:
    headers = asked.response.headers
    check_redirect(str(asked.url), headers.get("Location", headers.get("URI", "")))


def _remove(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
