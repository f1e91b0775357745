"""What a run would do and why, without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task import flatten

from taxi_pipeline.formatting import pluralize
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.runtime.sources import changed_sources
from taxi_pipeline.tasks.base import Stage, identity_cache
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tasks.publication import PublishedTrips
from taxi_pipeline.tasks.refresh import RefreshTrips

State = Literal["done", "runs", "waits", "unknown"]


@dataclass(frozen=True)
class Step:
    """A task of a run.

    Attributes:
        label: its short name.
        state: ``done`` if its output is there, ``runs`` if it is to be made, ``waits`` if it needs
            a month that is not published, ``unknown`` if its source does not say.
        reason: why it is to be made, what it waits for, or what the source answered; empty for what
            is done.
        requires: the labels of what it needs; what a task that is done was made from is not told.
    """

    label: str
    state: State
    reason: str
    requires: tuple[str, ...]


@contextmanager
def parse_task(arguments: Sequence[str]) -> Iterator[luigi.Task]:
    """The task that Luigi's command would run with these arguments, and within, its flags."""
    with CmdlineParser.global_instance(["--module", "taxi_pipeline", *arguments]) as parser:
        yield parser.get_task_obj()


def plan(task: luigi.Task) -> list[Step]:
    """The steps of a run of a task, in an order in which they could be taken.

    The sources of ingested months are asked where a run would ask them. What a changed source
    offers is not known before it is fetched, which makes all that depends on it run.
    """
    steps: dict[str, Step] = {}
    changed = changed_sources(task)
    with identity_cache():
        for ingest in changed:
            cached(ingest, lambda: None)  # its identity, as of a month that is not ingested
        _add(task, steps, changed)
    return list(steps.values())


def _add(task: luigi.Task, steps: dict[str, Step], changed: Mapping[luigi.Task, str]) -> Step:
    label = str(getattr(task, "label", task))
    if label in steps:
        return steps[label]
    if task in changed:
        step = Step(label, "runs", changed[task], ())
    elif isinstance(task, PublishedTrips):
        step = _source_step(task)
    elif task.complete():
        step = Step(label, "done", "", ())
    elif task.run is None:
        step = Step(label, "waits", getattr(task, "waiting", "it comes from outside"), ())
    else:
        required = [_add(needed, steps, changed) for needed in flatten(task.requires())]
        waits = [needed for needed in required if needed.state == "waits"]
        step = Step(
            label,
            "waits" if waits else "runs",
            _awaited(waits[0]) if waits else _reason(task, required),
            tuple(needed.label for needed in required),
        )
    steps[label] = step
    return step


def _source_step(task: PublishedTrips) -> Step:
    """Whether a month is at its source; a run tries a source again that does not say."""
    answer = task.answer()
    if answer.published is None:
        reason = f"{redact_url(task.url)} does not say ({answer.problem}); a run tries again"
        return Step(task.label, "unknown", reason, ())
    if answer.published:
        return Step(task.label, "done", "", ())
    return Step(task.label, "waits", task.waiting, ())


def _awaited(step: Step) -> str:
    """What a task waits for that needs a step which waits."""
    return step.reason if step.requires else f"for {step.label}"


def _reason(task: luigi.Task, required: Sequence[Step]) -> str:
    if not isinstance(task, Stage):
        if ahead := sum(step.state != "done" for step in required):
            return f"{pluralize(ahead, 'task')} to run"
        return "it asks the source" if isinstance(task, RefreshTrips) else "not made yet"
    identity = task.identity()
    if changes := task.change_reasons(identity):
        return "; ".join(changes)
    if identity is None and (first := [step.label for step in required if step.state == "runs"]):
        return f"after {first[0]}"
    return "not made yet"
