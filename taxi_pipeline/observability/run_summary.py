"""How a run ended, for a task that tells a person about it."""

from __future__ import annotations

import json
from typing import Any, Protocol, runtime_checkable

import luigi
from luigi import execution_summary

from taxi_pipeline.observability import logs


@runtime_checkable
class HasLastWords(Protocol):
    """A task that has something to say when the run has ended, however it did."""

    def last_words(self, end: End) -> str:
        """What to say."""


class EndedWorker(Protocol):
    """A worker of Luigi's that has run what it could."""

    scheduler: Any
    not_scheduled: dict[luigi.Task, str]


class End:
    """How a run ended."""

    def __init__(self, ended: EndedWorker) -> None:
        self._scheduler = ended.scheduler
        self._not_scheduled = ended.not_scheduled
        sets = execution_summary._summary_dict(ended)  # noqa: SLF001  (Luigi's exit codes use it)
        self.made: set[luigi.Task] = sets["completed"]
        self.failed: list[luigi.Task] = sorted(sets["failed"] | sets["scheduling_error"], key=str)
        self.awaited: set[luigi.Task] = sets["still_pending_ext"]
        self.elsewhere: set[luigi.Task] = sets["run_by_other_worker"]

    def why(self, task: luigi.Task) -> str:
        """The task and why it failed, in the last line of what it told the scheduler."""
        told = json.loads(self._scheduler.fetch_error(task.task_id).get("error") or '""')
        lines = str(told).strip().splitlines() or [self._not_scheduled.get(task, "see above")]
        return logs.labelled(task, lines[-1])
