"""Which disk cannot be written, and what to do, whatever library met it."""

import errno
import io
import os
import sqlite3
from pathlib import Path

import pytest

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.storage import disk

ROOT, TEMPORARY = Path("/nowhere/root"), Path("/nowhere/tmp")
SAID = {
    errno.ENOSPC: "the disk of {} is full (5.0 of 9.0 MB free): make room",
    errno.EDQUOT: "the quota of the disk of {} is used up: make room",
    errno.EROFS: "the disk of {} can only be read: mount it to be written",
    errno.EACCES: "this user has no access to {}: allow it",
    errno.EPERM: "this user has no access to {}: allow it",
}
END = ", or choose another place by [storage] root; the same command then goes on"


@pytest.fixture(autouse=True)
def disks(monkeypatch):
    """The disks have 5 of 9 MB free, unless a test says otherwise."""
    free = {}

    def usage(folder):
        total, left = 9_000_000, free.get(folder, 5_000_000)
        return type("Usage", (), {"total": total, "free": left})

    monkeypatch.setattr(disk.shutil, "disk_usage", usage)
    monkeypatch.setattr(disk, "_existing", lambda folder: folder)
    monkeypatch.setattr(disk.tempfile, "gettempdir", lambda: str(TEMPORARY))
    return free


@pytest.mark.parametrize("number", SAID, ids=errno.errorcode.get)
def test_an_error_of_the_system_is_a_line_with_the_place_and_the_option(number):
    error = OSError(number, os.strerror(number))
    assert disk.explain(error, ROOT) == SAID[number].format(ROOT) + END


def test_who_may_not_write_is_told_the_file():
    error = PermissionError(errno.EACCES, "denied", str(ROOT / "a.json"))
    assert disk.explain(error, ROOT) == SAID[errno.EACCES].format(ROOT / "a.json") + END


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT]", errno.ENOSPC),
        ("LocalFileSystem: No space left on device", errno.ENOSPC),
        ("attempt to write a readonly database", errno.EACCES),
    ],
)
def test_what_a_library_says_in_its_own_way_is_understood(text, number):
    assert disk.explain(RuntimeError(text), ROOT) == SAID[number].format(ROOT) + END


def test_an_error_that_came_of_a_full_disk_is_understood():
    def close():
        try:
            raise OSError(errno.ENOSPC, "full")
        finally:
            raise ValueError("the file is not closed")

    with pytest.raises(ValueError, match="closed") as raised:
        close()
    assert disk.explain(raised.value, ROOT) == SAID[errno.ENOSPC].format(ROOT) + END


@pytest.mark.parametrize(
    "error",
    [ValueError("a defect"), FileNotFoundError(errno.ENOENT, "no"), sqlite3.Error("locked")],
    ids=lambda error: type(error).__name__,
)
def test_any_other_error_is_none_of_a_disk(error):
    assert disk.explain(error, ROOT) is None
    with pytest.raises(type(error)) as raised, disk.writing(ROOT):
        raise error
    assert raised.value is error


def test_a_full_disk_of_temporary_files_is_told_from_that_of_the_root(disks):
    line = SAID[errno.ENOSPC].replace("5.0", "0.0").format(TEMPORARY)
    line += END.replace("[storage] root", "the variable TMPDIR")
    disks[TEMPORARY] = 0
    assert disk.explain(OSError(errno.ENOSPC, "full"), ROOT) == line
    copied = OSError(errno.ENOSPC, "full", str(ROOT / "a"), None, str(TEMPORARY / "a"))
    assert disk.explain(copied, ROOT) == line
    disks[ROOT] = 0
    assert "TMPDIR" not in disk.explain(OSError(errno.ENOSPC, "full"), ROOT)


def test_a_copy_that_finds_no_room_names_the_disk_that_it_is_copied_to():
    error = OSError(errno.ENOSPC, "full", str(TEMPORARY / "a"), None, str(ROOT / "a"))
    assert disk.explain(error, ROOT) == SAID[errno.ENOSPC].format(ROOT) + END


def test_within_a_failure_for_a_user_stays_as_it_is():
    error = DamagedOutput("a.json is damaged")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    with pytest.raises(DamagedOutput) as raised, disk.writing(ROOT):
        raise error
    assert raised.value is error


def test_within_a_full_disk_is_raised_as_a_storage_error():
    with pytest.raises(StorageError, match="is full") as raised, disk.writing(ROOT):
        raise OSError(errno.ENOSPC, "full")
    assert isinstance(raised.value.__cause__, OSError)


def test_what_sqlite_calls_an_error_of_the_disk_is_told_as_what_a_file_meets_there(monkeypatch):
    error = sqlite3.OperationalError("disk I/O error")
    monkeypatch.setattr(disk.tempfile, "NamedTemporaryFile", lambda **_: io.BytesIO())
    assert disk.explain(error, ROOT) is None  # a file can be written there

    def full(*_, **__):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(disk.tempfile, "NamedTemporaryFile", full)
    assert disk.explain(error, ROOT) == f"{SAID[errno.EDQUOT].format(ROOT)}{END}"
