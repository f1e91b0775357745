"""A plan as the text of a Mermaid diagram, for documents."""

from __future__ import annotations

import json
from collections.abc import Sequence

from taxi_pipeline.cli.plan_boxes import COLOURS, TEXT, boxes
from taxi_pipeline.runtime.plan import Step

ESCAPES = str.maketrans(
    {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
)
"""Mermaid's own way to write what has a meaning in a label."""


def as_mermaid(steps: Sequence[Step], title: str) -> str:
    """A flowchart from top to bottom, with a class for each state.

    Args:
        steps: the steps that :func:`taxi_pipeline.runtime.plan.plan` gave.
        title: above the diagram.
    """
    drawn = boxes(steps)
    lines = [
        "---",
        f"title: {json.dumps(title, ensure_ascii=False)}",
        "config: {flowchart: {wrappingWidth: 300}}",  # the lines stay as they are
        "---",
        "flowchart TD",
    ]
    for place, box in enumerate(drawn):
        label = "<br/>".join(line.translate(ESCAPES) for line in (box.family, *box.lines))
        lines.append(f'    n{place}["{label}"]:::{box.state}')
    lines += [f"    n{needed} --> n{at}" for at, box in enumerate(drawn) for needed in box.needs]
    lines += [
        f"    classDef {state} fill:{look.fill},stroke:{look.edge},color:{TEXT}"
        for state, look in COLOURS.items()
    ]
    return "\n".join([*lines, ""])
