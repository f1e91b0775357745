"""Charts of a page: SVG in the page's own colours, light or dark.

matplotlib draws them. Its colours become names of the page's style sheet, so that the browser
chooses them.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation.residuals import SHARES

COLOURS = {
    "#000000": "currentColor",
    "#e6e6e6": "var(--grid)",
    "#cccccc": "var(--grid)",
    "#7f7f7f": "var(--muted)",
    "#1f77b4": "var(--blue)",
    "#ff7f0e": "var(--orange)",
    "#2ca02c": "var(--green)",
    "#9467bd": "var(--purple)",
    "#d62728": "var(--red)",
    "#ffffff": "var(--panel)",
}
"""matplotlib's colours, and what they are called in the page's style sheet."""

SIZE = (5.0, 3.6)
"""Inches, of which a phone shows about 0.9 each: text stays readable there."""

MARGINS = (0.15, 0.15)
"""The shares of a chart to the left of its axes and below them, where most have their labels."""

LOW, HIGH = SHARES[0], SHARES[-1]
"""The ends of the widest band of residuals that is drawn."""

PROMISES = (("--", "tab:gray"), (":", "tab:purple"))
"""How what was promised is drawn, by line and colour."""

MAX_LABELS = 12
"""Of more parts on an axis, each third is named."""

_IDS = re.compile(
    r' id="(?:figure|axes|patch|line2d|text|matplotlib\.axis|xtick|ytick|legend|'
    r'PolyCollection|PathCollection|FillBetweenPolyCollection|LineCollection|QuadMesh)_\d+"'
)
_FONT = re.compile(r"font-family: [^;\"]*;? ?")


@dataclass(frozen=True)
class Chart:
    """A chart of a page.

    Attributes:
        svg: the picture.
        title: what it shows.
        text: what is to be seen in it, for those who do not see it.
    """

    svg: str
    title: str
    text: str


def chart(
    title: str,
    text: str,
    draw: Callable[[Any], None],
    size: tuple[float, float] = SIZE,
    margins: tuple[float, float] = MARGINS,
) -> Chart:
    """A chart that a function draws into axes of matplotlib's.

    The same data gives the same text.

    Args:
        title: what it shows.
        text: what is to be seen in it.
        draw: draws it.
        size: inches.
        margins: the shares of the picture to the left of the axes and below them.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, facecolor="none")
    FigureCanvasSVG(figure)
    # Set by hand: matplotlib's own layout draws each picture twice.
    left, bottom = margins
    figure.subplots_adjust(left=left, bottom=bottom, right=0.98, top=0.97)
    axes = figure.subplots()
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    draw(axes)
    axes.set_title("")  # the page says it
    axes.grid(color="0.9", linewidth=0.6)
    file = io.StringIO()
    # Text as text, so that it can be read, found and scaled; ids that differ from other charts'.
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": title, "legend.framealpha": 0.85}
    with mpl.rc_context(style):
        no_facts = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=no_facts, dpi=110)
    return Chart(_for_page(file.getvalue(), f"{title}. {text}"), title, text)


