"""What a process leaves behind is told from what a running one uses."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import python

from taxi_pipeline import processes
from taxi_pipeline.processes import is_running, own_name


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(30)
    return ended.pid


def named(folder, name, age=0.0):
    path = folder / name
    path.mkdir()
    (path / "half.parquet").write_bytes(b"PAR1")
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    return path


def of(process, host=None):
    host = host or processes.socket.gethostname()
    return f"{host}-{process}-{'0' * 32}"


def test_what_a_running_process_writes_is_kept(tmp_path):
    path = named(tmp_path, processes.own_name())
    assert processes.remove_left_over(tmp_path) == []
    assert path.exists()


def test_what_a_process_that_ended_wrote_is_removed(tmp_path, gone):
    path = named(tmp_path, of(gone))
    assert processes.remove_left_over(tmp_path) == [path]
    assert not path.exists()


def test_a_file_that_is_left_over_is_removed_too(tmp_path, gone):
    path = tmp_path / f".new-{of(gone)}"
    path.write_bytes(b"half")
    assert processes.remove_left_over(tmp_path, ".new-") == [path]
    assert not path.exists()


def test_only_names_with_the_prefix_are_looked_at(tmp_path, gone):
    path = named(tmp_path, of(gone))
    assert processes.remove_left_over(tmp_path, ".new-") == []
    assert path.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_a_process_that_nobody_has_asked_how_it_ended_has_ended():
    child = subprocess.Popen([sys.executable, "-c", ""])
    name = f"{socket.gethostname()}-{child.pid}-{'0' * 32}"
    stat = Path(f"/proc/{child.pid}/stat")
    until = time.monotonic() + 20
    while b") Z" not in stat.read_bytes() and time.monotonic() < until:
        time.sleep(0.02)
    assert is_running(name) is False
    child.wait(10)
    assert is_running(name) is False


@pytest.mark.parametrize("name", [of(1, "another-host"), "4f1c2d3e" * 4, "taxi_pipeline-0"])
def test_what_belongs_to_no_process_of_this_machine_is_removed_after_a_week(tmp_path, name):
    path = named(tmp_path, name, age=processes.SECONDS_UNSEEN - 3600)
    assert processes.remove_left_over(tmp_path) == []
    path.rename(tmp_path / "moved")
    old = named(tmp_path, name, age=processes.SECONDS_UNSEEN + 3600)
    assert processes.remove_left_over(tmp_path) == [old]


def test_a_folder_that_is_not_there_has_nothing_left_over(tmp_path):
    assert processes.remove_left_over(tmp_path / "nowhere") == []


def test_a_temporary_folder_is_removed_at_the_end_and_by_others_if_its_process_was_killed(
    tmp_path, monkeypatch, gone
):
    monkeypatch.setattr(processes.tempfile, "gettempdir", lambda: str(tmp_path))
    with processes.temporary_folder() as folder:
        assert folder.parent == tmp_path
        assert processes.remove_temporary_folders() == []
        assert folder.exists()
    assert not folder.exists()
    path = named(tmp_path, f"{processes.PREFIX}{of(gone)}")
    locks = named(tmp_path, "taxi_pipeline-0", age=processes.SECONDS_UNSEEN + 3600)
    assert processes.remove_temporary_folders() == [path]
    assert locks.exists()


def test_a_process_of_this_machine_is_known_to_run_or_to_have_ended(gone):
    assert is_running(own_name()) is True
    assert is_running(f"{own_name()}.json") is True
    assert is_running(f"{socket.gethostname()}-{gone}-{'0' * 32}") is False


@pytest.mark.parametrize("name", [f"another-machine-12-{'0' * 32}", "notes.txt", ""])
def test_nothing_is_known_of_a_process_of_another_machine(name):
    assert is_running(name) is None


def test_what_a_process_that_ends_wrote_counts_as_left_over(tmp_path, gone):
    own = named(tmp_path, processes.own_name())
    other = named(tmp_path, of(gone))
    running = named(tmp_path, of(os.getppid()))
    assert set(processes.remove_left_over(tmp_path, ending=True)) == {own, other}
    assert running.exists()


TREE = """
import subprocess, sys
from taxi_pipeline import processes

child = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
grandchild = int(child.stdout.readline())
assert sorted(processes.descendants()) == sorted([child.pid, grandchild])
processes.kill_descendants()
assert processes.is_running(f"{processes.socket.gethostname()}-{child.pid}-x") is False
sys.exit(len(processes.descendants()))
"""


def test_a_process_knows_and_ends_those_that_it_has_started_and_theirs(tmp_path):
    answer = python(tmp_path, "-c", TREE)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_where_there_is_no_proc_the_processes_are_listed_by_ps(monkeypatch):
    """As on macOS."""
    listed = f"  1     0\n 70 {os.getpid()}\n 71    70\n 72     1\n"
    answer = subprocess.CompletedProcess([], 0, stdout=listed)
    monkeypatch.setattr(processes, "Path", lambda _: Path("/nowhere"))
    monkeypatch.setattr(processes.subprocess, "run", lambda *_, **__: answer)
    assert processes.descendants() == [70, 71]
