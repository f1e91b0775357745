"""Commands in processes of their own, without what the developer's environment sets."""

import os
import re
import subprocess
import sys

from taxi_pipeline import processes

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def clean_environment():
    """The variables without those of Luigi, and of the threads that libraries may use."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("LUIGI") and not name.endswith("_NUM_THREADS")
    }


def run(command, folder=None, *, path=(), environment=None, timeout=60):
    """What a command answers in a folder; Python looks for modules first in those of `path`.

    `environment` holds all variables, in place of the clean ones. The console's lines come without
    the time of day at which each was written.
    """
    known = clean_environment() if environment is None else dict(environment)
    if path:
        inherited = known.get("PYTHONPATH")
        places = [*path, inherited] if inherited else path
        known["PYTHONPATH"] = os.pathsep.join(map(str, places))
    answer = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=known,
        timeout=timeout,
    )
    answer.stderr = without_times(answer.stderr)
    return answer


def without_times(console):
    """The console's lines without the time of day at which each was written."""
    return re.sub(r"^\d\d:\d\d:\d\d (?=[A-Z]+: )", "", console, flags=re.MULTILINE)


def python(folder, *arguments, **options):
    """What a Python of its own answers in a folder; the options are those of `run`."""
    return run([sys.executable, *arguments], folder, **options)


def children_of(process):
    """The numbers of the processes that a process has started."""
    return [child for child, parent in processes._parents() if parent == process]
