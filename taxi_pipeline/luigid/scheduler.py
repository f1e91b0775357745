"""Luigi's scheduler with its state kept, its history and its metrics."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import luigi.scheduler
from luigi.contrib.prometheus_metric import PrometheusMetricsCollector
from luigi.task_status import DISABLED, FAILED, PENDING, RUNNING
from sqlalchemy.exc import SQLAlchemyError

from taxi_pipeline.errors import SchedulerError
from taxi_pipeline.luigid import state
from taxi_pipeline.luigid.history import TaskHistory
from taxi_pipeline.luigid.metrics import TaskMetrics
from taxi_pipeline.redaction import redact, register_url_secrets

WORKER_TIMEOUT_SECONDS = 30
"""Seconds without a ping from a worker, which pings every second, after which it is lost."""

KEEP_TASKS_SECONDS = 7 * 24 * 3600
"""Seconds that finished tasks are shown. Luigi's ten minutes are less than a night."""


MAX_SHOWN_TASKS = 1000
"""Tasks of one status that a page lists, half a megabyte; of more it shows their number and looks
for what is typed into its search."""


class Scheduler(luigi.scheduler.Scheduler):
    """Luigi's scheduler, with the state and the metrics of this package."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if type(self._state._metrics_collector) is PrometheusMetricsCollector:  # noqa: SLF001
            self._state._metrics_collector = TaskMetrics()  # noqa: SLF001

    def add_task(self, **told: Any) -> None:
        """Take what a client tells of a task."""
        batch = told.get("batch_id")
        # It is not known of a client that goes on with a batch since before the scheduler began.
        if batch is not None and not self._state.get_batch_running_tasks(batch):
            told["batch_id"] = None
        super().add_task(**told)

    def count_pending(self, worker: str) -> dict[str, Any]:
        """What a worker still waits for: an answer to each request for work.

        Luigi walks through all that each task requires, to leave out what requires a disabled task.
        Most of the time none is disabled.
        """
        state = self._state
        if state.get_active_task_count_for_status(DISABLED):
            counted: dict[str, Any] = super().count_pending(worker)
            return counted
        asking = state.get_worker(worker)
        running = []
        for task in asking.get_tasks(state, RUNNING):
            holder = state.get_worker(task.worker_running)
            running.append({"task_id": task.id, "worker": str(holder), **holder.info})
        waiting = [task.workers for task in asking.get_tasks(state, PENDING, FAILED)]
        last = sum(workers.peek(last=True) == worker for workers in waiting)
        return {
            "n_pending_tasks": len(waiting),
            "n_unique_pending": sum(len(workers) == 1 for workers in waiting),
            "n_pending_last_scheduled": last,
            "worker_state": asking.state,
            "running_tasks": running,
        }

    # Luigi offers no other way to its state than this private one.

    def dump(self) -> None:
        """Write the state."""
        state.write(Path(self._state._state_path), self._state.get_state())  # noqa: SLF001

    def load(self) -> None:
        """Read the state, if there is one that can be used."""
        known = state.read(Path(self._state._state_path))  # noqa: SLF001
        if known is None:
            return
        known = state.repair(known, self._config.retry_delay)
        self._state.set_state(known)
        for task in known[0].values():
            self._state._status_tasks[task.status][task.id] = task  # noqa: SLF001


def create_scheduler(folder: Path) -> Scheduler:
    """The scheduler, as the user has configured it; by default it keeps its state and history.

    Args:
        folder: of its state and history.

    Raises:
        SchedulerError: the database of the history cannot be used.
    """
    configured = luigi.configuration.get_config()
    for section, option, value in (
        ("scheduler", "state_path", str(folder / "state.pickle")),
        ("scheduler", "record_task_history", "true"),
        ("scheduler", "metrics_collector", "prometheus"),
        ("scheduler", "remove_delay", str(KEEP_TASKS_SECONDS)),
        ("scheduler", "max_shown_tasks", str(MAX_SHOWN_TASKS)),
        ("scheduler", "worker_disconnect_delay", str(WORKER_TIMEOUT_SECONDS)),
        # A task that is just done may be needed again with another configuration.
        ("scheduler", "stable_done_cooldown_secs", "0"),
        ("task_history", "db_connection", f"sqlite:///{folder / 'history.db'}"),
    ):
        if not configured.has_option(section, option):
            configured.set(section, option, value)
    try:
        database = configured.get("task_history", "db_connection")
    except configparser.Error as error:
        cause = " ".join(str(error).split())
        raise SchedulerError(f"[task_history] db_connection cannot be read: {cause}") from None
    register_url_secrets(database)
    settings = luigi.scheduler.scheduler()
    try:
        history = TaskHistory(database) if settings.record_task_history else None
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise SchedulerError(
            f"[task_history] db_connection {redact(database)} cannot be used: "
            f"{redact(str(error).splitlines()[0])}; check the database and that its driver is "
            "installed (for PostgreSQL: pip install 'taxi_pipeline[postgresql]')"
        ) from None
    return Scheduler(config=settings, task_history_impl=history)
