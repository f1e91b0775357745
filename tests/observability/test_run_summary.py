"""A task that reports the end of a run is told how the run ended."""

from typing import ClassVar

import luigi
import pytest
from luigi import execution_summary

from taxi_pipeline.observability.run_summary import RunSummary
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.schedulers import LocalScheduler


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
    """A process in which nothing was run yet."""
    Made.done.clear()
    # A worker sets these for its process.
    for library in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")


def test_the_summary_says_what_was_completed_what_failed_and_what_is_missing():
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
    summary = RunSummary(result.worker)
    assert summary.completed == {Made(name="made")}
    assert summary.failed == [CannotBeLookedAt(), Fails()]
    assert summary.missing_external == {Outside()}
    assert summary.running_elsewhere == set()
    assert summary.error_line(Fails()) == "Fails(name=made): of two lines"
    assert summary.error_line(CannotBeLookedAt()).endswith(": ValueError: a defect in complete")
    assert summary.error_line(Made(name="never heard of")) == "Made(name=never heard of): see above"


def test_the_summary_says_what_another_worker_runs():
    scheduler, task = LocalScheduler(), Made()
    scheduler.add_task(task_id=task.task_id, worker="another")
    assert scheduler.get_work(worker="another")["task_id"] == task.task_id
    worker = Factory().create_worker(scheduler, 1)
    worker.add(task)
    worker.run()
    assert RunSummary(worker).running_elsewhere == {task}
    assert not task.complete()
