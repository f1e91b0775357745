"""Runs that are interrupted: commands whose stages can be held up, and what an end leaves."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from command_line import COMMAND, CommandLine
from processes import without_times
from servers import wait_for

HELD = '''
"""The pipeline, in which one stage stops in the middle."""
import os
import time

from taxi_pipeline import *  # noqa: F403
from taxi_pipeline.tasks.base import Stage

make = Stage._make_or_explain


def held(task, folder):
    if task.stage == os.environ.get("HELD"):
        (folder / "half").write_text("half")
        time.sleep(60)
    return make(task, folder)


Stage._make_or_explain = held
'''


class Interruptible(CommandLine):
    """The command line in a folder, whose processes and temporary files can be looked at."""

    def __init__(self, folder):
        super().__init__(folder)
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        (folder / "held.py").write_text(HELD)
        path = os.environ.get("PYTHONPATH")
        self.environment |= {
            "PYTHONPATH": os.pathsep.join([str(folder), path] if path else [str(folder)]),
            "TMPDIR": str(self.temporary),
        }

    def started(self, *arguments, held=""):
        """The command in a process group of its own, which ends with the block."""
        return self._started([COMMAND[0], "--module", "held", *arguments], held)

    def program(self, *arguments, held=""):
        """A program in Python, in the same way."""
        return self._started([sys.executable, *arguments], held)

    @contextlib.contextmanager
    def _started(self, command, held):
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self.environment | {"HELD": held},
            start_new_session=True,
            # Tests that run in the background of a shell may have been told to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def wait_for_half(self, process, seconds=60):
        """Wait until a held stage has written half of its output."""
        found = lambda: list(self.folder.glob("data/.staging/*/half"))  # noqa: E731
        return wait_for(found, process, seconds)

    def leftovers(self):
        """What a run that has ended must not leave."""
        data = self.folder / "data"
        left = [*data.glob(".staging/*"), *data.glob(".running/*"), *data.glob("mlflow/.new-*")]
        left += [path for path in self.temporary.iterdir() if path.name != "luigi"]
        return [str(path.relative_to(self.folder)) for path in left]


def descendants(process):
    """The numbers of the processes that a process has started, directly or not."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_bytes().rpartition(b")")[2].split()[1]) == process:
                child = int(status.parent.name)
                found += [child, *descendants(child)]
    return found


def end(process, number, *, group=False, times=1):
    """Send a signal, to the whole group as a terminal does or not; lines besides INFO, seconds."""
    children, begun = descendants(process.pid), time.monotonic()
    for _ in range(times):
        (os.killpg if group else os.kill)(process.pid, number)
    said, _ = process.communicate(timeout=20)
    seconds = time.monotonic() - begun
    alive = [child for child in children if Path(f"/proc/{child}").exists()]
    assert alive == []
    lines = without_times(said).splitlines()
    return [line for line in lines if not line.startswith("INFO: ")], seconds
