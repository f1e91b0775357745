"""Workers share the cores, and keep to one process where forking would hang."""

import os
from typing import ClassVar

import pytest
from luigi.task_register import Register
from processes import LIBRARIES

from taxi_pipeline import BackfillMonths, PublishedTrips, TrainModel, TuneHyperparameters
from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.schedulers import LocalScheduler
from taxi_pipeline.runtime.worker import Worker
from taxi_pipeline.tasks.base import RunContext

pytestmark = pytest.mark.usefixtures("process")


class AskedTask(PublishedTrips):
    """A month that keeps the contexts in which it was asked whether it is complete."""

    contexts: ClassVar[list] = []

    def complete(self):
        self.contexts.append(self.context)
        return True


class Dependent(TrainModel):
    """A fit that notes the threads that it was given."""

    threads: ClassVar[list] = []

    def requires(self):
        return self.clone(AskedTask)

    def complete(self):
        return bool(self.threads)

    def run(self):
        self.threads.append(self.thread_count)


@pytest.fixture(autouse=True)
def root(luigi_config, tmp_path):
    """An empty storage, and a source that has all."""
    luigi_config("storage", "root", tmp_path / "data")
    luigi_config("source", "url", "synthetic://?rows=1000")
    AskedTask.contexts.clear()
    Dependent.threads.clear()


def train():
    return TrainModel(year=2021, month=1)


def dependent():
    return Dependent(year=2021, month=1)


def worker_of(tasks_at_once, scheduler=None, **options):
    context = RunContext(CoreShare(tasks_at_once))
    return Worker(scheduler or LocalScheduler(), context=context, **options)


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
    worker = Factory().create_worker(LocalScheduler(resources={"cpu": cpu}), processes)
    worker.add(train())
    assert train().thread_count == expected
    assert train().resources == {"cpu": expected}


def test_libraries_that_compute_are_told_their_share_unless_the_user_has(monkeypatch):
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    Factory().create_worker(LocalScheduler(), 2)
    assert [os.environ[name] for name in LIBRARIES] == ["4", "1", "3"]


def test_one_worker_cannot_become_several(caplog):
    worker = Factory().create_worker(LocalScheduler(), 1)
    asked = {"name": "set_worker_processes", "kwargs": {"n": 4}}
    worker._handle_rpc_message(asked)
    assert worker.worker_processes == 1
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "start another run with --workers 4" in warning.getMessage()


def test_several_workers_can_become_more_and_fewer(caplog):
    worker = Factory().create_worker(LocalScheduler(), 2)
    for number in (5, 3):
        worker._handle_rpc_message({"name": "set_worker_processes", "kwargs": {"n": number}})
        assert worker.worker_processes == number
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


# --- what a run knows -------------------------------------------------------------------------


def test_a_task_and_what_it_requires_are_given_the_context_before_they_are_asked():
    worker = worker_of(4)
    worker.add(dependent())
    assert dependent().context is worker.context
    assert AskedTask.contexts == [worker.context]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_tasks_that_other_processes_look_at_keep_what_the_run_knows():
    worker = worker_of(4)
    worker.add(train(), multiprocess=True, processes=1)
    assert TuneHyperparameters in {type(task) for task in worker._scheduled_tasks.values()}
    shares = {task.context.cores.tasks_at_once for task in worker._scheduled_tasks.values()}
    assert shares == {4}


def test_the_months_of_a_backfill_are_given_the_context():
    worker = worker_of(4)
    worker.add(BackfillMonths(of=TrainModel, start="2021-01", stop="2021-03"))
    fits = [task for task in worker._scheduled_tasks.values() if isinstance(task, TrainModel)]
    assert [task.context for task in fits] == [worker.context] * 2


def test_a_task_of_the_worker_that_this_one_assists_is_given_the_context():
    scheduler = LocalScheduler()
    worker_of(1, scheduler).add(dependent())
    Register.clear_instance_cache()
    assistant = worker_of(4, scheduler, assistant=True)
    assistant._run_task(assistant._get_work().task_id)
    assert Dependent.threads == [2]


@pytest.mark.parametrize("forked", ["false", "true"])
def test_a_task_runs_with_its_share(luigi_config, tmp_path, monkeypatch, forked):
    told = tmp_path / "threads"

    def write(task):
        told.write_text(str(task.thread_count))

    monkeypatch.setattr(Dependent, "complete", lambda _: told.exists())
    monkeypatch.setattr(Dependent, "run", write)
    luigi_config("worker", "force_multiprocessing", forked)
    worker = worker_of(4)
    worker.add(dependent())
    assert worker.run()
    assert told.read_text() == "2"


def test_runs_one_after_the_other_share_the_cores_each_in_its_way():
    taken = []
    for processes in (2, 1, 4):
        worker = Factory().create_worker(LocalScheduler(), processes)
        worker.add(train())
        taken.append(train().resources["cpu"])
    assert taken == [4, 8, 2]


def test_a_run_is_not_changed_by_the_next():
    earlier = Factory().create_worker(LocalScheduler(), 2)
    earlier.add(train())
    Factory().create_worker(LocalScheduler(), 4)
    assert train().thread_count == 4
