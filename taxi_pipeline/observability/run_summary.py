"""How a run ended, for a task that reports it to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import luigi
from luigi import execution_summary

from taxi_pipeline.observability import logs


@runtime_checkable
class ReportsRunEnd(Protocol):
    """A task that reports the end of its run, whether the run succeeded or failed."""

    def on_run_end(self, summary: RunSummary) -> str:
        """The text that the console shows when the run has ended."""


@runtime_checkable
class ReportsMonths(Protocol):
    """A task family that reports on several of its months together, at the end of a backfill."""

    @classmethod
    def report_months(cls, states: Mapping[Any, str]) -> str:
        """Write a page of some months; the line that says so.

        Args:
            states: what became of the task of each month, in words, oldest month first.

        Raises:
            TaxiPipelineError: it cannot be written.
        """


class FinishedWorker(Protocol):
    """What a summary needs of the worker that ran the tasks."""

    scheduler: Any
    not_scheduled: dict[luigi.Task, str]


class RunSummary:
    """How a run ended.

    Attributes:
        completed: the tasks that this run made.
        done: those, and the tasks that were made before.
        failed: the tasks that failed, or that could not be scheduled, by name.
        missing_external: the external tasks whose data are missing.
        running_elsewhere: the tasks that another worker runs.
    """

    def __init__(self, worker: FinishedWorker) -> None:
        self._scheduler = worker.scheduler
        self._not_scheduled = worker.not_scheduled
        sets = execution_summary._summary_dict(worker)  # noqa: SLF001  (Luigi's exit codes use it)
        self.completed: set[luigi.Task] = sets["completed"]
        self.done: set[luigi.Task] = sets["completed"] | sets["already_done"]
        self.failed: list[luigi.Task] = sorted(sets["failed"] | sets["scheduling_error"], key=str)
        self.missing_external: set[luigi.Task] = sets["still_pending_ext"]
        self.running_elsewhere: set[luigi.Task] = sets["run_by_other_worker"]

    def error_line(self, task: luigi.Task) -> str:
        """The task and the last line of the error that the scheduler keeps of it."""
        message = json.loads(self._scheduler.fetch_error(task.task_id).get("error") or '""')
        lines = str(message).strip().splitlines() or [self._not_scheduled.get(task, "see above")]
        return logs.labelled(task, lines[-1])
