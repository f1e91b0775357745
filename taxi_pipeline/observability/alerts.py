"""Alerts: a line is posted to a webhook when a task fails, and when the champion changes or decays.

The body is ``{"text": ...}``, which Slack's incoming webhooks take, and so do Mattermost, Discord
(its address with ``/slack`` at the end) and others. Luigi itself sends mail.
"""

from __future__ import annotations

import math
import socket
import time

import luigi
import requests

from taxi_pipeline import config
from taxi_pipeline.logger import logger
from taxi_pipeline.observability import failures
from taxi_pipeline.redaction import redact

TIMEOUT_SECONDS = 10.0
"""Seconds that the webhook may take to answer."""

SAME_LOSS_SECONDS = 60.0
"""Within these seconds a task's process counts as lost once, however often Luigi reports it."""


def post_alert(line: str, link: str = "") -> None:
    """Post a line, with a link if there is one, to the webhook of the configuration, if any.

    Where the alert cannot be sent, a warning is logged and nothing fails.
    """
    webhook = config.alerts().webhook
    if not webhook:
        return
    text = redact(f"{line} {link}".strip())
    try:
        answer = requests.post(
            webhook, json={"text": text}, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except (requests.RequestException, ValueError) as error:
        cause = type(error).__name__  # its text holds parts of the URL
    else:
        if answer.ok and not answer.is_redirect:
            return
        cause = f"it answers HTTP {answer.status_code}"
    logger.warning("[alerts] webhook not reached (%s): %s", cause, text)


def notify_failure(task: luigi.Task, error: BaseException | str) -> None:
    """Post an alert that says which task failed, why, and where its log is."""
    log = getattr(task, "log", "")
    post_alert(
        f"{getattr(task, 'label', task)} failed on {socket.gethostname()}: "
        f"{failures.summary(error)}" + (f" (log {log})" if log else "")
    )


class LostProcesses:
    """Reports tasks whose process was killed or took too long, once for each loss.

    Luigi reports such a process again and again until it has restarted or given up the task.
    """

    def __init__(self) -> None:
        self._notified: dict[str, float] = {}

    def notify(self, task: luigi.Task, cause: str) -> None:
        """Log an error and post an alert."""
        now = time.monotonic()
        if now - self._notified.get(task.task_id, -math.inf) > SAME_LOSS_SECONDS:
            self._notified[task.task_id] = now
            logger.error("%s: %s", getattr(task, "label", task), cause)
            notify_failure(task, cause)


def install() -> None:
    """Have Luigi call these functions at each failure."""
    luigi.Task.event_handler(luigi.Event.FAILURE)(notify_failure)
    lost = LostProcesses()

    def notify_process_lost(task: luigi.Task, cause: str) -> None:
        lost.notify(task, cause)

    for event in (luigi.Event.PROCESS_FAILURE, luigi.Event.TIMEOUT):
        luigi.Task.event_handler(event)(notify_process_lost)
