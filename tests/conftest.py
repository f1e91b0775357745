"""What tests of several files share."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest
from luigi_options import fresh_configuration

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("pipeline", deadline=None)
hypothesis.settings.load_profile("pipeline")

pytest_plugins = (
    "dask_clusters",
    "evaluated_roots",
    "made_roots",
    "object_store",
    "own_recipes",
    "plan_folders",
    "small_models",
    "source_runs",
)


def pytest_configure(config):
    """Give each of several test processes a folder of its own for Luigi's locks.

    Luigi refuses a command that runs already, which another process's test may be doing.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = tempfile.mkdtemp(prefix="taxi_pipeline-tests-")
        # A database server of the tests runs as another user, and has its data below.
        Path(folder).chmod(0o711)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["TMPDIR"] = tempfile.tempdir = folder


def pytest_addoption(parser):
    """Add the option that tests/tasks/base/test_stage_golden.py names where it fails."""
    parser.addoption(
        "--renew-golden", action="store_true", help="write what the stages make now as expected"
    )


@pytest.fixture
def luigi_config():
    """Sets options of Luigi's configuration, which knows only the pipeline's settings at first."""
    with fresh_configuration() as set_option:
        yield set_option
