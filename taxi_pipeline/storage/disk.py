"""Disks that cannot be written: full, over quota, mounted to be read only, or somebody else's."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from taxi_pipeline.errors import StorageError, TaxiPipelineError

ROOT_OPTION = "[storage] root"

ANOTHER = "name a folder that can be written, by --storage-root or in luigi.cfg"

SPARE_BYTES = 1_000_000
"""A disk that has more than this is not the full one of two."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_ACCESS = {errno.EROFS, errno.EACCES, errno.EPERM}

# What libraries say that raise errors of their own: SQLite, and what is written in C++.
_TEXTS = {
    "No space left on device": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
    "attempt to write a readonly database": errno.EACCES,
}


_ANY_FAILURE = "disk I/O error"
"""What SQLite says of any other failure of the disk."""


def explain(error: BaseException, folder: Path, option: str = ROOT_OPTION) -> str | None:
    """The line that tells a user which disk cannot be written; None if that is not the cause.

    Args:
        error: raised while files were written.
        folder: where they were written. Temporary files may have been written besides.
        option: by which a user chooses the folder.
    """
    found = _cause(error, folder)
    if found is None:
        return None
    number, file = found
    folder = folder.absolute()
    temporary = Path(tempfile.gettempdir())
    if file is not None:
        elsewhere = file.is_relative_to(temporary) and not file.is_relative_to(folder)
    else:
        elsewhere = number in _NO_ROOM and _free(temporary) < SPARE_BYTES < _free(folder)
    if elsewhere:
        folder, option = temporary, "the variable TMPDIR"
    what = {
        errno.ENOSPC: f"the disk of {folder} is full ({_room(folder)}): make room",
        errno.EDQUOT: f"the quota of the disk of {folder} is used up: make room",
        errno.EROFS: f"the disk of {folder} can only be read: mount it to be written",
    }.get(number, f"this user has no access to {file or folder}: allow it")
    return f"{what}, or choose another place by {option}; the same command then goes on"


@contextlib.contextmanager
def writing(folder: Path, option: str = ROOT_OPTION) -> Iterator[None]:
    """Within, a disk that cannot be written is one line, whatever library meets it.

    Raises:
        StorageError: in place of the library's exception.
    """
    try:
        yield
    except TaxiPipelineError:
        raise
    except Exception as error:
        line = explain(error, folder, option)
        if line is None:
            raise
        raise StorageError(line) from error


def check_folder(folder: Path) -> None:
    """Refuse a root that is no folder and cannot become one.

    Raises:
        StorageError: it is a file, or lies in one.
    """
    existing = _existing(folder.absolute())
    if not existing.is_dir():
        lies = "" if existing == folder.absolute() else f"lies in {existing}, which "
        raise StorageError(f"{ROOT_OPTION} {folder} {lies}is a file: {ANOTHER}")


def cannot_be_made(folder: Path, error: OSError) -> str:
    """The line for a root that the system does not let be made."""
    return explain(error, folder) or (
        f"{ROOT_OPTION} {folder} cannot be made ({error.strerror or error}): {ANOTHER}"
    )


def hindrance(folder: Path) -> str:
    """Why a root cannot be written, which need not be there yet; empty if it can.

    What a root would be made in is tried with a folder that is removed at once.
    """
    existing = _existing(folder.absolute())
    try:
        if existing != folder.absolute():
            Path(tempfile.mkdtemp(dir=existing)).rmdir()
        elif not os.access(folder, os.W_OK | os.X_OK):
            number = errno.EROFS if _is_read_only(folder) else errno.EACCES
            raise OSError(number, os.strerror(number), str(folder))  # noqa: TRY301
    except OSError as error:
        return cannot_be_made(folder, error)
    return ""


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _cause(error: BaseException | None, folder: Path) -> tuple[int, Path | None] | None:
    """The number of the system's error behind an exception, and its file if that is known."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM | _NO_ACCESS:
            name = error.filename2 or error.filename  # the second is what a file is copied to
            return error.errno, Path(name).absolute() if isinstance(name, str) else None
        for text, number in _TEXTS.items():
            if text in str(error):
                return number, None
        if _ANY_FAILURE in str(error) and (tried := _try(folder)):
            return tried, None
        # An error while a file is closed, for one, comes after the one that matters.
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _try(folder: Path) -> int | None:
    """The number of the system's error when a file is written into a folder; None if that works."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        return error.errno if error.errno in _NO_ROOM | _NO_ACCESS else None
    return None


def _free(folder: Path) -> int:
    return shutil.disk_usage(_existing(folder)).free


def _room(folder: Path) -> str:
    usage = shutil.disk_usage(_existing(folder))
    return f"{usage.free / 1e6:,.1f} of {usage.total / 1e6:,.1f} MB free"


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
