"""A task for one taxi and one month: its parameters, its name for a person, its progress."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import luigi
from luigi.rpc import RPCError

from taxi_pipeline import config
from taxi_pipeline.config.parameters import BoundedIntParameter, ChoiceParameter
from taxi_pipeline.logger import logger
from taxi_pipeline.month import Month
from taxi_pipeline.tasks.base.run_context import RunContext
from taxi_pipeline.trips import TAXIS

if TYPE_CHECKING:
    from taxi_pipeline.compute.cluster import Cluster

Other = TypeVar("Other", bound=luigi.Task)

QUIET_SECONDS = 30.0
"""Seconds without progress reports after the scheduler did not answer one."""


class MonthlyTask(luigi.Task):
    """A task for one taxi and one month."""

    # A model of December is judged on the January after it.
    year: BoundedIntParameter = BoundedIntParameter(
        2009, datetime.now(UTC).year + 1, description="Year of the month, not after the next."
    )
    month: BoundedIntParameter = BoundedIntParameter(
        1, 12, description="Month of the year, 1 to 12."
    )
    taxi: ChoiceParameter = ChoiceParameter(TAXIS, default="green", description="green or yellow.")

    # Whether the task has given the web page a link of its own.
    _linked = False
    # What the web page links to, or will when the task is on a cluster no more.
    _url = ""
    _on_cluster = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config.check()

    @classmethod
    @functools.cache
    def get_params(cls) -> Any:
        """The parameters by name; Luigi looks through all that the class has, each time."""
        return super().get_params()

    @functools.cached_property
    def context(self) -> RunContext:
        """The context of the run, set by its worker; outside a run a task has one of its own.

        It is neither a parameter nor part of the task's identity.
        """
        return RunContext()

    @property
    def calendar_month(self) -> Month:
        """The month as a value."""
        return Month(self.year, self.month)

    @property
    def variant(self) -> str:
        """What tells outputs of the same stage, taxi and month apart; empty if nothing does."""
        return ""

    @functools.cached_property
    def label(self) -> str:
        """The task's short name for a person."""
        words = (self.task_family, self.taxi, str(self.calendar_month), self.variant)
        return " ".join(word for word in words if word)

    def clone(self, cls: type[Other], **kwargs: Any) -> Other:  # type: ignore[override]
        """Another task with the same values of the parameters that both have (Luigi's, typed)."""
        cloned: Other = super().clone(cls, **kwargs)
        return cloned

    def report(self, message: str, done: float | None = None, total: float | None = None) -> None:
        """Report progress to the console and the web page: now and then, and at the end.

        Args:
            message: what the task does.
            done: how much of it is done.
            total: of how much.
        """
        self.context.progress.show(message, done, total)
        now = time.monotonic()
        finished = done is not None and done == total
        if not finished and now - getattr(self, "_reported", 0.0) < 1.0:
            return
        self._reported = now
        self._notify_scheduler(self.set_status_message, message)
        if done is not None and total:
            self._notify_scheduler(self.set_progress_percentage, round(100 * done / total))

    def set_tracking_link(self, url: str) -> None:
        """Give the web page a link to a page of another server, such as MLflow; empty for none."""
        if url:
            self._show_link(url)
            self._linked = True

    def _link_to_storage(self, location: str) -> None:
        """Give the web page a link to a location of the storage, if a browser can open it."""
        if url := self.context.links.browser_url(location):
            self._show_link(url)

    def _show_link(self, url: str) -> None:
        self._url = url
        if not self._on_cluster:
            self._notify_scheduler(self.set_tracking_url, url)

    @contextlib.contextmanager
    def cluster(self) -> Iterator[Cluster | None]:
        """A connection to the cluster of the configuration; None where this machine computes.

        Within, the web page links to the cluster's dashboard.

        Raises:
            ClusterError: there is no such cluster, or it does not suit.
        """
        scheduler = config.compute().scheduler
        if not scheduler:
            yield None
            return

        from taxi_pipeline.compute.cluster import connect

        with connect(scheduler) as cluster:
            if cluster.dashboard:
                self._notify_scheduler(self.set_tracking_url, cluster.dashboard)
                self._on_cluster = True
            try:
                yield cluster
            finally:
                self._on_cluster = False
                self._show_link(self._url)

    def _notify_scheduler(self, send: Callable[[Any], None] | None, value: Any) -> None:
        """Send the scheduler something that no work depends on."""
        if send is None:  # outside a worker
            return
        try:
            send(value)
        except RPCError as error:
            logger.warning(
                "%s: the scheduler did not take %s: %s", self.label, value, error.args[0]
            )
            self._reported = time.monotonic() + QUIET_SECONDS
