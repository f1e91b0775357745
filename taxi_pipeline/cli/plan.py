"""``plan TASK ...`` prints what a run would do and why, and draws it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from taxi_pipeline.runtime.plan import State, Step, parse_task
from taxi_pipeline.runtime.plan import plan as planned

HELP = "print what a run would do and why, without running anything"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.usage = "python -m taxi_pipeline plan [--draw FILE] TASK [LUIGI'S FLAGS]"
    parser.add_argument(
        "--draw",
        type=Path,
        metavar="FILE",
        help="draw it as well (.svg, .png, .pdf, or .mmd for Mermaid)",
    )
    parser.add_argument("task", nargs=argparse.REMAINDER, help="as luigi --module taxi_pipeline")


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the plan, and draw it if that is asked for."""
    if not options.task:
        parser.error("which task? For example RegisterModel --year 2021 --month 1")
    with parse_task(options.task) as task:
        steps = planned(task)
    if options.draw:
        from taxi_pipeline.cli.plan_drawing import draw

        draw(steps, options.draw, summary(steps))
    print(as_text(steps))
    if options.draw:
        print(f"It is drawn in {options.draw}.")
    return 0


def as_text(steps: Sequence[Step]) -> str:
    """The steps as a tree with the task asked for at its top; each step is explained once."""
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

    return "\n".join([*lines(steps[-1].label, "", ""), summary(steps)])


def summary(steps: Sequence[Step]) -> str:
    """How many steps there are of each kind, and what to do next."""
    counts = [(state, sum(step.state == state for step in steps)) for state in get_args(State)]
    counts_text = ", ".join(f"{number} {state}" for state, number in counts if number)
    if dict(counts)["runs"]:
        return (
            f"{counts_text}. Nothing was run: luigi --module taxi_pipeline with the same arguments "
            "runs them."
        )
    return f"{counts_text}. There is nothing to run{' now' if dict(counts)['waits'] else ''}."
