"""Python in a process of its own, without what the developer's environment sets."""

import os
import subprocess
import sys

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ENVIRONMENT = {
    name: text
    for name, text in os.environ.items()
    if not name.startswith("LUIGI") and name not in LIBRARIES
}


def python(folder, *arguments):
    """A Python of its own in a folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=60,
    )
