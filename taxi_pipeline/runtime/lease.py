"""A worker that tells what its run works on, so that nothing of it is removed meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import luigi
from luigi.rpc import RPCError
from luigi.task import flatten
from luigi.task_status import PENDING

from taxi_pipeline import config
from taxi_pipeline.runtime.planning import Planning
from taxi_pipeline.runtime.reporting import ReportingWorker
from taxi_pipeline.runtime.schedulers import CentralScheduler
from taxi_pipeline.storage import open_storage
from taxi_pipeline.storage.leases import Holder
from taxi_pipeline.tasks.base import Stage


class LeasingWorker(ReportingWorker):
    """A worker that holds a lease of what it works on (see :mod:`taxi_pipeline.storage.leases`).

    A run that has nothing to do holds none.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lease = Holder(open_storage(config.storage().root))
        self._plan = Planning()

    def add(self, task: luigi.Task, *arguments: Any, **options: Any) -> bool:
        """Schedule a task; what a store says meanwhile counts until something is run."""
        with self._plan.reading(task):
            return super().add(task, *arguments, **options)

    def _validate_task(self, task: luigi.Task) -> None:
        """Hold the lease before Luigi asks whether what a task requires is there."""
        super()._validate_task(task)
        if task.task_id != self._first_task:
            self._lease.cover(_task_dirs([task]))

    def run(self) -> bool:
        """Run what is scheduled; only that is held now."""
        anything_to_run = PENDING in self._reported_states().values()
        self._plan.ends(anything_to_run=anything_to_run)
        if anything_to_run:
            self._lease.narrow(_task_dirs(self._scheduled_tasks.values()))
        else:
            self._lease.release()
        return super().run()

    def _create_task_process(self, task: luigi.Task) -> Any:
        """Hold what a task requires, where another worker has scheduled it."""
        self._lease.cover(_task_dirs([task, *flatten(task.requires())]))
        return super()._create_task_process(task)

    def __exit__(self, *raised: object) -> None:
        """End the run's processes, and at an exception, such as Ctrl-C in a program, sign off."""
        super().__exit__(*raised)
        if raised[0] is not None:
            with contextlib.suppress(RPCError):
                self.abandon()

    def abandon(self) -> None:
        """Give up what runs: the scheduler shows it as pending, and the lease ends.

        Raises:
            RPCError: the scheduler does not answer.
        """
        try:
            if isinstance(self.scheduler, CentralScheduler):
                self.scheduler.give_back(self._id)
        finally:
            self._lease.release(patience=0.1)

    def close(self) -> None:
        """End the run, and the lease with it."""
        try:
            super().close()
        finally:
            self._plan.close()
            self._lease.release()


def _task_dirs(tasks: Iterable[luigi.Task]) -> set[str]:
    return {task.task_dir for task in tasks if isinstance(task, Stage)}
