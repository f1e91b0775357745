"""The last line of a run: what there is now, and where."""

from __future__ import annotations

from collections.abc import Iterable

import luigi

from taxi_pipeline.observability.run_summary import ReportsRunEnd, RunSummary
from taxi_pipeline.tasks.base import Stage, identity_cache
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.refresh import RefreshTrips
from taxi_pipeline.tasks.register import RegisterModel


def last_line(task: luigi.Task, summary: RunSummary) -> str:
    """What there is now of the task that was asked for; of a backfill, a report that ends with it.

    Args:
        task: what was asked for.
        summary: how its run ended.
    """
    if isinstance(task, ReportsRunEnd):
        return task.on_run_end(summary)
    if task not in summary.done:
        return f"{_label(task)}: not made: {_hindrance(summary)}"
    with identity_cache():
        return f"{'' if summary.completed else 'nothing to run: '}{_made(task)}"


def _hindrance(summary: RunSummary) -> str:
    if summary.failed:
        return f"{_labels(summary.failed)} failed"
    if summary.missing_external:
        first, *others = sorted(summary.missing_external, key=_label)
        # Why it is not there, where that is known, and what to do.
        why = getattr(first, "waiting", f"it waits for {_label(first)}")
        return f"{why} (and so {_labels(others)})" if others else str(why)
    if summary.running_elsewhere:
        return f"another worker runs {_labels(summary.running_elsewhere)}"
    return "the scheduler did not let it run"


def _labels(tasks: Iterable[luigi.Task]) -> str:
    return ", ".join(sorted(_label(task) for task in tasks))


def _label(task: luigi.Task) -> str:
    return str(getattr(task, "label", task))


def _made(task: luigi.Task) -> str:
    if isinstance(task, RegisterModel):
        return _registered(task)
    if isinstance(task, Stage):
        output = task.output()
        return f"{task.label}: {output.manifest()['summary']}; it is in {output}"
    if isinstance(task, RefreshTrips):
        return f"{task.label}: {task.found}"
    return f"{_label(task)}: done"


def _registered(task: RegisterModel) -> str:
    """The version, whether it is the champion, how good it is, and where it and its report are."""
    manifest = task.output().manifest()
    name, version = task.model_name, str(manifest["version"])
    champion = open_ledger(name).read().version
    others = f" (version {champion} is)" if champion else ""
    standing = "is champion" if champion == version else f"is not champion{others}"
    rmse = f"RMSE {manifest['rmse']:.4f} minutes on {task.evaluation_month}"
    report = task.receipt().get("report")  # receipts were made before there were reports
    where = f"models:/{name}/{version}"
    if report:
        where += f", report {task.storage.uri(report)}"
    return f"{name} version {version} {standing}, {rmse}; {where}"
