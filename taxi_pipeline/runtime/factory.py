"""How Luigi is given this package's workers and schedulers.

Luigi's command makes its worker with a factory, which :func:`install` replaces; ``luigi.build``
takes one as ``worker_scheduler_factory``.
"""

from __future__ import annotations

from typing import Any

import luigi

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability.links import BrowserLinks
from taxi_pipeline.runtime.resources import sync_resource_limits
from taxi_pipeline.runtime.schedulers import CentralScheduler, LocalScheduler
from taxi_pipeline.runtime.worker import Worker
from taxi_pipeline.tasks.base import RunContext


class Factory:
    """Makes the workers and schedulers of this module, for Luigi."""

    def create_local_scheduler(self) -> LocalScheduler:
        """A scheduler in this process."""
        return LocalScheduler(prune_on_get_work=True, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> CentralScheduler:
        """A central scheduler."""
        return CentralScheduler(url)

    def create_worker(
        self,
        scheduler: LocalScheduler | CentralScheduler,
        worker_processes: int,
        assistant: bool = False,
    ) -> Worker:
        """The worker of a run, and with it what the run's tasks are told."""
        limits = sync_resource_limits(scheduler)
        context = RunContext(
            cores=CoreShare(max(1, worker_processes), limits["cpu"]),
            links=BrowserLinks(scheduler.url),
        )
        made = Worker(scheduler, worker_processes, context=context, assistant=assistant)
        scheduler.worker = made
        return made


def install() -> None:
    """Have Luigi's command use this worker."""
    interface: Any = luigi.interface
    interface._WorkerSchedulerFactory = Factory  # noqa: SLF001  (it offers no other way)
