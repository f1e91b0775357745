"""Running a task for each month of a range."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import luigi
from luigi.freezing import FrozenOrderedDict
from luigi.task import flatten

from taxi_pipeline import config
from taxi_pipeline.config.parameters import (
    BoolParameter,
    BoundedIntParameter,
    DictParameter,
    MonthParameter,
)
from taxi_pipeline.errors import InvalidParameter, TaxiPipelineError
from taxi_pipeline.formatting import pluralize, table
from taxi_pipeline.logger import logger
from taxi_pipeline.month import Month
from taxi_pipeline.observability.run_summary import ReportsMonths, RunSummary
from taxi_pipeline.storage import Output, open_storage
from taxi_pipeline.tasks.base import MonthlyTask, RunContext, identity_cache, is_done


def _this_month() -> Month:
    now = datetime.now(UTC)
    return Month(now.year, now.month)


def _snapshot() -> AbstractContextManager[None]:
    """What the root holds of all months, asked for together."""
    return open_storage(config.storage().root).snapshot(wide=True)


class BackfillMonths(luigi.WrapperTask):
    """Runs a task for each month of a range in which it is not done.

    The parameters have the names of those of Luigi's own range tasks, which cannot pass year and
    month. Which months are missing is determined once, when the run is planned.
    """

    of: luigi.TaskParameter[luigi.Task] = luigi.TaskParameter(
        description="The task to run for each month, such as RegisterModel."
    )
    of_params: DictParameter = DictParameter(
        default=FrozenOrderedDict(),
        description='Its further parameters, as JSON: {"taxi": "yellow", "window": 3}.',
    )
    start: MonthParameter = MonthParameter(description="The first month, YYYY-MM.")
    stop: MonthParameter = MonthParameter(
        default=_this_month(),
        description="The month after the last one, YYYY-MM. By default this month, so that the "
        "range ends with the last full month.",
    )
    reverse: BoolParameter = BoolParameter(default=False, description="The newest month first.")
    task_limit: BoundedIntParameter = BoundedIntParameter(
        1, default=1200, description="Months to run at most; the others are left for another run."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Set by the worker of a run, which sets it in the months that it adds as well.
        self.context: RunContext | None = None
        self._selected: list[Any] | None = None
        self._deferred: list[Any] = []
        names = {name for name, _ in self.of.get_params()}
        if not {"year", "month"} <= names:
            raise InvalidParameter(
                f"--of {self.of.task_family}: it has no parameters year and month, so it cannot be "
                "run for each month"
            )
        names -= {"year", "month"}
        if unknown := sorted(set(self.of_params) - names):
            raise InvalidParameter(
                f"--of-params {', '.join(unknown)}: {self.of.task_family} has, besides year and "
                f"month, the parameters {', '.join(sorted(names)) or '(none)'}"
            )
        if self.stop <= self.start:
            raise InvalidParameter(
                f"--start {self.start} --stop {self.stop}: there is no month in this range; the "
                "stop is the month after the last one"
            )
        for month in (self.start, self.stop - 1):  # a wrong value is reported before anything runs
            self._task(month)

    @property
    def label(self) -> str:
        """The task's short name for a person."""
        return f"{self.task_family} of {self.of.task_family} {self.start} to {self.stop - 1}"

    def _task(self, month: Month) -> Any:
        kinds = dict(self.of.get_params())
        further = {
            name: kinds[name].parse(value) if isinstance(value, str) else value
            for name, value in self.of_params.items()
        }
        task = self.of(**further, year=month.year, month=month.month)
        # Whether a task is done may depend on when the run started.
        if self.context is not None and isinstance(task, MonthlyTask):
            task.context = self.context
        return task

    def tasks(self) -> list[Any]:
        """The task of each month of the range, oldest first."""
        months, month = [], self.start
        while month < self.stop:
            months.append(month)
            month += 1
        return [self._task(month) for month in months]

    def requires(self) -> list[Any]:
        """The tasks that are not done, in the order in which they are to run."""
        if self._selected is None:
            with identity_cache(), _snapshot():
                missing = [task for task in self.tasks() if not is_done(task)]
            if self.reverse:
                missing.reverse()
            self._selected, self._deferred = missing[: self.task_limit], missing[self.task_limit :]
            if self._deferred:
                logger.warning("%s: %s", self.label, self._deferred_line())
            for place, task in enumerate(self._selected):
                # Below that of downloads; the scheduler extends it to what a month requires.
                with contextlib.suppress(AttributeError):  # a task may compute its own
                    task.priority = 99 - 99 * place // len(self._selected)
        return self._selected

    def complete(self) -> bool:
        """Whether all that are to run are done."""
        with identity_cache(), _snapshot():
            return all(is_done(task) for task in self.requires())

    # --- at the end ----------------------------------------------------------------------------

    def on_run_end(self, summary: RunSummary) -> str:
        """A table of the months, what failed, and what to do next."""
        with identity_cache(), _snapshot():
            states = {task: self._state(task, summary) for task in self.tasks()}
            rows = [
                (f"{Month(task.year, task.month)}", state, *_metric_cells(task))
                for task, state in states.items()
            ]
            page = self._page_line(states)
        lines = [self.label, table(("month", "status", "rows", "RMSE", "version"), rows)]
        lines += [summary.error_line(task) for task in summary.failed]
        if self._deferred:
            lines.append(self._deferred_line())
        lines += page
        # Luigi caches task objects: another run in this process must look for missing months again.
        self._selected = None
        return "\n".join([*lines, self._next(list(states.values()))])

    def _page_line(self, states: Mapping[Any, str]) -> list[str]:
        """The line that says where the page of the months is; none if they have no page."""
        if not isinstance(self.of, ReportsMonths):
            return []
        try:
            return [self.of.report_months(states)]
        except TaxiPipelineError as error:
            return [f"The page of the months is not written: {error}"]

    def _state(self, task: luigi.Task, summary: RunSummary) -> str:
        needed = (
            set(_unfinished_upstream(task))
            if task in self.requires() and not is_done(task)
            else set()
        )
        states = {
            "left for another run": task in self._deferred,
            "failed": bool(needed & set(summary.failed)),
            "waiting for publication": bool(needed & summary.missing_external),
            "run by another worker": bool(needed & summary.running_elsewhere),
            "not run": bool(needed),
            "made": task in self.requires(),
            "already there": True,
        }
        return next(state for state, is_so in states.items() if is_so)

    def _deferred_line(self) -> str:
        months = sorted(Month(task.year, task.month) for task in self._deferred)
        return (
            f"{pluralize(len(months), 'month')} of {months[0]} to {months[-1]} left for another "
            f"run (--task-limit {self.task_limit})"
        )

    def _next(self, states: list[str]) -> str:
        if "failed" in states:
            return "Mend what failed and run this again: only what is missing is made."
        if "waiting for publication" in states:
            return "Run this again once the month is published: only what is missing is made."
        if set(states) <= {"made", "already there"}:
            return f"All of {pluralize(len(states), 'month')} there."
        return "Run this again for the rest."


def _unfinished_upstream(task: luigi.Task) -> Iterable[luigi.Task]:
    """A task and everything that it requires, directly or not, that is not done."""
    found, ahead = {task}, [task]
    while ahead:
        for required in _requirements(ahead.pop()):
            if required not in found and not is_done(required):
                found.add(required)
                ahead.append(required)
    return found


def _requirements(task: luigi.Task) -> list[luigi.Task]:
    try:
        return list(flatten(task.requires()))
    except Exception:  # noqa: BLE001  (reported when the run was planned)
        return []


def _metric_cells(task: luigi.Task) -> tuple[str, str, str]:
    """Rows, RMSE in minutes and model version from the manifest of a task that is done."""
    try:
        output = task.output()
        if not isinstance(output, Output) or not is_done(task):
            return "", "", ""
        manifest = output.manifest()
    except TaxiPipelineError:  # reported when the task was checked
        return "", "", ""
    rows, rmse = manifest.get("rows"), manifest.get("rmse")
    return (
        "" if rows is None else f"{rows:,}",
        "" if rmse is None else f"{rmse:.4f}",
        str(manifest.get("version", "")),
    )
