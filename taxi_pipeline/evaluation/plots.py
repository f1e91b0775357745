"""Plots of predictions against actual durations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.report import Evaluation

CELLS = 50
"""Cells across the picture of predicted and actual durations."""

MAX_DRAWN = 1_000_000
"""Trips that are drawn at most, evenly chosen: more of them make no other picture."""

MIN_BIN_ROWS = 10
"""A bin of the calibration with fewer trips is not drawn: its mean says little."""


def plot(evaluation: Evaluation, heading: str, path: Path) -> None:
    """Draw predicted against actual durations, calibration and errors by hour into a PNG file.

    Args:
        evaluation: what is drawn.
        heading: which model on which month, for the title.
        path: the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 5.2))
    FigureCanvasAgg(figure)
    # Set by hand: matplotlib's own layout draws the picture twice.
    figure.subplots_adjust(left=0.045, bottom=0.11, right=0.985, top=0.86, wspace=0.18)
    left, middle, right = figure.subplots(1, 3)
    figure.suptitle(f"{heading}: {rmse_text(evaluation.model)}", fontsize=14)
    draw_trips(left, evaluation.predictions)
    draw_calibration(middle, evaluation.calibration)
    _draw_hours(right, evaluation.slices)
    for axes in (left, middle, right):
        axes.grid(color="0.9", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.savefig(path, dpi=110)


def rmse_text(metrics: dict[str, float]) -> str:
    """The RMSE in words, with its interval if there is one."""
    text = f"RMSE {metrics['rmse']:.2f} minutes"
    if "rmse_low" not in metrics:
        return text
    return f"{text} (95 % interval {metrics['rmse_low']:.2f} to {metrics['rmse_high']:.2f})"


def draw_trips(axes: Any, predictions: pd.DataFrame) -> None:
    """Draw how many trips have which actual and predicted duration.

    Args:
        axes: of matplotlib's.
        predictions: as of :class:`taxi_pipeline.evaluation.report.Evaluation`.
    """
    from matplotlib.colors import ListedColormap

    share = -(-len(predictions) // MAX_DRAWN)
    drawn = predictions.iloc[::share]
    actual, predicted = drawn["actual"].to_numpy(), drawn["predicted"].to_numpy()
    limit = float(np.quantile(actual, 0.999))
    # One colour, more or less of it: it is told from a white and from a black page alike.
    blue = ListedColormap([(0.12, 0.47, 0.71, share) for share in np.linspace(0.12, 1, 64)])
    cells = axes.hexbin(
        actual,
        predicted,
        gridsize=CELLS,
        bins="log",
        mincnt=1,
        cmap=blue,
        extent=(0, limit) * 2,
        linewidths=0,
        rasterized=True,
    )
    label = "trips in a cell" if share == 1 else f"trips in a cell, 1 of {share} drawn"
    axes.figure.colorbar(cells, ax=axes, label=label).solids.set_rasterized(True)
    axes.plot([0, limit], [0, limit], color="black", linewidth=1, label="predicted = actual")
    axes.set(
        xlabel="actual duration, minutes",
        ylabel="predicted duration, minutes",
        title="Predicted and actual",
        xlim=(0, limit),
        ylim=(0, limit),
    )
    axes.legend(loc="upper left")


def draw_calibration(axes: Any, calibration: pd.DataFrame) -> None:
    """Draw the mean actual duration of the trips that are predicted to take so long.

    Args:
        axes: of matplotlib's.
        calibration: as of :func:`taxi_pipeline.evaluation.calibration.calibration`.
    """
    bins = calibration[calibration["rows"] >= MIN_BIN_ROWS]
    limit = max(bins["predicted"].max(), bins["actual"].max()) if len(bins) else 1.0
    axes.plot([0, limit], [0, limit], color="black", linewidth=1, label="predicted = actual")
    axes.plot(
        bins["predicted"],
        bins["actual"],
        "o-",
        color="tab:blue",
        label="trips in bins of 5 predicted minutes",
    )
    axes.set(
        xlabel="mean predicted duration, minutes",
        ylabel="mean actual duration, minutes",
        title="Calibration",
    )
    axes.legend(loc="upper left")


def _draw_hours(axes: Any, slices: pd.DataFrame) -> None:
    hours = slices[slices["slice"] == "hour"]
    hour = hours["value"].astype(int)
    ends = ("rmse_low", "rmse_high")
    spread = [(hours[end] - hours["rmse"]).abs().fillna(0) for end in ends]
    axes.bar(hour, hours["rmse"], color="tab:blue", label="RMSE, with its 95 % interval")
    axes.errorbar(hour, hours["rmse"], spread, fmt="none", ecolor="black", elinewidth=1)
    axes.plot(hour, hours["bias"], "o-", color="tab:orange", label="bias: predicted less actual")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(
        xlabel="hour of pickup",
        ylabel="minutes",
        title="Errors by hour of pickup",
        xticks=range(0, 24, 3),
    )
    axes.margins(y=0.2)
    axes.legend(loc="upper left")
