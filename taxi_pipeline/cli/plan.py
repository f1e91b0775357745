"""``plan TASK ...`` prints what a run would do and why, and draws it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from taxi_pipeline import commands, config
from taxi_pipeline.cli.options import examples, json_option
from taxi_pipeline.cli.task_arguments import task_arguments
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.plan import State, Step, parse_task
from taxi_pipeline.runtime.plan import plan as planned
from taxi_pipeline.storage import disk

SAME = f"{commands.PROGRAM} run with the same arguments"

HELP = "Print what a run would do and why, without running anything."


@task_arguments(
    "plan",
    short_help=HELP,
    example="RegisterModel --year 2021 --month 1",
    epilog=examples(
        "plan RegisterModel --year 2021 --month 1",
        "plan --draw plan.svg BackfillMonths --of RegisterModel --start 2021-01",
        configuration=False,
    ),
)
@click.option(
    "--draw",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw it as well (.svg, .png, .pdf, or .mmd for Mermaid).",
)
@json_option
def command(arguments: list[str], draw: Path | None, *, as_json: bool) -> None:
    """Print what a run would do and why, without running anything.

    TASK and its flags are those of luigi --module taxi_pipeline, and those of a run may stay.
    """
    print_plan(arguments, draw, as_json=as_json)


def print_plan(arguments: list[str], draw: Path | None = None, *, as_json: bool = False) -> None:
    """Print what a run with Luigi's arguments would do, and draw it into a file if there is one."""
    with parse_task(arguments) as task:
        steps = planned(task)
        folder = config.storage().local_folder
    if folder and any(step.state == "runs" for step in steps) and (why := disk.hindrance(folder)):
        print(f"WARNING: a run would fail: {redact(why)}", file=sys.stderr)
    if draw:
        from taxi_pipeline.cli import plan_drawing

        plan_drawing.draw(steps, draw, summary(steps))
    if as_json:
        print(json.dumps(as_facts(steps), indent=2))
        return
    print(as_text(steps, commands.write("run", *map(redact, arguments))))
    if draw:
        print(f"It is drawn in {draw}.")


def as_facts(steps: Sequence[Step]) -> dict[str, Any]:
    """The steps for a script: how many there are of each state, and each with what it needs."""
    counts = Counter(step.state for step in steps)
    return {
        "task": steps[-1].label,
        "counts": {state: counts[state] for state in get_args(State)},
        "steps": [asdict(step) for step in steps],
    }


def as_text(steps: Sequence[Step], command: str = SAME) -> str:
    """The steps as a tree with the task asked for at its top; each step is explained once.

    Args:
        steps: of the plan.
        command: that runs them.
    """
    by_label = {step.label: step for step in steps}
    spelt_out: set[str] = set()
    width = max(5, *(len(step.state) for step in steps))

    def lines(label: str, first: str, rest: str) -> Iterator[str]:
        step = by_label[label]
        why = f": {step.reason}" if step.reason and label not in spelt_out else ""
        again = " (see above)" if label in spelt_out and step.requires else ""
        yield f"{step.state:{width}}  {first}{label}{why}{again}"
        if label in spelt_out:
            return
        spelt_out.add(label)
        for place, needed in enumerate(step.requires, 1):
            last = place == len(step.requires)
            yield from lines(
                needed, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}"
            )

    return "\n".join([*lines(steps[-1].label, "", ""), summary(steps, command)])


def summary(steps: Sequence[Step], command: str = SAME) -> str:
    """How many steps there are of each kind, and what to do next."""
    counts = [(state, sum(step.state == state for step in steps)) for state in get_args(State)]
    counts_text = ", ".join(f"{number} {state}" for state, number in counts if number)
    if dict(counts)["runs"]:
        return f"{counts_text}. Nothing was run: {command} runs them."
    return f"{counts_text}. There is nothing to run{' now' if dict(counts)['waits'] else ''}."
