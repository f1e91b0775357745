"""What a run would do and why, without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task import flatten

from taxi_pipeline.formatting import pluralize
from taxi_pipeline.tasks.base import Stage, identity_cache

State = Literal["done", "runs", "waits"]


@dataclass(frozen=True)
class Step:
    """A task of a run.

    Attributes:
        label: its short name.
        state: ``done`` if its output is there, ``runs`` if it is to be made, ``waits`` if it needs
            a month that is not published.
        reason: why it is to be made, or what it waits for; empty for what is done.
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
    """The steps of a run of a task, in an order in which they could be taken."""
    steps: dict[str, Step] = {}
    with identity_cache():
        _add(task, steps)
    return list(steps.values())


def _add(task: luigi.Task, steps: dict[str, Step]) -> Step:
    label = str(getattr(task, "label", task))
    if label in steps:
        return steps[label]
    if task.complete():
        step = Step(label, "done", "", ())
    elif task.run is None:
        step = Step(label, "waits", getattr(task, "waiting", "it comes from outside"), ())
    else:
        required = [_add(needed, steps) for needed in flatten(task.requires())]
        waits = [needed for needed in required if needed.state == "waits"]
        step = Step(
            label,
            "waits" if waits else "runs",
            _awaited(waits[0]) if waits else _reason(task, required),
            tuple(needed.label for needed in required),
        )
    steps[label] = step
    return step


def _awaited(step: Step) -> str:
    """What a task waits for that needs a step which waits."""
    return step.reason if step.requires else f"for {step.label}"


def _reason(task: luigi.Task, required: Sequence[Step]) -> str:
    if not isinstance(task, Stage):
        ahead = sum(step.state != "done" for step in required)
        return f"{pluralize(ahead, 'task')} to run" if ahead else "not made yet"
    identity = task.identity()
    if changes := task.change_reasons(identity):
        return "; ".join(changes)
    if identity is None and (first := [step.label for step in required if step.state == "runs"]):
        return f"after {first[0]}"
    return "not made yet"
