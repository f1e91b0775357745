"""Files that are read while they are written."""

import os
import stat
from pathlib import Path

import fsspec
import pytest
from outputs import HOME, everything

from taxi_pipeline.errors import StorageError

LOG = f"{HOME}/logs/1.log"


def content(kept, location):
    with fsspec.open(kept.uri(location), "rb") as file:
        return file.read()


def grow(kept, failure=None):
    with kept.streaming_file(LOG) as path:
        path.write_text("line 0\n")
        if failure:
            raise failure


def test_a_file_that_grew_is_there_at_the_end_and_nothing_else(kept):
    with kept.streaming_file(LOG) as path, path.open("a") as file:
        for number in range(3):
            file.write(f"line {number}\n")
    assert content(kept, LOG) == b"line 0\nline 1\nline 2\n"
    assert [path.partition("/root/")[2] for path in everything(kept)] == [LOG]


def test_a_file_that_grew_until_a_failure_is_there(kept):
    with pytest.raises(KeyboardInterrupt):
        grow(kept, KeyboardInterrupt)
    assert content(kept, LOG) == b"line 0\n"


def test_a_local_file_can_be_read_while_it_grows(local):
    with local.streaming_file(LOG) as path:
        for number in range(3):
            with path.open("a") as file:
                file.write(f"line {number}\n")
            assert content(local, LOG).count(b"\n") == number + 1
    assert path == Path(local.uri(LOG))


def test_a_remote_file_grows_on_this_machine_which_keeps_no_copy(remote):
    with remote.streaming_file(LOG) as path:
        path.write_text("line 0\n")
        assert not remote.exists(LOG)
    assert remote.exists(LOG)
    assert not path.parent.exists()


def test_a_file_in_the_way_of_a_growing_files_folder_is_one_line_that_names_it(local, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "transform").write_text("in the way")
    with pytest.raises(StorageError, match=r"1\.log cannot be written: ") as raised:
        local.streaming_file(LOG).__enter__()
    assert "\n" not in str(raised.value)


@pytest.fixture
def refusing(remote, monkeypatch):
    """A store that takes no files."""

    def refuse(*_arguments, **_options):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(remote._files, "put_file", refuse)
    return remote


def test_a_grown_file_that_cannot_be_uploaded_is_a_warning_of_one_line(refusing, caplog):
    grow(refusing)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "1.log cannot be written: PermissionError Access" in record.getMessage()


def test_a_failure_is_told_rather_than_that_its_log_cannot_be_uploaded(refusing):
    with pytest.raises(KeyboardInterrupt):
        grow(refusing, KeyboardInterrupt)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o640), (0o077, 0o600), (0, 0o640)])
def test_a_log_is_not_readable_by_everybody_whatever_the_umask(local, umask, mode):
    before = os.umask(umask)
    try:
        with local.streaming_file("train/logs/1.log") as file:
            assert stat.S_IMODE(file.stat().st_mode) == mode
    finally:
        os.umask(before)
