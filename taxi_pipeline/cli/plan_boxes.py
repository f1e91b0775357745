"""What a drawing of a plan shows: its boxes, and which of them need which."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from taxi_pipeline.runtime.plan import State, Step

if TYPE_CHECKING:
    import networkx as nx

WIDEST = 6
"""Boxes beside each other that a screen and a sheet of paper hold."""

LINE = 24
"""Characters of a box's line."""

TEXT = "#1b1b1f"
"""The colour of text in boxes."""


class Look(NamedTuple):
    """How the boxes of a state look, and what that means.

    Attributes:
        fill: their colour.
        edge: the colour of their edge.
        line: the style of their edge, for those who see or print no colours.
        meaning: what the legend says after the state.
    """

    fill: str
    edge: str
    line: str
    meaning: str


COLOURS: dict[State, Look] = {
    "done": Look("#d6ead8", "#3d7a47", "solid", "its output is there"),
    "runs": Look("#fbe3b5", "#9a6700", "solid", "it is to be made"),
    "waits": Look("#e3e3e8", "#62626e", "dashed", "it needs a month that is not published"),
    "unknown": Look("#f3d3d3", "#a33a3a", "dotted", "its source does not say"),
}
"""The look of each state."""

MONTH = re.compile(r"\b\d{4}-\d{2}\b")


@dataclass(frozen=True)
class Box:
    """A step, or several that differ by their months only.

    Attributes:
        family: of its tasks.
        lines: what else it says, each of at most :data:`LINE` characters.
        state: of its steps.
        month: the first one of its steps; empty if a step has none or several.
        needs: the places, in the list of boxes, of those that it needs.
    """

    family: str
    lines: tuple[str, ...]
    state: State
    month: str
    needs: tuple[int, ...]


def boxes(steps: Sequence[Step], widest: int = WIDEST) -> list[Box]:
    """The boxes of a plan, in an order in which their steps could be taken.

    Arrows that follow from others are left out (transitive reduction). Where more boxes than
    ``widest`` would stand in a row, steps that differ by their months only, and that are needed by
    such steps, share a box.
    """
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(step.label for step in steps)
    graph.add_edges_from((needed, step.label) for step in steps for needed in step.requires)
    graph = nx.transitive_reduction(graph)
    separate = _boxes(steps, graph, {step.label: place for place, step in enumerate(steps)})
    if max(map(len, rows(separate))) <= widest:
        return separate
    return _boxes(steps, graph, _alike(steps, graph))


def rows(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes from top to bottom, each below what it needs; a family stands in one row.

    If a family needs itself, a box stands as high as it can.
    """
    import networkx as nx

    families: nx.DiGraph = nx.DiGraph()
    families.add_nodes_from(box.family for box in boxes)
    needs = [(boxes[place], box) for box in boxes for place in box.needs]
    families.add_edges_from((needed.family, box.family) for needed, box in needs)
    if nx.is_directed_acyclic_graph(families):
        order = {
            family: row
            for row, generation in enumerate(nx.topological_generations(families))
            for family in generation
        }
        row_of = [order[box.family] for box in boxes]
    else:
        row_of = []
        for box in boxes:
            row_of.append(max((row_of[place] + 1 for place in box.needs), default=0))
    return [
        [box for box, of in zip(boxes, row_of, strict=True) if of == row]
        for row in range(max(row_of) + 1)
    ]


def _alike(steps: Sequence[Step], graph: nx.DiGraph) -> dict[str, int]:
    """A number for each label; those that may share a box have the same one.

    As these are needed by steps that share boxes, no box comes to need itself.
    """
    import networkx as nx

    by_label = {step.label: step for step in steps}
    numbers: dict[object, int] = {}
    found: dict[str, int] = {}
    for label in reversed(list(nx.topological_sort(graph))):
        needed_by = frozenset(found[other] for other in graph.successors(label))
        kind = (MONTH.sub("*", label), by_label[label].state, needed_by)
        found[label] = numbers.setdefault(kind, len(numbers))
    return found


def _boxes(steps: Sequence[Step], graph: nx.DiGraph, number: Mapping[str, int]) -> list[Box]:
    groups: dict[int, list[Step]] = {}
    for step in steps:
        groups.setdefault(number[step.label], []).append(step)
    ordered = _in_order(groups, graph, number)
    place = {each: at for at, each in enumerate(ordered)}
    return [
        _box(
            groups[each],
            sorted(
                {
                    place[number[needed]]
                    for step in groups[each]
                    for needed in graph.predecessors(step.label)
                }
            ),
        )
        for each in ordered
    ]


def _in_order(groups: Iterable[int], graph: nx.DiGraph, number: Mapping[str, int]) -> list[int]:
    """The groups, each after those that it needs."""
    import networkx as nx

    between: nx.DiGraph = nx.DiGraph()
    between.add_nodes_from(groups)
    between.add_edges_from((number[needed], number[label]) for needed, label in graph.edges)
    return list(nx.topological_sort(between))


def _box(steps: Sequence[Step], needs: Iterable[int]) -> Box:
    first = min(steps, key=lambda step: step.label)
    family, _, about = first.label.partition(" ")
    months = sorted({month for step in steps for month in MONTH.findall(step.label)})
    if len(steps) > 1:
        about = f"{MONTH.sub(f'{months[0]} to {months[-1]}', about)} ({len(steps)} months)"
    reason, count = Counter(map(_reason, steps)).most_common(1)[0]
    if count < len(steps):
        reason = "for several reasons"
    says = f"{first.state}: {reason}" if reason else first.state
    return Box(
        family=family,
        lines=(*_lines(about), *_lines(says)),
        state=first.state,
        month=months[0] if len(MONTH.findall(first.label)) == 1 else "",
        needs=tuple(needs),
    )


def _reason(step: Step) -> str:
    """Why a step is taken, unless an arrow tells it."""
    told = {f"{word} {label}" for word in ("after", "for") for label in step.requires}
    return "" if step.reason in told else step.reason


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, LINE, max_lines=3, placeholder=" ...")
