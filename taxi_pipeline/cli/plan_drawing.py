"""A plan drawn as a graph."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime.plan import State, Step

COLOURS: dict[State, str] = {
    "done": "#d6ead8",
    "runs": "#fbe3b5",
    "waits": "#e3e3e8",
    "unknown": "#f3d3d3",
}
"""Colours of the boxes, by what becomes of a step."""


def draw(steps: Sequence[Step], file: Path, title: str) -> None:
    """Draw the steps as a graph, the first ones on the left.

    Arrows that follow from others are left out (transitive reduction).

    Args:
        steps: the steps that :func:`taxi_pipeline.runtime.plan.plan` gave.
        file: to write; its suffix decides the format (.svg, .png, .pdf).
        title: above the drawing.

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
    positions = {
        label: (-number, (len(layer) - 1) / 2 - place)
        for number, layer in enumerate(layers)
        for place, label in enumerate(layer)
    }
    figure = Figure(figsize=(3.3 * len(layers), max(2.0, 0.9 * tallest)), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.margins(0.12)
    nx.draw_networkx_edges(
        graph, positions, ax=axes, edge_color="#888", node_size=5000, node_shape="s", arrowsize=12
    )
    by_label = {step.label: step for step in steps}
    for label, place in positions.items():
        step = by_label[label]
        axes.text(
            place[0],
            place[1],
            _node_text(step),
            ha="center",
            va="center",
            fontsize=7,
            bbox={"boxstyle": "round", "facecolor": COLOURS[step.state], "edgecolor": "#888"},
        )
    axes.set_title(title, fontsize=9, loc="left")
    try:
        figure.savefig(file, dpi=150)
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"--draw {file}: {str(error).splitlines()[0]}") from None


def _month(label: str) -> str:
    """What a label says after the task's family."""
    return label.partition(" ")[2]


def _node_text(step: Step) -> str:
    family, _, rest = step.label.partition(" ")
    reason = textwrap.shorten(step.reason, 40, placeholder=" ...")
    return "\n".join(line for line in (family, rest, f"{step.state} {reason}".strip()) if line)