def _for_page(svg: str, description: str) -> str:
    """An SVG without what only a file of its own needs, in the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _FONT.sub("", _IDS.sub("", svg))
    for colour, name in COLOURS.items():
        svg = svg.replace(colour, name)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(description)}" ', 1)


# --- what is drawn ----------------------------------------------------------------------------


def draw_intervals(
    axes: Any, figures: Mapping[str, Mapping[str, float]], name: str = "rmse"
) -> None:
    """Draw a figure of several predictions, each with its interval.

    Args:
        axes: of matplotlib's.
        figures: the metrics of each, by its name, the candidate first.
        name: of the figure.
    """
    for place, metrics in enumerate(figures.values()):
        value = metrics[name]
        colour = "tab:blue" if place == 0 else "tab:gray"
        ends = (metrics.get(f"{name}_low", value), metrics.get(f"{name}_high", value))
        axes.plot(ends, (place, place), color=colour, linewidth=5, solid_capstyle="butt")
        axes.plot(value, place, "o", color="black", markersize=4)
        axes.annotate(
            f"{value:.2f}", (value, place), (0, 8), textcoords="offset points", ha="center"
        )
    labels = [label.replace(", ", ",\n") for label in figures]
    axes.set(yticks=range(len(figures)), yticklabels=labels, xlabel="RMSE, minutes")
    axes.set_ylim(len(figures) - 0.5, -0.7)
    axes.margins(x=0.12)


def draw_residuals(axes: Any, bands: pd.DataFrame, xlabel: str) -> None:
    """Draw the spread of the residuals in parts of a month.

    Args:
        axes: of matplotlib's.
        bands: as of :func:`taxi_pipeline.evaluation.residuals.residual_bands`.
        xlabel: what the parts are.
    """
    place = range(len(bands))
    low, quarter, middle, three_quarters, high = (bands[share] for share in SHARES)
    axes.bar(
        place,
        high - low,
        bottom=low,
        width=0.8,
        color="tab:blue",
        alpha=0.25,
        label="8 of 10 trips",
    )
    axes.bar(
        place,
        three_quarters - quarter,
        bottom=quarter,
        width=0.8,
        color="tab:blue",
        alpha=0.6,
        label="half of the trips",
    )
    axes.plot(place, middle, "o-", color="black", markersize=3, linewidth=1, label="median")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel=xlabel, ylabel="predicted less actual, minutes")
    labels = [str(value).removesuffix(" miles") for value in bands["value"]]
    every = 3 if len(labels) > MAX_LABELS else 1
    axes.set_xticks(list(place)[::every], labels[::every])
    if every == 1:
        axes.tick_params(axis="x", labelrotation=30)
    axes.use_sticky_edges = False
    axes.autoscale_view()
    axes.legend(loc="best", fontsize=8)


def draw_learning_curves(axes: Any, curves: Sequence[tuple[str, Sequence[float], int]]) -> None:
    """Draw the error on the window's last days after each boosting round.

    Args:
        axes: of matplotlib's.
        curves: for each fit its name, its errors by round, and the round that was best.
    """
    for (name, errors, best), colour in zip(curves, ("tab:green", "tab:purple"), strict=False):
        rounds = range(1, len(errors) + 1)
        axes.plot(rounds, errors, color=colour, linewidth=1.5, label=name)
        if best <= len(errors):
            axes.plot(best, errors[best - 1], "o", color=colour)
    lowest = min(min(errors) for _, errors, _ in curves)
    start = max(errors[min(4, len(errors) - 1)] for _, errors, _ in curves)
    # The first rounds are so far off that the others could not be told from each other.
    if start > lowest:
        axes.set_ylim(lowest - 0.08 * (start - lowest), start)
    axes.set(xlabel="boosting round", ylabel="RMSE on the window's last days, minutes")
    axes.legend(loc="upper right", fontsize=8)


def draw_months(
    axes: Any, months: Sequence[str], series: Mapping[str, Sequence[float | None]]
) -> None:
    """Draw the RMSE of each month: of the candidates and of the baselines.

    Args:
        axes: of matplotlib's.
        months: the training months.
        series: the RMSE by month of each, the candidates first; None where there is none.
    """
    colours = ("tab:blue", "tab:orange", "tab:green", "tab:gray", "tab:purple")
    for place, (name, values) in enumerate(series.items()):
        points = [float("nan") if value is None else value for value in values]
        axes.plot(
            range(len(months)),
            points,
            "o-",
            color=colours[min(place, len(colours) - 1)],
            linewidth=2.5 if place == 0 else 1.2,
            markersize=5 if place == 0 else 3,
            label=name,
        )
    every = max(1, -(-len(months) // 8))
    axes.set_xticks(range(0, len(months), every), months[::every])
    axes.set(xlabel="last month of training", ylabel="RMSE on the month after, minutes")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", fontsize=8)


def draw_course(
    axes: Any,
    months: Sequence[str],
    series: Mapping[str, Sequence[Mapping[str, float]]],
    promised: Mapping[str, Sequence[float | None]],
    decayed: Sequence[bool],
) -> None:
    """Draw the RMSE of versions in each month, with its interval, beside what was promised.

    Args:
        axes: of matplotlib's.
        months: of the trips.
        series: the metrics by month of each version, the champion first; empty where it does not
            count.
        promised: the RMSE by month, at most in two ways; None where that is not known.
        decayed: whether the champion has decayed in the month.
    """
    for (name, values), (style, colour) in zip(promised.items(), PROMISES, strict=False):
        known = [(place, minutes) for place, minutes in enumerate(values) if minutes is not None]
        for number, (place, minutes) in enumerate(known):
            ends = (place - 0.42, place + 0.42)
            label = name if number == 0 else None
            axes.plot(ends, (minutes, minutes), style, color=colour, linewidth=1.5, label=label)
    for number, (name, figures) in enumerate(series.items()):
        colour = ("tab:blue", "tab:orange")[min(number, 1)]
        # Beside each other, so that one does not hide the other's interval.
        shift = 0.08 * number
        counted = [(place, found) for place, found in enumerate(figures) if found]
        for place, found in counted:
            if "rmse_low" in found:
                ends = (found["rmse_low"], found["rmse_high"])
                where = (place + shift, place + shift)
                axes.plot(where, ends, color=colour, linewidth=4, alpha=0.35)
        axes.plot(
            [place + shift for place, _ in counted],
            [found["rmse"] for _, found in counted],
            "-o" if number == 0 else "--o",
            color=colour,
            linewidth=2 if number == 0 else 1.2,
            markersize=5,
            label=name,
        )
    champion = next(iter(series.values()))
    for place, found in enumerate(champion):
        if decayed[place] and found:
            top = (place, found.get("rmse_high", found["rmse"]))
            axes.annotate(
                "decayed",
                top,
                (0, 5),
                textcoords="offset points",
                ha="center",
                color="tab:red",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
    every = max(1, -(-len(months) // 6))
    axes.set_xticks(range(0, len(months), every), months[::every])
    axes.set_xlim(-0.6, len(months) - 0.4)
    axes.margins(y=0.15)
    axes.set(xlabel="month of the trips", ylabel="RMSE, minutes")
    axes.legend(loc="best", fontsize=8)
