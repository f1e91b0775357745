"""What tasks need is imported before a worker forks, and only there."""

import importlib
import sys
from pathlib import Path

import pytest
from places import REPOSITORY
from processes import python, run

from taxi_pipeline.runtime import preload

PROBE = """
import sys

import luigi

import taxi_pipeline


def heavy():
    return sorted({"mlflow", "pandas", "xgboost"} & set(sys.modules)) or "nothing"


class Probe(luigi.Task):
    ran = luigi.BoolParameter()

    def complete(self):
        return self.ran or hasattr(self, "told")

    def run(self):
        self.told = print("task:", heavy(), flush=True)

    def on_run_end(self, summary):
        return f"end: {heavy()}"


class Outside(luigi.ExternalTask):
    def complete(self):
        return False


class Waits(Probe):
    def requires(self):
        return Outside()
"""


ALL = "['mlflow', 'pandas', 'xgboost']"


@pytest.fixture
def probe(tmp_path):
    """Runs a task that tells what is imported in its process, and at the end in the worker's."""
    (tmp_path / "probe.py").write_text(PROBE)
    command = str(Path(sys.executable).with_name("luigi"))
    own = (*("--module", "probe"), *("--local-scheduler", "--no-lock"))

    def told(*arguments):
        answer = run([command, *arguments, *own], tmp_path, path=[tmp_path, REPOSITORY])
        assert "Traceback" not in answer.stderr
        said = (answer.stdout + answer.stderr).splitlines()
        lines = [line.removeprefix("INFO: ").split(": ") for line in said]
        return {line[0]: line[1] for line in lines if line[0] in {"task", "end"}}

    return told


def test_one_worker_imports_nothing_before_its_tasks_do(probe):
    assert probe("Probe") == {"task": "nothing", "end": "nothing"}


def test_several_workers_import_what_tasks_need_before_they_fork(probe):
    assert probe("Probe", "--workers", "2") == {"task": ALL, "end": ALL}


@pytest.mark.parametrize("asked", [("Probe", "--ran"), ("Waits",)])
def test_several_workers_that_have_nothing_to_run_import_nothing(probe, asked):
    assert probe(*asked, "--workers", "2") == {"end": "nothing"}


@pytest.mark.parametrize("name", preload.PRELOAD_MODULES)
def test_what_is_imported_before_a_fork_is_there(name):
    importlib.import_module(name)


FIT = """
import importlib, os, signal, sys, time

from taxi_pipeline.runtime.preload import PRELOAD_MODULES

if sys.argv[1] == "import all":
    for name in PRELOAD_MODULES:
        importlib.import_module(name)
import numpy as np, xgboost

def fit():
    trips = xgboost.DMatrix(np.arange(4000.0).reshape(-1, 2), np.arange(2000.0))
    xgboost.train({"nthread": 2}, trips, 2)

if sys.argv[1] == "fit":
    fit()
child = os.fork()
if not child:
    fit()
    os._exit(0)
deadline = time.monotonic() + float(sys.argv[2])
while time.monotonic() < deadline:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        sys.exit("ends" if status == 0 else f"fails with {status}")
    time.sleep(0.02)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
sys.exit("hangs")
"""


def test_models_can_be_fitted_in_a_process_forked_after_all_is_imported(tmp_path):
    assert python(tmp_path, "-c", FIT, "import all", "30").stderr.strip() == "ends"


def test_models_cannot_be_fitted_in_a_process_forked_after_a_fit(tmp_path):
    # If they can one day, there is no need for most of what a worker does before it forks.
    assert python(tmp_path, "-c", FIT, "fit", "3").stderr.strip() == "hangs"
