"""Luigi's schedulers, at the end of which the worker of the run has a word."""

from __future__ import annotations

import os
from typing import Any, Protocol

from luigi import rpc, scheduler
from tenacity import RetryCallState, Retrying, stop_after_delay, wait_fixed

from taxi_pipeline.logger import logger
from taxi_pipeline.redaction import redact

RESTART_SECONDS = 60
"""How long a client waits for a scheduler that answered before and does not now."""


class Closable(Protocol):
    """What has something to do when a run ends: the worker, which says how it went."""

    def close(self) -> None:
        """End the run."""


class LocalScheduler(scheduler.Scheduler):
    """Luigi's scheduler in the process, at the end of which its worker has a word."""

    url = ""
    worker: Closable

    def close(self) -> None:
        """End the run."""
        self.worker.close()


class CentralScheduler(rpc.RemoteScheduler):
    """luigid as a client sees it, at the end of which its worker has a word."""

    worker: Closable

    # No work depends on these: they are not tried again.
    BEST_EFFORT_ENDPOINTS = (
        "/api/ping",
        "/api/set_task_status_message",
        "/api/set_task_progress_percentage",
    )

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
        self._process = os.getpid()
        self._reached = False

    def _fetch(self, url_suffix: str, body: Any) -> Any:
        """Ask: at first with the patience configured; once reached, it may be started anew.

        Raises:
            RPCError: it does not answer.
        """
        if not self._reached:
            answer = super()._fetch(url_suffix, body)
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
            raise rpc.RPCError(f"{redact(self._url)} does not answer any more", error) from error

    @staticmethod
    def _log_waiting(state: RetryCallState) -> None:
        if state.attempt_number == 1:
            logger.warning("the scheduler does not answer: waiting up to %d s", RESTART_SECONDS)

    def close(self) -> None:
        """End the run."""
        self.worker.close()
        super().close()
