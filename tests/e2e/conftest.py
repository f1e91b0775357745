"""The real luigi command, as a user types it, in a folder of its own."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import servers

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


@pytest.fixture
def luigi(tmp_path):
    return CommandLine(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which the main job has run on the synthetic city, and what the run said."""
    command = CommandLine(tmp_path_factory.mktemp("finished"))
    result = command("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
    return command, result


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory):
    """A scheduler through which the main job has run once, in the folder of its command line."""
    folder = tmp_path_factory.mktemp("scheduler")
    with servers.scheduler(folder) as running:
        running.client = CommandLine(folder)
        result = running.client(
            *("RegisterModel", "--year", "2021", "--month", "1"), *SMALL, *running.flag
        )
        assert result.returncode == 0, result.stderr
        yield running
