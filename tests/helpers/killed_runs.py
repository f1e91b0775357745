"""Runs of the luigi command that are killed right after one of their writes.

As a script it imports all that is slow once, and then forks a process for each run.
"""

import functools
import json
import os
import signal
import sys
from pathlib import Path

from processes import python

STORAGE = ("write_json", "write_json_exclusive", "publish")
CLIENT = ("create_", "log_", "set_", "update_", "finalize_")
"""How those methods of MLflow's client begin that write."""

WRITES = "writes.txt"
"""The file in a run's folder that names its writes."""


def run_killed(runs, command):
    """The exit codes of runs, one after the other; -9 is that of a run that was killed.

    Args:
        runs: the folder of each, and the write after which it is killed: its number from 1, or how
            its name ends, or None.
        command: the arguments of luigi.
    """
    script = (str(Path(__file__)), json.dumps([[str(folder), last] for folder, last in runs]))
    folders = Path(__file__).parent, Path(__file__).parents[2]
    answer = python(runs[0][0], *script, *command, path=folders, timeout=180 * len(runs))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def writes(folder):
    """The names of the writes of the last run in a folder, in their order."""
    file = Path(folder, WRITES)
    return file.read_text().splitlines() if file.exists() else []


def output(folder):
    """What the runs in a folder printed."""
    return Path(folder, "output.txt").read_text()


# --- in the script --------------------------------------------------------------------------------


class Counter:
    """Names each write of storage and client as it is done, and kills the process after one."""

    def __init__(self, last):
        self.last = last
        self.done = 0
        self.depth = 0

    def watch(self, owner, method, name):
        original = getattr(owner, method)

        @functools.wraps(original)
        def counted(self_, *arguments, **options):
            self.depth += 1
            try:
                answer = original(self_, *arguments, **options)
            finally:
                self.depth -= 1
            # A method may call others of the same object.
            if self.depth == 0 and (written := name(method, arguments)):
                self.count(written)
            return answer

        setattr(owner, method, counted)

    def count(self, written):
        self.done += 1
        with Path(WRITES).open("a") as file:
            file.write(f"{written}\n")
        if self.done == self.last or (isinstance(self.last, str) and written.endswith(self.last)):
            os.kill(os.getpid(), signal.SIGKILL)


def stored(method, arguments):
    """The name of a write of the storage; empty for what a run says of itself."""
    location = next(argument for argument in reversed(arguments) if isinstance(argument, str))
    return "" if location.startswith((".running/", ".locks/")) else f"{method} {location}"


def registered(method, arguments):
    """The name of a write of MLflow's client."""
    words = (argument for argument in arguments if isinstance(argument, str))
    return " ".join(f"{method} {' '.join(words)}".split())


def run(last, command):
    """Run luigi in this process, which ends with it."""
    import mlflow
    from luigi.cmdline import luigi_run

    from taxi_pipeline.storage.local import LocalStorage

    counter = Counter(last)
    for method in STORAGE:
        counter.watch(LocalStorage, method, stored)
    for method in dir(mlflow.MlflowClient):
        if method.startswith(CLIENT):
            counter.watch(mlflow.MlflowClient, method, registered)
    sys.argv = ["luigi", *command]
    luigi_run(command)


def forked(folder, last, command):
    """The exit code of a run in a process of its own."""
    process = os.fork()
    if process == 0:
        os.chdir(folder)
        Path(WRITES).unlink(missing_ok=True)
        with Path("output.txt").open("a") as file:
            os.dup2(file.fileno(), sys.stdout.fileno())
            os.dup2(file.fileno(), sys.stderr.fileno())
        run(last, command)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main():
    from taxi_pipeline.runtime.preload import preload

    preload()

    runs, command = json.loads(sys.argv[1]), sys.argv[2:]
    print(json.dumps([forked(folder, last, command) for folder, last in runs]))  # noqa: T201


if __name__ == "__main__":
    main()
