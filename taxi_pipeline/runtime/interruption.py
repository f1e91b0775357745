"""Ctrl-C and SIGTERM end a run within two seconds, in good order, whatever it is doing.

Python hands a signal to the main thread between two of its instructions; a fit of XGBoost, for one,
is a single instruction that may take minutes. So a thread of its own waits for signals. The main
thread stands still as soon as it can, since whatever it did now would be undone; the other thread
ends the run's processes, gives its tasks back to the scheduler, removes what is half written, says
in one line what is kept, and ends the process.

That may be anywhere in the work: outputs are published whole or not at all.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from taxi_pipeline import config
from taxi_pipeline.observability import failures, logs
from taxi_pipeline.processes import kill_descendants
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.lease import LeasingWorker
from taxi_pipeline.runtime.root import clear_root
from taxi_pipeline.storage import layout

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C; the end that systemd, a container or ``kill`` asks for; a terminal that is closed."""

GIVE_BACK_SECONDS = 0.8
"""Seconds at most that the scheduler, or a remote storage, is talked to."""

REMOVE_SECONDS = 0.4
"""Seconds at most for the processes of the run, and again for what is half written."""


class _Run:
    """The run of this process: what ends with it."""

    worker: LeasingWorker | None = None


def watch(worker: LeasingWorker) -> None:
    """Have a worker's run end in good order at a signal, where :func:`install` was called."""
    _Run.worker = worker


def install() -> None:
    """Take the signals of this process over, but for those that are ignored, as by ``nohup``."""
    taken = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in taken:
        signal.signal(number, _stand_still)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=lambda: _leave_to_parent(taken))
    threading.Thread(target=_await, args=(reading, taken), name="signals", daemon=True).start()


def _stand_still(number: int, _frame: FrameType | None) -> NoReturn:
    """Keep the main thread from going on, and from reporting failures that the end causes."""
    time.sleep(GIVE_BACK_SECONDS + 2 * REMOVE_SECONDS + 0.3)
    os._exit(128 + number)  # the interpreter was ending, and the other thread with it


def _leave_to_parent(taken: list[signal.Signals]) -> None:
    """Have a forked process go on at Ctrl-C, which reaches it too, until its parent ends it."""
    signal.set_wakeup_fd(-1)
    for number in taken:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)


def _await(reading: int, taken: list[signal.Signals]) -> None:
    while True:
        for number in os.read(reading, 64):  # other signals are told of as well
            if number in taken:
                _end(signal.Signals(number))


def _end(number: signal.Signals) -> NoReturn:
    worker = _Run.worker
    kept = _kept(number, worker)
    problems = [_bounded("not all processes were ended", kill_descendants, REMOVE_SECONDS)]
    if worker is not None:
        tasks = _running(worker)
        problems += [
            _bounded("scheduler or storage do not answer", worker.abandon, GIVE_BACK_SECONDS),
            _bounded("not all was removed", lambda: _leave_files(number, tasks), REMOVE_SECONDS),
        ]
    line = "; ".join([kept, *filter(None, problems)])
    # Neither logging nor sys.stderr: the main thread may hold their locks.
    begin = "\n" if os.isatty(2) else ""  # a progress bar may stand there
    with contextlib.suppress(OSError):  # the terminal is gone
        os.write(2, f"{begin}WARNING: {redact(line)}\n".encode(errors="backslashreplace"))
    os._exit(128 + number)


def _bounded(problem: str, action: Callable[[], object], seconds: float) -> str:
    """Do something in a thread of its own, and wait so long for it.

    Returns:
        The problem and its cause; empty if there was none.
    """
    said: list[str] = []

    def run() -> None:
        try:
            action()
            said.append("")
        except Exception as error:  # noqa: BLE001  (whatever it is, the process ends)
            said.append(f"{problem}: {failures.summary(error)}")

    # Not a Thread, for whose start a lock is needed that the main thread may hold.
    _thread.start_new_thread(run, ())
    end = time.monotonic() + seconds
    while not said and time.monotonic() < end:
        time.sleep(0.005)
    return said[0] if said else f"{problem} within {seconds:.1f} s"


def _running(worker: LeasingWorker) -> list[tuple[Any, int]]:
    """The tasks that run, each with the number of its process."""
    processes = list(worker._running_tasks.values())  # noqa: SLF001  (Luigi keeps them to itself)
    return [(process.task, process.pid or os.getpid()) for process in processes]


def _kept(number: signal.Signals, worker: LeasingWorker | None) -> str:
    """What the run leaves, and how it goes on."""
    if worker is None:
        return f"{number.name}: ended before anything was run; the same command begins again"
    labels = [str(getattr(task, "label", task)) for task, _ in _running(worker)]
    where = f" in {' and '.join(labels)}" if labels else ""
    return (
        f"{number.name}: ended{where}; finished outputs ({worker.made} by this run) and trials of "
        f"searches are kept in {config.storage().root}, and the same command goes on from there"
    )


def _leave_files(number: signal.Signals, tasks: list[tuple[Any, int]]) -> None:
    """Remove what is half written, and write the end into the logs of tasks."""
    clear_root()
    _note_in_logs(number, tasks)
    sys.stdout.flush()


def _note_in_logs(number: signal.Signals, tasks: list[tuple[Any, int]]) -> None:
    """Write the end into the logs of tasks, where these are files of this machine."""
    root = config.storage().local_folder
    for task, process in tasks:
        folder = getattr(task, "task_dir", None)
        if root is not None and folder:
            for log in Path(root, layout.logs_dir(folder)).glob(f"*-{process}.log"):
                logs.append_line(log, f"{task.label}: ended by {number.name}")
