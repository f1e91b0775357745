"""What a run would do and why, without running anything."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task import flatten

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.formatting import counted
from taxi_pipeline.tasks.base import Stage, identity_cache

State = Literal["done", "runs", "waits"]

COLOURS: dict[State, str] = {"done": "#d6ead8", "runs": "#fbe3b5", "waits": "#e3e3e8"}
"""Of the boxes in a drawing."""


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
def parsed(arguments: Sequence[str]) -> Iterator[luigi.Task]:
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
        return f"{counted(ahead, 'task')} to run" if ahead else "not made yet"
    identity = task.identity()
    if changes := task.change_reasons(identity):
        return "; ".join(changes)
    if identity is None and (first := [step.label for step in required if step.state == "runs"]):
        return f"after {first[0]}"
    return "not made yet"


def as_text(steps: Sequence[Step]) -> str:
    """The steps as a tree, what is asked for at its top; each is spelt out once."""
    by_label = {step.label: step for step in steps}
    told: set[str] = set()

    def lines(label: str, first: str, rest: str) -> Iterator[str]:
        step = by_label[label]
        why = f": {step.reason}" if step.reason and label not in told else ""
        again = " (see above)" if label in told and step.requires else ""
        yield f"{step.state:5}  {first}{label}{why}{again}"
        if label in told:
            return
        told.add(label)
        for place, needed in enumerate(step.requires, 1):
            last = place == len(step.requires)
            yield from lines(
                needed, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}"
            )

    return "\n".join([*lines(steps[-1].label, "", ""), summary(steps)])


def summary(steps: Sequence[Step]) -> str:
    """How many steps there are of each kind, and what to do next."""
    counts = [(state, sum(step.state == state for step in steps)) for state in COLOURS]
    said = ", ".join(f"{number} {state}" for state, number in counts if number)
    if dict(counts)["runs"]:
        return (
            f"{said}. Nothing was run: luigi --module taxi_pipeline with the same arguments does."
        )
    return f"{said}. There is nothing to run{' now' if dict(counts)['waits'] else ''}."


def draw(steps: Sequence[Step], file: Path) -> None:
    """Draw the steps as a graph, what comes first on the left.

    An arrow that only says what longer ways say too is left out.

    Args:
        steps: what :func:`plan` gave.
        file: to write; its suffix decides the format (.svg, .png, .pdf).

    Raises:
        InvalidParameter: the file cannot be written, or its suffix is none that can be drawn.
    """
    if not file.suffix:
        raise InvalidParameter(f"--draw {file}: it needs a suffix, such as .svg or .png")
    import networkx as nx
    from matplotlib.figure import Figure

    graph = nx.DiGraph()
    for step in steps:
        graph.add_node(step.label)
        graph.add_edges_from((needed, step.label) for needed in step.requires)
    graph = nx.transitive_reduction(graph)
    # As late as possible, so that arrows are short; months below each other.
    layers = [sorted(layer, key=_month) for layer in nx.topological_generations(graph.reverse())]
    tallest = max(map(len, layers))
    places = {
        label: (-number, (len(layer) - 1) / 2 - place)
        for number, layer in enumerate(layers)
        for place, label in enumerate(layer)
    }
    figure = Figure(figsize=(3.3 * len(layers), max(2.0, 0.9 * tallest)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.margins(0.12)
    nx.draw_networkx_edges(
        graph, places, ax=axes, edge_color="#888", node_size=5000, node_shape="s", arrowsize=12
    )
    by_label = {step.label: step for step in steps}
    for label, place in places.items():
        step = by_label[label]
        axes.text(
            place[0],
            place[1],
            _boxed(step),
            ha="center",
            va="center",
            fontsize=7,
            bbox={"boxstyle": "round", "facecolor": COLOURS[step.state], "edgecolor": "#888"},
        )
    axes.set_title(summary(steps), fontsize=9, loc="left")
    try:
        figure.savefig(file, dpi=150)
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"--draw {file}: {str(error).splitlines()[0]}") from None


def _month(label: str) -> str:
    """What a label says after the task's family."""
    return label.partition(" ")[2]


def _boxed(step: Step) -> str:
    family, _, rest = step.label.partition(" ")
    reason = textwrap.shorten(step.reason, 40, placeholder=" ...")
    return "\n".join(line for line in (family, rest, f"{step.state} {reason}".strip()) if line)
