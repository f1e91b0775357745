"""What tests of several files share."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from luigi.configuration import LuigiConfigParser
from luigi.setup_logging import InterfaceLogging
from luigi.task_register import Register

from taxi_pipeline import config

pytest_plugins = ("own_recipes", "plan_folders", "small_models")


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


@pytest.fixture
def luigi_config(monkeypatch):
    """Sets options of Luigi's configuration, which knows only the pipeline's settings at first.

    The files and variables that Luigi would read are left out, and luigi.build leaves logging to
    pytest.
    """
    monkeypatch.delenv("LUIGI_CONFIG_PARSER", raising=False)
    fresh = LuigiConfigParser()
    monkeypatch.setattr(LuigiConfigParser, "_instance", fresh)
    monkeypatch.setattr(InterfaceLogging, "_configured", True)
    _forget()
    config.apply_luigi_settings()

    def set_option(section, option, value):
        fresh.set(section, option, str(value).replace("%", "%%"))

    yield set_option
    _forget()


def _forget():
    Register.clear_instance_cache()
    config.check.cache_clear()
