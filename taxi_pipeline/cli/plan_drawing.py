"""A plan drawn as a graph."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline.cli.plan_boxes import COLOURS, TEXT, Box, Look, boxes
from taxi_pipeline.cli.plan_layout import Arrow, Layout, Size, lay_out
from taxi_pipeline.cli.plan_mermaid import as_mermaid
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime.plan import State, Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MERMAID = {".mmd", ".mermaid"}
"""Suffixes of Mermaid's text."""

FONT = 9.0
"""Points of the text: 12 pixels of an SVG on a screen, 16 of a PNG."""

PNG_DPI = 130
"""Pixels of an inch in a PNG: a backfill of five months fits a large screen."""

LINE = 1.35 * FONT
"""Points from a line of text to the next one."""

PADDING = 5.0
"""Points from a box's edge to its text."""

LEGEND = 1.4
"""Lines from a line of the legend to the next one."""

SWATCH = 7 * " "
"""The room of the legend's small boxes, before their meaning."""

POINTS = 72
"""Points of an inch."""

MARGIN = 14.0
"""Points around all."""

Place = tuple[float, float]
"""Points from the upper left."""

NARROWEST = 400.0
"""Points that the title and the legend have at least."""


def draw(steps: Sequence[Step], file: Path, title: str) -> None:
    """Draw the steps as a graph, from top to bottom.

    Args:
        steps: the steps that :func:`taxi_pipeline.runtime.plan.plan` gave.
        file: to write; its suffix decides the format (.svg, .png, .pdf, or .mmd for the text of a
            Mermaid diagram).
        title: what is said under the name of the task that was asked for.

    Raises:
        InvalidParameter: the file cannot be written, or its suffix is none that can be drawn.
    """
    if not file.suffix:
        raise InvalidParameter(f"--draw {file}: it needs a suffix, such as .svg, .png or .mmd")
    try:
        if file.suffix in MERMAID:
            file.write_text(as_mermaid(steps, f"{steps[-1].label}: {title}"), encoding="utf-8")
        else:
            _draw(boxes(steps), steps[-1].label, title, file)
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"--draw {file}: {str(error).splitlines()[0]}") from None


def _draw(drawn: Sequence[Box], name: str, title: str, file: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    layout = lay_out(drawn, _size)
    inner = max(layout.width, NARROWEST)
    heading = [" ".join(line) for line in _filled(name.split(), inner, bold=True)]
    under = [" ".join(line) for line in _filled(title.split(), inner)]
    legend = _filled([f"{SWATCH}{_legend(state)}{SWATCH}" for state in COLOURS], inner)
    top = LINE * (len(heading) + len(under) + LEGEND * len(legend) + 2)
    width, height = inner + 2 * MARGIN, top + layout.height + 2 * MARGIN
    # Letters stay letters: they can be found, copied and read aloud.
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure = Figure(figsize=(width / POINTS, height / POINTS))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        y = MARGIN
        for text in heading:
            _write(axes, (MARGIN, y), text, bold=True)
            y += LINE
        for text in under:
            _write(axes, (MARGIN, y), text)
            y += LINE
        _draw_legend(axes, y + LINE / 2, legend)
        _draw_graph(axes, layout, MARGIN + (inner - layout.width) / 2, MARGIN + top)
        figure.savefig(file, dpi=PNG_DPI, metadata={"Title": name})


def _draw_legend(axes: Axes, y: float, legend: Sequence[Sequence[str]]) -> None:
    """A line or more of small boxes, each with what its look means."""
    looks = iter(COLOURS.values())
    for line in legend:
        x = MARGIN
        for entry in line:
            _draw_box(axes, (x, y), (1.6 * FONT, 1.1 * FONT), next(looks))
            _write(axes, (x + _width(SWATCH), y - 0.05 * FONT), entry.strip())
            x += _width(entry)
        y += LEGEND * LINE


def _draw_graph(axes: Axes, layout: Layout, left: float, top: float) -> None:
    for arrow in layout.arrows:
        _draw_arrow(axes, [(left + x, top + y) for x, y in arrow])
    for frame in layout.frames:
        x, y = left + frame.left, top + frame.top
        _draw_box(axes, (x, y), (frame.width, frame.height), COLOURS[frame.box.state])
        text = [frame.box.family, *frame.box.lines]
        above = (frame.height - LINE * len(text)) / 2
        for number, line in enumerate(text):
            place = (x + frame.width / 2, y + above + LINE * number)
            _write(axes, place, line, bold=not number, ha="center")


def _draw_box(axes: Axes, place: Place, size: Size, look: Look) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            place,
            *size,
            boxstyle="round,pad=0,rounding_size=3",
            facecolor=look.fill,
            edgecolor=look.edge,
            linestyle=look.line,
        )
    )


def _draw_arrow(axes: Axes, arrow: Arrow) -> None:
    """From point to point, upright at each."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Line

    points, codes = [arrow[0]], [Line.MOVETO]
    for (x, y), (to_x, to_y) in itertools.pairwise(arrow):
        half = (y + to_y) / 2
        points += [(x, half), (to_x, half), (to_x, to_y)]
        codes += [Line.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Line(points, codes),
            arrowstyle="-|>",
            mutation_scale=9,
            shrinkA=0,
            shrinkB=0,
            color="#55555f",
            linewidth=0.9,
        )
    )


def _write(axes: Axes, place: Place, text: str, *, bold: bool = False, ha: str = "left") -> None:
    """Write a line of text below a place."""
    x, y = place
    axes.text(
        x,
        y + LINE / 2,
        text,
        fontsize=FONT,
        weight="bold" if bold else "normal",
        ha=ha,
        va="center_baseline",
        color=TEXT,
    )


def _size(box: Box) -> Size:
    """What a box needs for its text, in points."""
    widest = max(_width(box.family, bold=True), *map(_width, box.lines))
    return widest + 2 * PADDING, LINE * (1 + len(box.lines)) + 2 * PADDING


def _legend(state: State) -> str:
    return f"{state}: {COLOURS[state].meaning}"


def _filled(words: Sequence[str], width: float, *, bold: bool = False) -> list[list[str]]:
    """Words in lines of at most a width in points, if no word is wider."""
    lines: list[list[str]] = []
    for word in words:
        if lines and _width(" ".join([*lines[-1], word]), bold=bold) <= width:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


@functools.cache
def _width(text: str, *, bold: bool = False) -> float:
    """The width of a line of text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=FONT, weight="bold" if bold else "normal")
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0])
