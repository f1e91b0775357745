"""How Luigi is given this package's workers and schedulers.

Luigi's command makes its worker with a factory, which :func:`install` replaces; ``luigi.build``
takes one as ``worker_scheduler_factory``.
"""

from __future__ import annotations

from typing import Any

import luigi

from taxi_pipeline.observability import links
from taxi_pipeline.runtime.schedulers import CentralScheduler, LocalScheduler
from taxi_pipeline.runtime.worker import Worker


class Factory:
    """Makes the workers and schedulers of this module, for Luigi."""

    def create_local_scheduler(self) -> LocalScheduler:
        """A scheduler in this process."""
        links.set_scheduler_url("")
        return LocalScheduler(prune_on_get_work=True, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> CentralScheduler:
        """A central scheduler."""
        links.set_scheduler_url(url)
        return CentralScheduler(url)

    def create_worker(
        self, scheduler: Any, worker_processes: int, assistant: bool = False
    ) -> Worker:
        """The worker of a run."""
        made = Worker(scheduler, worker_processes, assistant=assistant)
        scheduler.worker = made
        return made


def install() -> None:
    """Have Luigi's command use this worker."""
    interface: Any = luigi.interface
    interface._WorkerSchedulerFactory = Factory  # noqa: SLF001  (it offers no other way)
