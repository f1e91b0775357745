"""A worker that tells people what its run does: on the console, in mails, and at its end."""

from __future__ import annotations

import contextlib
import sys

import luigi
from luigi import rpc
from luigi.task_status import DONE, PENDING

from taxi_pipeline.logger import logger
from taxi_pipeline.observability import alerts, failures, logs
from taxi_pipeline.observability.run_summary import RunSummary
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.run_end import last_line
from taxi_pipeline.runtime.worker import Worker
from taxi_pipeline.tasks.base import identity_cache


class ReportingWorker(Worker):
    """A worker whose console shows how far a task is, and in the end what there is now."""

    def _run_task(self, task_id: str) -> None:
        """Run a task, or begin a process that does; the console shows how far it is."""
        task = self._scheduled_tasks[task_id]
        to_make = sum(
            status == PENDING and needed.run is not None
            for needed, status in self._reported_states().items()
        )
        number = self.made + len(self._running_tasks) + 1
        of = max(number, self.made + to_make)
        self.context.progress.begin(f"[{number}/{of}] {getattr(task, 'label', task)}")
        try:
            super()._run_task(task_id)  # type: ignore[no-untyped-call]  # Luigi's
        finally:
            self.context.progress.end()

    @property
    def made(self) -> int:
        """The number of tasks that this run has made so far."""
        return sum(
            status == DONE and runnable is not False
            for _, status, runnable in list(self._add_task_history)
        )

    def _announce_scheduling_failure(self, task: luigi.Task, expl: str) -> None:
        super()._announce_scheduling_failure(task, redact(failures.error_line(expl) or expl))  # type: ignore[no-untyped-call]  # Luigi's
        self.not_scheduled[task] = failures.summary(expl)
        alerts.notify_failure(task, expl)

    def _email_error(
        self, task: luigi.Task, formatted_traceback: str, subject: str, headline: str
    ) -> None:
        """Send Luigi's mail without secrets, and without the traceback of an error for a user.

        Luigi quotes the command line, whose flags may hold a secret.
        """
        message = failures.error_line(formatted_traceback) or formatted_traceback
        given = sys.argv
        sys.argv = [redact(argument) for argument in given]
        try:
            super()._email_error(task, redact(message), subject, headline)  # type: ignore[no-untyped-call]  # Luigi's
        finally:
            sys.argv = given

    def close(self) -> None:
        """Log what there is now of the task that was asked for, and sign off at the scheduler.

        The scheduler would otherwise reserve cores for it until it counts as lost.
        """
        asked = self._scheduled_tasks.get(self._first_task)
        try:
            if asked is not None:
                # Where all was done, what is there is what was found when that was looked for.
                all_done = {status for _, status, _ in self._add_task_history} == {DONE}
                with identity_cache(self.reading if all_done and not self.made else None):
                    logger.info(last_line(asked, RunSummary(self)), extra=logs.RUN_END)
        except Exception:  # noqa: BLE001  (a report must not change the exit code)
            logger.exception("%s: its report failed", asked)
        finally:
            with contextlib.suppress(rpc.RPCError):
                self._ask("disable_worker", self._id)
