"""The scheduler's state in its file: written whole, read only if nobody else can have written it.

The file is a pickle, as Luigi makes it. Whoever writes a pickle decides what runs when it is read,
so that a file of another owner, or one that others may write, is not opened; and of every file no
more is taken than the classes that a state has.
"""

from __future__ import annotations

import collections
import logging
import os
import pickle
import stat
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import luigi.scheduler
from luigi.task_status import FAILED

from taxi_pipeline.luigid import arguments

logger = logging.getLogger("taxi_pipeline.luigid")

State = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""Tasks, workers and batchers, each by name."""

# What clients tell of a task.
_TOLD = (
    *("status", "family", "module", "priority", "resources", "params", "param_visibilities"),
    *("expl", "tracking_url", "status_message", "progress_percentage"),
)

_CLASSES: dict[tuple[str, str], Any] = {
    ("luigi.scheduler", "Task"): luigi.scheduler.Task,
    ("luigi.scheduler", "Worker"): luigi.scheduler.Worker,
    ("luigi.scheduler", "OrderedSet"): luigi.scheduler.OrderedSet,
    ("luigi.scheduler", "RetryPolicy"): luigi.scheduler.RetryPolicy,
    ("collections", "deque"): collections.deque,
    ("builtins", "set"): set,
}


class _Unpickler(pickle.Unpickler):
    """Knows the classes of a scheduler's state, and no other."""

    def find_class(self, module: str, name: str) -> Any:
        """The class of a name."""
        try:
            return _CLASSES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it holds {module}.{name}") from None


def write(file: Path, state: State) -> None:
    """Write the state, whole or not at all; nobody else may read or write the file."""
    arriving = file.with_suffix(".new")
    arriving.unlink(missing_ok=True)
    with os.fdopen(os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as content:
        pickle.dump(state, content)
    arriving.replace(file)


def read(file: Path) -> State | None:
    """The state in a file; None if there is none, or none that can be used.

    A file that cannot be used is set aside, with a line that says why.
    """
    try:
        content = _open(file)
        if content is None:
            return None
        with content:
            return _state(_Unpickler(content).load())
    except _Unusable as unusable:
        problem = str(unusable)
    # A damaged pickle ends in almost any exception.
    except Exception as error:  # noqa: BLE001
        problem = f"it is damaged ({type(error).__name__}: {' '.join(str(error).split()):.200})"
    aside = file.with_name(f"{file.name}.refused-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    file.rename(aside)
    logger.warning(
        "the scheduler's state in %s is not used, since %s; it is kept as %s, and the scheduler "
        "begins anew: clients tell it again what they work on",
        file,
        problem,
        aside.name,
    )
    return None


class _Unusable(Exception):
    """Why a state cannot be used."""


def _open(file: Path) -> BinaryIO | None:
    try:
        # A link may lead to what others can write, and a pipe would be waited for.
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _Unusable(f"it cannot be read ({error.strerror})") from None
    status = os.fstat(opened)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "it is no file"
    elif status.st_uid != os.geteuid():
        problem = f"it belongs to another user (number {status.st_uid})"
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        problem = f"others may write it (mode {stat.S_IMODE(status.st_mode):o})"
    if problem:
        os.close(opened)
        raise _Unusable(problem)
    return os.fdopen(opened, "rb")


def _state(content: Any) -> State:
    """The state, if that is what was read."""
    if not (isinstance(content, tuple) and len(content) in {2, 3}):
        raise _Unusable("it is not that of a scheduler")
    tasks, workers, batchers = (*content, {})[:3]
    for known, kind in ((tasks, luigi.scheduler.Task), (workers, luigi.scheduler.Worker)):
        if not (isinstance(known, dict) and all(type(entry) is kind for entry in known.values())):
            raise _Unusable("it is not that of a scheduler")
        # The attributes that a new one has, of the same types or missing as in an older version.
        for entry in known.values():
            if not isinstance(getattr(entry, "id", None), str):
                raise _Unusable("it is not that of a scheduler")
    if not isinstance(batchers, dict):
        raise _Unusable("it is not that of a scheduler")
    return tasks, workers, batchers


def repair(state: State, retry_delay: float) -> State:
    """The state without what would break the scheduler or its page; a line says what was mended.

    Args:
        state: as it was read.
        retry_delay: seconds after which a failed task is tried again.
    """
    tasks, workers, batchers = state
    mended: list[str] = []
    for task_id, task in list(tasks.items()):
        try:
            _mend_task(task, retry_delay, mended.append)
        except (arguments.RefusedArguments, AttributeError, TypeError):
            del tasks[task_id]
            mended.append("a task that makes no sense")
    for worker_id, worker in list(workers.items()):
        try:
            arguments.worker(worker.id)
            arguments.info(worker.info)
            worker.tasks = {task for task in worker.tasks if tasks.get(task.id) is task}
        except (arguments.RefusedArguments, AttributeError, TypeError):
            del workers[worker_id]
            mended.append("a worker that makes no sense")
    if mended:
        logger.warning("mended in the scheduler's state: %s", _counted(mended))
    return tasks, workers, batchers


def _mend_task(task: Any, retry_delay: float, note: Callable[[str], None]) -> None:
    """Mend a task that an older version took as it came.

    Raises:
        RefusedArguments: it makes no sense.
    """
    told = {name: getattr(task, name) for name in _TOLD}
    known = arguments.checked("add_task", {**told, "task_id": task.id, "deps": list(task.deps)})
    task.set_params(known["params"])
    for name in ("tracking_url", "status_message"):
        if known[name] != told[name]:
            setattr(task, name, known[name])
            note(f"a {name.replace('_', ' ')} that could hold a script")
    if task.status == FAILED and task.retry is None:
        task.retry = time.time() + retry_delay
        note("a failed task without a time to try it again")


def _counted(lines: Iterable[str]) -> str:
    return ", ".join(f"{line} ({n})" for line, n in collections.Counter(lines).items())
