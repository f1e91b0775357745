"""A lock under the root lets one process at a time in, on whatever machine."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from outputs import at_once
from servers import wait_for

from taxi_pipeline.errors import StorageError
from taxi_pipeline.storage import RemoteStorage, layout, locks, open_storage


@pytest.fixture(params=["local", "s3"])
def kept(request, tmp_path):
    if request.param == "local":
        return open_storage(str(tmp_path / "root"))
    store = request.getfixturevalue("store")
    return RemoteStorage(store.root(tmp_path.name))


@pytest.fixture
def elsewhere(monkeypatch):
    """No process can be asked whether it runs, as if all were of other machines."""
    monkeypatch.setattr(locks, "is_running", lambda _name: None)


def files(kept):
    return list(kept.file_sizes(layout.LOCKS))


def test_a_lock_leaves_nothing_behind(kept):
    with locks.lock(kept, "registry", "registering"):
        assert len(files(kept)) == 1
    assert files(kept) == []


def test_a_failure_under_a_lock_releases_it(kept):
    with pytest.raises(RuntimeError), locks.lock(kept, "registry", "registering"):
        raise RuntimeError
    assert files(kept) == []


def test_locks_of_other_names_are_not_waited_for(kept):
    with locks.lock(kept, "a", "one"), locks.lock(kept, "b", "another", wait_seconds=0):
        assert len(files(kept)) == 2


@pytest.mark.parametrize("attempt", range(2))
def test_of_many_threads_one_at_a_time_is_in(kept, monkeypatch, attempt):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.01)
    inside, most = [], []

    def enter():
        with locks.lock(kept, "registry", "registering"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    at_once(*[enter] * 5)
    assert most == [1] * 5


RACER = """
import os, sys, time
from pathlib import Path
from taxi_pipeline.storage import locks, open_storage
locks.POLL_SECONDS = 0.02
storage, log = open_storage(sys.argv[1]), Path(sys.argv[2])
if sys.argv[3] == "elsewhere":
    locks.is_running = lambda name: None
for _ in range(4):
    with locks.lock(storage, "registry", "registering"):
        with log.open("a") as file:
            file.write("in\\n")
        time.sleep(0.02)
        with log.open("a") as file:
            file.write("out\\n")
"""


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_processes_that_race_are_in_one_after_the_other(kept, tmp_path, where):
    log = tmp_path / "log"
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, kept.root, str(log), where])
        for _ in range(3)
    ]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0]
    assert log.read_text().split() == ["in", "out"] * 12
    assert files(kept) == []


HOLDER = """
import sys, time
from taxi_pipeline.storage import locks, open_storage
with locks.lock(open_storage(sys.argv[1]), "registry", "registering"):
    print("in", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_killed_process_of_this_machine_is_taken_over_at_once(kept):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, kept.root], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert holder.stdout.readline() == b"in\n"
    with (
        pytest.raises(StorageError, match="another process has been busy with registering for 0"),
        locks.lock(kept, "registry", "registering", wait_seconds=0),
    ):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait(20)
    holder.stdout.close()
    with locks.lock(kept, "registry", "registering", wait_seconds=0):
        assert len(files(kept)) == 1


def test_a_holder_elsewhere_counts_as_ended_once_it_does_not_renew(kept, elsewhere, monkeypatch):
    monkeypatch.setattr(locks, "SECONDS_UNRENEWED", 0.5)
    kept.write_json(layout.lock_file("registry", "other-1-abc"), {"renewals": 1})
    with locks.lock(kept, "registry", "registering", wait_seconds=20):
        assert len(files(kept)) == 1


def test_a_holder_elsewhere_that_renews_is_waited_for(kept, elsewhere, monkeypatch):
    monkeypatch.setattr(locks, "SECONDS_UNRENEWED", 1.0)
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.1)
    with (
        locks.lock(kept, "registry", "registering"),
        pytest.raises(StorageError) as raised,
        locks.lock(kept, "registry", "registering", wait_seconds=3),
    ):
        pass
    line = str(raised.value)
    assert "\n" not in line
    assert layout.LOCKS in line


def test_a_renewal_does_not_bring_a_released_lock_back(kept, monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    for _ in range(5):
        with locks.lock(kept, "registry", "registering"):
            time.sleep(0.03)
    wait_for(lambda: not [t for t in threading.enumerate() if t.name == "lock"])
    assert files(kept) == []


def test_who_waits_is_told_for_what(kept, caplog):
    with locks.lock(kept, "registry", "the registration of a model"):
        begins = threading.Timer(0.3, lambda: None)
        begins.start()
        with (
            pytest.raises(StorageError),
            caplog.at_level("INFO"),
            locks.lock(kept, "registry", "the registration of a model", wait_seconds=0.2),
        ):
            pass
        begins.join()
    assert "waiting for another process to end the registration of a model" in caplog.text
