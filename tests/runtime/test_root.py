"""Before anything else a run brings its root into order."""

import socket
import sqlite3
import subprocess
import sys
from datetime import datetime

import pytest

from taxi_pipeline.errors import StorageError
from taxi_pipeline.processes import own_name
from taxi_pipeline.runtime import root as root_module
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.root import clear_root, prepare_root
from taxi_pipeline.runtime.schedulers import LocalScheduler


@pytest.fixture
def root(tmp_path, luigi_config):
    luigi_config("storage", "root", tmp_path / "data")
    return tmp_path / "data"


def experiment(root, place):
    """A registry whose one experiment has its files at a place."""
    file = root / "mlflow" / "mlflow.db"
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE experiments (artifact_location TEXT)")
        database.execute("INSERT INTO experiments VALUES (?)", (place,))
    return file


def location(file):
    with sqlite3.connect(file) as database:
        return database.execute("SELECT artifact_location FROM experiments").fetchone()[0]


@pytest.mark.usefixtures("process")
def test_a_run_removes_what_a_killed_one_left_half_written(root):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(30)
    name = f"{socket.gethostname()}-{ended.pid}-{'0' * 32}"
    left = [root / ".staging" / name, root / "mlflow" / f".new-{name}"]
    for folder in left:
        folder.mkdir(parents=True)
    Factory().create_worker(LocalScheduler(), 1)
    assert not any(folder.exists() for folder in left)


def test_a_root_that_was_moved_is_followed(root, tmp_path):
    file = experiment(root, (tmp_path / "before" / "mlflow" / "artifacts").as_uri())
    prepare_root()
    assert location(file) == (root / "mlflow" / "artifacts").as_uri()


def test_a_registry_that_cannot_be_followed_is_a_warning(root, caplog):
    (root / "mlflow").mkdir(parents=True)
    (root / "mlflow" / "mlflow.db").write_bytes(b"no database")
    prepare_root()
    (record,) = caplog.records
    assert "mlflow.db cannot be read" in record.getMessage()


def test_a_root_that_can_hold_no_registry_needs_none_so_far(luigi_config):
    luigi_config("storage", "root", "memory://somewhere")
    prepare_root()


def test_a_root_that_is_not_there_is_not_made(root):
    prepare_root()
    assert not root.exists()


def test_a_process_that_ends_leaves_nothing_half_written(root):
    left = [root / ".staging", root / ".running", root / "mlflow"]
    left = [folder / f"{'.new-' * (folder.name == 'mlflow')}{own_name()}" for folder in left]
    for folder in left:
        folder.mkdir(parents=True)
    prepare_root()
    assert all(folder.exists() for folder in left)
    clear_root()
    assert not any(folder.exists() for folder in left)


class Beginning(datetime):
    """The clock of a machine whose battery is empty."""

    @classmethod
    def now(cls, tz=None):
        return cls(1970, 1, 1, 0, 3, tzinfo=tz)


@pytest.mark.usefixtures("root")
def test_a_clock_that_was_never_set_is_one_line(monkeypatch):
    monkeypatch.setattr(root_module, "datetime", Beginning)
    with pytest.raises(StorageError) as raised:
        prepare_root()
    assert str(raised.value).startswith("the clock of this machine says 1970-01-01 00:03: set it, ")
