"""The real luigi command, as a user types it, in a folder of its own."""

import contextlib
import subprocess
import sys
from pathlib import Path

from processes import clean_environment, run

COMMAND = (str(Path(sys.executable).with_name("luigi")), "--module", "taxi_pipeline")
STEPS = 13
"""Outputs of the main job: of ten stages, three of which run for two months."""

SMALL = ["--source-url", "synthetic://?rows=3000", "--tuning-trials", "2"]


class CommandLine:
    def __init__(self, folder):
        self.folder = folder
        # A luigi.cfg or variables of the developer's own must not take part.
        self.environment = clean_environment()

    def __call__(self, *arguments, timeout=240):
        command = [*COMMAND, *arguments]
        return run(command, self.folder, environment=self.environment, timeout=timeout)

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
