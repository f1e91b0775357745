"""Two registrations of one model come one after the other, on whatever machines they run."""

import os
import subprocess
import sys

import pytest

from taxi_pipeline.errors import StorageError, TrackingError
from taxi_pipeline.storage import layout, locks, open_storage
from taxi_pipeline.tracking import server as tracking
from taxi_pipeline.tracking.server import TrackingServer

RACER = """
import sys, time
from pathlib import Path
from taxi_pipeline.storage import locks
from taxi_pipeline.tracking.server import TrackingServer
locks.POLL_SECONDS = 0.02
locks.is_running = lambda name: None  # as of another machine
root, log = sys.argv[1], Path(sys.argv[2])
server = TrackingServer("http://127.0.0.1:9", "nobody", root=root)
for _ in range(3):
    with server.lock("the model"):
        with log.open("a") as file:
            file.write("in\\n")
        time.sleep(0.02)
        with log.open("a") as file:
            file.write("out\\n")
"""


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_machines_that_share_nothing_but_the_root_are_kept_apart(request, tmp_path, kind):
    store = request.getfixturevalue("store") if kind == "s3" else None
    root = store.root(tmp_path.name) if store else str(tmp_path / "root")
    log, racers = tmp_path / "log", []
    for number in range(2):
        folder = tmp_path / f"host-{number}"
        folder.mkdir()
        variables = os.environ | {"TMPDIR": str(folder), "HOME": str(folder)}
        command = [sys.executable, "-c", RACER, root, str(log)]
        racers.append(subprocess.Popen(command, env=variables, cwd=folder))
    assert [racer.wait(120) for racer in racers] == [0, 0]
    assert log.read_text().split() == ["in", "out"] * 6
    assert open_storage(root).file_sizes(layout.LOCKS) == {}


def test_another_machine_that_holds_it_for_too_long_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "LOCK_SECONDS", 0)
    server = TrackingServer("http://127.0.0.1:9", "nobody", root=str(tmp_path))
    with server.lock("the model"):
        pass
    monkeypatch.setattr(locks, "is_running", lambda _name: None)
    (held,) = _held(tmp_path, server)
    with pytest.raises(StorageError) as raised, server.lock("the model"):
        pass
    line = str(raised.value)
    assert "another process has been busy with the model for 0 seconds" in line
    assert held in line
    assert "\n" not in line


def _held(root, server):
    """The lock's file as one of another machine holds it."""
    storage = open_storage(str(root))
    with server.lock("the model"):
        (own,) = storage.file_sizes(layout.LOCKS)
    name = f"{own.partition('-')[0]}-elsewhere-1-0"
    storage.write_json(f"{layout.LOCKS}/{name}.json", {})
    return [name]


def test_a_process_of_this_machine_with_another_root_is_kept_apart_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "LOCK_SECONDS", 0)
    one, other = (
        TrackingServer("http://127.0.0.1:9", "nobody", root=str(tmp_path / name))
        for name in ("one", "other")
    )
    with (
        one.lock("the model"),
        pytest.raises(TrackingError, match="busy with the model for 0 seconds"),
        other.lock("the model"),
    ):
        pass


def test_another_model_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "LOCK_SECONDS", 0)
    server = TrackingServer("http://127.0.0.1:9", "nobody", root=str(tmp_path))
    with server.lock("one model"), server.lock("another model"):
        assert len(open_storage(str(tmp_path)).file_sizes(layout.LOCKS)) == 2
