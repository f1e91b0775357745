"""Workers share the cores, are ready before they fork, and let a task have the last word."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import luigi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from luigi import execution_summary
from luigi.rpc import RemoteScheduler
from luigi.scheduler import Scheduler
from luigi.task import flatten
from places import REPOSITORY

from taxi_pipeline import RegisterModel, config
from taxi_pipeline.runtime import worker as workers
from taxi_pipeline.runtime.worker import End, Factory, LocalScheduler, Worker

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ENVIRONMENT = {
    name: text
    for name, text in os.environ.items()
    if not name.startswith("LUIGI") and name not in LIBRARIES
}


class Made(luigi.Task):
    name = luigi.Parameter(default="made")
    done: ClassVar[set] = set()

    def complete(self):
        return self.name in self.done

    def run(self):
        self.done.add(self.name)


class Fails(Made):
    def run(self):
        raise ValueError("a defect\nof two lines")


class CannotBeLookedAt(luigi.Task):
    def complete(self):
        raise ValueError("a defect in complete")


class Outside(luigi.ExternalTask):
    def complete(self):
        return False


class All(luigi.WrapperTask):
    def requires(self):
        return [Made(name="made"), Made(name="there"), Fails(), CannotBeLookedAt(), Outside()]


@pytest.fixture(autouse=True)
def process(luigi_config, monkeypatch):
    """A process in which no worker was yet, on a machine of eight cores."""
    Made.done.clear()
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: set(range(8)))
    luigi_config("resources", "cpu", 8)
    # A worker sets these for its process.
    monkeypatch.setattr(config.training, "tasks_at_once", 1)
    monkeypatch.setattr(config.training, "most_threads", None)
    for name in LIBRARIES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def limits(scheduler):
    return {entry["name"]: entry["num_total"] for entry in scheduler.resource_list()}


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


# --- what Luigi must offer --------------------------------------------------------------------


def test_luigis_command_makes_its_workers_with_what_install_puts_there(monkeypatch):
    monkeypatch.setattr(
        luigi.interface, "_WorkerSchedulerFactory", luigi.interface._WorkerSchedulerFactory
    )
    workers.install()
    result = luigi.build([Made()], local_scheduler=True, detailed_summary=True)
    assert type(result.worker) is Worker
    assert type(result.worker.scheduler) is LocalScheduler


@pytest.mark.parametrize(
    ("program", "module"),
    [("bin/luigi", "taxi_pipeline.runtime.worker"), ("other", "luigi.interface")],
)
def test_only_luigis_own_command_is_given_our_workers(tmp_path, program, module):
    script = (
        f"import sys; sys.argv[0] = {program!r}; import luigi, taxi_pipeline; "
        "print(luigi.interface._WorkerSchedulerFactory.__module__)"
    )
    assert python(tmp_path, "-c", script).stdout.strip() == module


def test_a_worker_remembers_its_tasks_the_first_and_what_became_of_them():
    worker = luigi.worker.Worker(scheduler=Scheduler())
    tasks = [Made(name="one"), Made(name="two")]
    for task in tasks:
        worker.add(task)
    assert worker._first_task == tasks[0].task_id
    assert worker._scheduled_tasks == {task.task_id: task for task in tasks}
    assert worker.run()
    history = [(task, status) for task, status, _ in worker._add_task_history]
    assert history[:2] == [(task, "PENDING") for task in tasks]
    assert set(history[2:]) == {(task, "DONE") for task in tasks}


@pytest.mark.parametrize("scheduler", [Scheduler, RemoteScheduler])
@pytest.mark.parametrize("method", ["resource_list", "update_resource", "fetch_error"])
def test_schedulers_near_and_far_can_be_asked_for_limits_and_errors(scheduler, method):
    assert callable(getattr(scheduler, method))


def test_the_end_says_what_was_made_what_failed_and_what_is_awaited():
    Made.done.add("there")
    result = luigi.build(
        [All()],
        local_scheduler=True,
        detailed_summary=True,
        worker_scheduler_factory=Factory(),
    )
    assert set(execution_summary._summary_dict(result.worker)) >= {
        *("completed", "failed", "scheduling_error", "still_pending_ext", "run_by_other_worker")
    }
    end = End(result.worker)
    assert end.made == {Made(name="made")}
    assert end.failed == [CannotBeLookedAt(), Fails()]
    assert end.awaited == {Outside()}
    assert end.elsewhere == set()
    assert end.why(Fails()) == "Fails(name=made): of two lines"
    assert end.why(CannotBeLookedAt()).endswith(": ValueError: a defect in complete")
    assert end.why(Made(name="never heard of")) == "Made(name=never heard of): see above"


def test_the_end_says_what_another_worker_runs():
    scheduler, task = LocalScheduler(), Made()
    scheduler.add_task(task_id=task.task_id, worker="another")
    assert scheduler.get_work(worker="another")["task_id"] == task.task_id
    worker = Worker(scheduler)
    worker.add(task)
    worker.run()
    assert End(worker).elsewhere == {task}
    assert not task.complete()


# --- cores and resources ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("processes", "threads", "cpu", "expected"),
    [
        (1, 0, 8, 8),
        (2, 0, 8, 4),
        (3, 0, 8, 2),
        (8, 0, 8, 1),
        (20, 0, 8, 1),
        (0, 0, 8, 8),  # Luigi only looks at what there is
        (1, 3, 8, 3),
        (8, 3, 8, 3),
        (1, 64, 8, 8),
        (1, 0, 2, 2),
        (2, 0, 2, 2),
        (2, 5, 2, 2),
        (2, 0, 100, 4),
    ],
)
def test_cores_are_shared_among_workers_within_the_limit(
    luigi_config, processes, threads, cpu, expected
):
    luigi_config("training", "threads", threads)
    Worker(LocalScheduler(resources={"cpu": cpu}), processes)
    assert config.training().thread_count == expected


def test_without_a_worker_a_fit_takes_all_cores():
    assert config.training().thread_count == 8


def test_libraries_that_compute_are_told_their_share_unless_the_user_has(monkeypatch):
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    Worker(LocalScheduler(), 2)
    assert [os.environ[name] for name in LIBRARIES] == ["4", "4", "3"]


def test_a_scheduler_is_told_the_limits_that_it_has_not_heard_of_and_keeps_its_own(luigi_config):
    luigi_config("resources", "printers", 3)
    scheduler = LocalScheduler(resources={"cpu": 2, "registry": 5, "plotters": 1})
    Worker(scheduler)
    assert limits(scheduler) == {
        "cpu": 2,
        "registry": 5,
        "plotters": 1,
        "downloads": 4,
        "printers": 3,
    }


some_limits = st.dictionaries(
    st.sampled_from(["cpu", "downloads", "registry"]), st.integers(1, 16), min_size=1
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_limits, st.integers(1, 16), st.integers(0, 32))
def test_no_task_takes_more_than_the_scheduler_grants(luigi_config, known, processes, threads):
    luigi_config("training", "threads", threads)
    scheduler = LocalScheduler(resources=known)
    Worker(scheduler, processes)
    granted = limits(scheduler)
    ahead = [RegisterModel(year=2021, month=2, window=2)]
    while ahead:
        task = ahead.pop()
        for name, taken in task.resources.items():
            assert 0 < taken <= granted[name]
        ahead += flatten(task.requires())


def test_one_worker_cannot_become_several(caplog):
    worker = Worker(LocalScheduler(), 1)
    asked = {"name": "set_worker_processes", "kwargs": {"n": 4}}
    worker._handle_rpc_message(asked)
    assert worker.worker_processes == 1
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "start another with --workers 4" in warning.getMessage()


def test_several_workers_can_become_more_and_fewer(caplog):
    worker = Worker(LocalScheduler(), 2)
    for number in (5, 3):
        worker._handle_rpc_message({"name": "set_worker_processes", "kwargs": {"n": number}})
        assert worker.worker_processes == number
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


# --- what is imported, and where --------------------------------------------------------------

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

    def last_words(self, end):
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

    def run(*arguments):
        answer = subprocess.run(
            [command, *arguments, *own],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"},
            timeout=60,
        )
        assert "Traceback" not in answer.stderr
        said = (answer.stdout + answer.stderr).splitlines()
        lines = [line.removeprefix("INFO: ").split(": ") for line in said]
        return {line[0]: line[1] for line in lines if line[0] in {"task", "end"}}

    return run


def test_one_worker_imports_nothing_before_its_tasks_do(probe):
    assert probe("Probe") == {"task": "nothing", "end": "nothing"}


def test_several_workers_import_what_tasks_need_before_they_fork(probe):
    assert probe("Probe", "--workers", "2") == {"task": ALL, "end": ALL}


@pytest.mark.parametrize("asked", [("Probe", "--ran"), ("Waits",)])
def test_several_workers_that_have_nothing_to_run_import_nothing(probe, asked):
    assert probe(*asked, "--workers", "2") == {"end": "nothing"}


@pytest.mark.parametrize("name", workers.FORKED)
def test_what_is_imported_before_a_fork_is_there(name):
    importlib.import_module(name)


FIT = """
import importlib, os, signal, sys, time

from taxi_pipeline.runtime.worker import FORKED

if sys.argv[1] == "import all":
    for name in FORKED:
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
