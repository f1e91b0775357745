"""Luigi's worker, adapted to the fitting of models and to several clients of one scheduler.

Luigi runs each task of ``--workers 2`` in a process forked from its own. Three rules follow.

- A process forked from one that has used OpenMP (by way of XGBoost) hangs at its first fit. So the
  worker's own process runs no task where tasks are forked.
- Each forked process would import the packages that tasks need. So they are imported once, before
  the first fork. Importing them starts no OpenMP.
- Each fit would take all cores. So tasks share them, and tell the scheduler how many they take (the
  resource ``cpu``), which also keeps several clients on one machine apart.

Where several clients share a scheduler, Luigi's worker gives up as soon as others hold what it
needs: a task, or cores for one. This worker waits, counts tasks that others completed as done, and
survives a restart of the scheduler.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import luigi
import luigi.worker
from luigi.task import flatten
from luigi.task_status import DONE, PENDING, RUNNING
from luigi.worker import rpc_message_callback

from taxi_pipeline import config
from taxi_pipeline.logger import logger
from taxi_pipeline.observability import failures
from taxi_pipeline.runtime.planning import snapshot
from taxi_pipeline.runtime.preload import preload
from taxi_pipeline.runtime.resources import limit_library_threads
from taxi_pipeline.runtime.schedulers import CentralScheduler
from taxi_pipeline.runtime.sources import refresh_sources
from taxi_pipeline.storage import layout
from taxi_pipeline.tasks.backfill import BackfillMonths
from taxi_pipeline.tasks.base import MonthlyTask, RunContext, Stage, identity_cache, is_done
from taxi_pipeline.tasks.base.identity_cache import Reading

REREGISTER_SECONDS = 30.0
"""Seconds after which runnable tasks that no worker runs are registered again."""

MAX_REREGISTRATIONS = 3
"""How often they are registered again before this worker gives up."""


class Worker(luigi.worker.Worker):
    """Luigi's worker with shared cores; it hands ``context`` to its tasks."""

    def __init__(
        self, scheduler: Any, worker_processes: int = 1, *, context: RunContext, **options: Any
    ) -> None:
        super().__init__(scheduler=scheduler, worker_processes=worker_processes, **options)
        self.context = context
        self.scheduler = scheduler
        self.not_scheduled: dict[luigi.Task, str] = {}
        self.reading: Reading | None = None
        self._waiting: list[luigi.Task] = []
        self._reregistered: list[luigi.Task] = []
        self._reregistered_at = 0.0
        self._reregistrations = 0
        limit_library_threads(context.cores.threads(config.training().threads))

    def run(self) -> bool:
        """Run what is scheduled."""
        if self.worker_processes > 1 and self._has_work():
            preload()
        succeeded = bool(super().run())
        self._reconcile_completed()
        return succeeded

    def _has_work(self) -> bool:
        """Whether a task could be run now; not if all are done or wait for something."""
        states = self._reported_states()
        return any(
            status == PENDING
            and task.run is not None
            and all(states.get(needed) == DONE for needed in flatten(task.requires()))
            for task, status in states.items()
        )

    def add(self, task: luigi.Task, *arguments: Any, **options: Any) -> bool:
        """Schedule a task in one reading, once the sources of its months have been asked."""
        refresh_sources(task, self.context)
        with identity_cache() as self.reading:
            return bool(super().add(task, *arguments, **options))

    def _validate_task(self, task: luigi.Task) -> None:
        """Give a task its context before anything else is asked of it."""
        super()._validate_task(task)
        self._set_context(task)

    def _create_task_process(self, task: luigi.Task) -> Any:
        """Give a task its context where this worker assists the one that scheduled it."""
        self._set_context(task)
        return super()._create_task_process(task)

    def _set_context(self, task: luigi.Task) -> None:
        if isinstance(task, MonthlyTask | BackfillMonths):
            task.context = self.context

    def _add_task(self, *args: Any, **kwargs: Any) -> None:
        """Report a task to the scheduler; a failure is reported in the words for a user.

        A task that was done before is reported with a link to its output, since the scheduler would
        otherwise lose the link that it has.
        """
        # Luigi encodes it as JSON.
        explanation = str(json.loads(kwargs.get("expl") or '""'))
        if line := failures.error_line(explanation):
            kwargs["expl"] = json.dumps(line)
        task = self._scheduled_tasks.get(kwargs["task_id"])
        if kwargs["status"] == DONE and kwargs["runnable"] is False and isinstance(task, Stage):
            location = task.output().location
            task.storage.link_latest(task.task_dir, location.rpartition("/")[2])
            shown = layout.browsable(location)
            kwargs["tracking_url"] = self.context.links.browser_url(shown) or None
        super()._add_task(*args, **kwargs)

    def _keep_alive(self, get_work_response: Any) -> bool:
        """Whether to ask for work again, since other workers hold runnable tasks or their cores."""
        if super()._keep_alive(get_work_response):
            return True
        longest, since = self._config.max_keep_alive_idle_duration, self._idle_since
        if longest and since and datetime.now() - since > longest:  # noqa: DTZ005  (as Luigi's)
            return False
        waiting = [] if self._stop_requesting_work else self._runnable_unassigned()
        if not waiting:
            return False
        running = set(self._ask("task_list", RUNNING, "", limit=False))
        if running or waiting != self._waiting:
            self._reregistrations = 0
        elif self._reregistrations >= MAX_REREGISTRATIONS:
            return False
        if waiting != self._waiting:
            logger.info(
                "waiting for tasks that other workers run, or for cores that they hold: %s",
                ", ".join(str(getattr(task, "label", task)) for task in waiting),
            )
        # The scheduler may have lost a task, may believe it done because another configuration made
        # it, or may reserve it for a worker that failed or died.
        idle = [task for task in waiting if task.task_id not in running]
        if (
            idle != self._reregistered
            or time.monotonic() - self._reregistered_at > REREGISTER_SECONDS
        ):
            for task in idle:
                self.add(task)
            self._reregistrations += 1
            self._reregistered, self._reregistered_at = idle, time.monotonic()
        self._waiting = waiting
        return True

    def _runnable_unassigned(self) -> list[luigi.Task]:
        """The tasks that could be run now and that this worker has neither completed nor tried."""
        if not isinstance(self.scheduler, CentralScheduler):
            return []
        last = self._reported_states()

        def is_available(needed: luigi.Task) -> bool:
            # External data are looked for when a run is planned, and not again.
            return last.get(needed) == DONE if needed.run is None else is_done(needed)

        with identity_cache(), snapshot(len(last)):
            return [
                task
                for task, status in last.items()
                if status == PENDING
                and task.run is not None
                and not is_done(task)
                and all(is_available(needed) for needed in flatten(task.requires()))
            ]

    def _reported_states(self) -> dict[luigi.Task, str]:
        """The status that this worker last reported to the scheduler, by task."""
        return {task: status for task, status, _ in self._add_task_history}

    def _ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        # Luigi adds these methods to its remote scheduler when it is imported.
        return getattr(self.scheduler, method)(*arguments, **options)

    def _reconcile_completed(self) -> None:
        """Count tasks that other workers completed as done in Luigi's summary and exit code."""
        if not isinstance(self.scheduler, CentralScheduler):
            return
        last = self._reported_states()
        with identity_cache(), snapshot(len(last)):
            completed = [
                task
                for task, status in last.items()
                if status == PENDING and task.run is not None and is_done(task)
            ]
        self._add_task_history += [(task, DONE, True) for task in completed]
        ids = {task.task_id for task in self._scheduled_tasks.values() if last.get(task) == DONE}
        ids |= {task.task_id for task in completed}
        for response in self._get_work_response_history:
            response["running_tasks"] = [
                running for running in response["running_tasks"] if running["task_id"] not in ids
            ]

    @rpc_message_callback
    def set_worker_processes(self, n: int) -> None:
        """Change the number of processes at the web page's request, unless that would hang."""
        if self.worker_processes == 1 and n > 1:
            logger.warning(
                "%d workers were asked for, but a run of one worker keeps one: its process cannot "
                "be forked once it has fitted a model; start another run with --workers %d",
                n,
                n,
            )
            return
        super().set_worker_processes(n)
