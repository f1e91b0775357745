"""The factory by which Luigi gets this package's workers and schedulers.

:func:`install` gives it to Luigi's command; ``luigi.build`` takes one as
``worker_scheduler_factory``.
"""

from __future__ import annotations

import multiprocessing
import sys
from datetime import UTC, datetime
from typing import Any, ClassVar

import luigi

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.logger import logger
from taxi_pipeline.observability.links import BrowserLinks
from taxi_pipeline.observability.progress import Progress
from taxi_pipeline.runtime import interruption
from taxi_pipeline.runtime.lease import LeasingWorker
from taxi_pipeline.runtime.resources import sync_resource_limits
from taxi_pipeline.runtime.root import prepare_root
from taxi_pipeline.runtime.run_start import first_line
from taxi_pipeline.runtime.schedulers import CentralScheduler, LocalScheduler
from taxi_pipeline.tasks.base import RunContext


class Factory:
    """Creates schedulers, workers, and with each worker the context of its run."""

    quiet: ClassVar[bool] = False
    """Whether runs draw no bar on the terminal."""

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
    ) -> LeasingWorker:
        """The worker of a run, with the context that it hands to its tasks.

        Luigi's processes are forked, which is not what macOS does by itself: tasks and their
        context cannot be sent to a process that begins anew.
        """
        multiprocessing.set_start_method("fork", force=True)
        prepare_root()
        limits = sync_resource_limits(scheduler)
        # A run that cannot begin says in one line why.
        logger.info("%s", first_line(scheduler.url))
        draws = not self.quiet and sys.stderr.isatty()
        context = RunContext(
            cores=CoreShare(max(1, worker_processes), limits["cpu"]),
            links=BrowserLinks(scheduler.url),
            progress=Progress(sys.stderr if draws else None),
            started=datetime.now(UTC),
        )
        made = LeasingWorker(scheduler, worker_processes, context=context, assistant=assistant)
        scheduler.worker = made
        interruption.watch(made)
        return made


class QuietFactory(Factory):
    """A factory for runs that draw no bar."""

    quiet = True


def install(*, quiet: bool = False) -> None:
    """Have Luigi's command use this worker, and end in good order at Ctrl-C and SIGTERM.

    Args:
        quiet: whether runs draw no bar on the terminal.
    """
    interruption.install()
    interface: Any = luigi.interface
    interface._WorkerSchedulerFactory = QuietFactory if quiet else Factory  # noqa: SLF001  (it offers no other way)
