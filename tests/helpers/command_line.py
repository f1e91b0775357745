"""The real luigi command, as a user types it, in a folder of its own."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

COMMAND = (str(Path(sys.executable).with_name("luigi")), "--module", "taxi_pipeline")
SMALL = ["--source-url", "synthetic://?rows=3000", "--tuning-trials", "2"]


class CommandLine:
    def __init__(self, folder):
        self.folder = folder
        # A luigi.cfg or variables of the developer's own must not take part.
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LUIGI")
        }

    def __call__(self, *arguments, timeout=240):
        return subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=timeout,
        )

    @contextlib.contextmanager
    def started(self, *arguments):
        """The command as a process that goes on by itself; it does not outlive the block."""
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()
