"""Luigi's schedulers, which close the worker of the run when the run ends."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any, Protocol

from luigi import rpc, scheduler
from luigi.task_status import FAILED, PENDING, RUNNING
from tenacity import RetryCallState, Retrying, stop_after_delay, wait_fixed

from taxi_pipeline.errors import SchedulerError
from taxi_pipeline.logger import logger
from taxi_pipeline.redaction import redact, register_url_secrets, strip_credentials

RESTART_SECONDS = 180
"""Seconds that a client waits for a scheduler that has answered before."""


class Closable(Protocol):
    """What is closed when a run ends: the worker."""

    def close(self) -> None:
        """End the run."""


class LocalScheduler(scheduler.Scheduler):
    """Luigi's scheduler in this process; it closes the worker when the run ends."""

    url = ""
    worker: Closable

    def close(self) -> None:
        """End the run."""
        self.worker.close()


class CentralScheduler(rpc.RemoteScheduler):
    """A client of luigid; it closes the worker when the run ends."""

    worker: Closable

    # No work depends on these requests: they are not repeated.
    BEST_EFFORT_ENDPOINTS = (
        "/api/ping",
        "/api/set_task_status_message",
        "/api/set_task_progress_percentage",
    )

    def __init__(self, url: str) -> None:
        register_url_secrets(url)
        super().__init__(url)
        self.url = url
        self._process = os.getpid()
        self._reached = False

    def _fetch(self, url_suffix: str, body: Any) -> Any:
        """Send a request. Once the scheduler has answered, its restart is waited for.

        Raises:
            RPCError: it does not answer.
            SchedulerError: it refuses requests of this client.
        """
        if not self._reached:
            try:
                answer = super()._fetch(url_suffix, body)
            except rpc.RPCError as error:
                _raise_refusal(self._url, error.sub_exception)
                raise
            self._reached = True
            return answer
        patient = url_suffix not in self.BEST_EFFORT_ENDPOINTS and os.getpid() == self._process
        retrying = Retrying(
            wait=wait_fixed(1),
            stop=stop_after_delay(RESTART_SECONDS if patient else 0),
            before_sleep=self._log_waiting,
            reraise=True,
        )
        try:
            return retrying(
                self._fetcher.fetch, f"{self._url}{url_suffix}", body, self._connect_timeout
            )
        except self._fetcher.raises as error:
            _raise_refusal(self._url, error)
            raise rpc.RPCError(f"{redact(self._url)} does not answer any more", error) from error

    def give_back(self, worker: str) -> None:
        """Sign a worker off that ends at once; the tasks that it runs are pending again.

        Luigi's scheduler takes a running task for pending only if it is told of new requirements:
        it is told those that it knows. A task without any fails, and is forgiven.

        Raises:
            RPCError: it does not answer.
        """
        # Another client: this one may be in the middle of a request. Luigi adds the methods.
        ask: Any = CentralScheduler(self.url)
        ask.disable_worker(worker)  # so that no request which is on its way changes anything
        for task_id, task in ask.task_list(RUNNING, "", limit=False).items():
            if task["worker_running"] != worker:
                continue
            required = ask.dep_graph(task_id)[task_id]["deps"]
            ask.add_task(
                worker=worker,
                task_id=task_id,
                status=PENDING if required else FAILED,
                new_deps=required,
                resources=task["resources"],
                accepts_messages=None,
            )
            if not required:
                ask.forgive_failures(task_id)
            ask.set_task_status_message(task_id, "was interrupted")

    @staticmethod
    def _log_waiting(state: RetryCallState) -> None:
        if state.attempt_number == 1:
            logger.warning("the scheduler does not answer: waiting up to %d s", RESTART_SECONDS)

    def close(self) -> None:
        """End the run."""
        self.worker.close()
        super().close()


def _raise_refusal(url: str, error: object) -> None:
    """Raise an error of its own where a scheduler answers that this client is not let in.

    Raises:
        SchedulerError: it does.
    """
    response: Any = getattr(error, "response", None)
    if getattr(response, "status_code", 0) in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        reason = " ".join(response.text.split())
        raise SchedulerError(f"the scheduler at {strip_credentials(url)} refuses: {reason:.300}")
