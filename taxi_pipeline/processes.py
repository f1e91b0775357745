"""Processes that go away: their children, and files named after them, so that others can tell."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

PREFIX = "taxi_pipeline-"
"""How the names of temporary folders begin."""

SECONDS_UNSEEN = 7 * 24 * 3600.0
"""After this many seconds without a change, files of a process that cannot be asked for are left
over: of a process of another machine, or of one that an earlier version did not name."""


def own_name() -> str:
    """A name for a file of this process that no other process gives."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"


def is_running(name: str) -> bool | None:
    """Whether the process that :func:`own_name` named runs; None if it is of another machine.

    A process number that another process has got meanwhile counts as running.

    Args:
        name: with or without something before it.
    """
    host, _, process = name.rpartition("-")[0].rpartition("-")
    if not process.isdecimal() or not f"-{host}".endswith(f"-{socket.gethostname()}"):
        return None
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to somebody else
        return True
    return not _is_zombie(int(process))


def _is_zombie(process: int) -> bool:
    """Whether a process has ended and its parent has not asked how; not known without ``/proc``."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2]
    except OSError:
        return False
    return state.startswith(b"Z")


def is_left_over(path: Path, *, ending: bool = False) -> bool:
    """Whether the process that a file or folder is named after has ended.

    Args:
        path: what :func:`own_name` named, with or without something before it.
        ending: whether this process counts as ended as well.
    """
    runs = is_running(path.name)
    if runs is not None:
        return not runs or (ending and f"-{os.getpid()}-" in path.name)
    try:
        return time.time() - path.stat().st_mtime > SECONDS_UNSEEN
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """A folder for temporary files; removed at the end.

    Args:
        parent: where it is made; by default where the machine keeps temporary files.
        prefix: how its name begins.
    """
    folder = (parent or Path(tempfile.gettempdir())) / f"{prefix}{own_name()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_over(folder: Path, prefix: str = "", *, ending: bool = False) -> list[Path]:
    """Remove what processes that have ended left in a folder.

    Args:
        folder: where to look; it need not be there.
        prefix: how the names begin.
        ending: whether this process counts as ended as well.

    Returns:
        What was removed.
    """
    removed = []
    for path in folder.glob(f"{prefix}*"):
        if is_left_over(path, ending=ending):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def remove_temporary_folders(*, ending: bool = False) -> list[Path]:
    """Remove the temporary folders of processes of this machine that have ended."""
    prefix = f"{PREFIX}{socket.gethostname()}-"
    return remove_left_over(Path(tempfile.gettempdir()), prefix, ending=ending)


def descendants() -> list[int]:
    """The numbers of the processes that this one has started, and that those have started."""
    children: dict[int, list[int]] = {}
    for process, parent in _parents():
        children.setdefault(parent, []).append(process)
    found, ahead = [], [os.getpid()]
    while ahead:
        of_one = children.get(ahead.pop(), [])
        found += of_one
        ahead += of_one
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Each process of this machine with the one that started it."""
    processes = Path("/proc")
    if not (processes / "self" / "stat").exists():  # macOS
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607  (wherever the system keeps it)
            check=True,
            capture_output=True,
            text=True,
        )
        for line in listed.stdout.splitlines():
            process, parent = line.split()
            yield int(process), int(parent)
        return
    for entry in processes.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it has just ended
                # The name before the last bracket may hold anything.
                status = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                yield int(entry.name), int(status[1])


def kill_descendants() -> None:
    """End all processes that this one has started, directly or not, at once."""
    for process in descendants():
        with contextlib.suppress(OSError):  # it has just ended
            os.kill(process, signal.SIGKILL)
        with contextlib.suppress(OSError):  # it is the child of a child
            os.waitpid(process, 0)  # else it counts as running
