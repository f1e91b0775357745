"""Plots of predictions against actual durations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from taxi_pipeline.evaluation.report import Evaluation
from taxi_pipeline.model.regressors import Minutes


def plot(evaluation: Evaluation, actual: Minutes, predicted: Minutes, path: Path) -> None:
    """Draw predicted against actual durations, and the errors by hour, into a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    limit = float(np.quantile(actual, 0.999))
    left.hexbin(actual, predicted, gridsize=60, bins="log", cmap="Blues", extent=(0, limit) * 2)
    left.plot([0, limit], [0, limit], color="black", linewidth=0.8)
    left.set(xlabel="actual minutes", ylabel="predicted minutes", title="Predicted and actual")
    hours = evaluation.slices[evaluation.slices["slice"] == "hour"]
    right.bar(hours["value"].astype(float), hours["mae"], color="tab:blue", label="mean abs. error")
    right.plot(hours["value"].astype(float), hours["bias"], color="tab:red", label="bias")
    right.axhline(0, color="black", linewidth=0.8)
    right.set(xlabel="hour of pickup", ylabel="minutes", title="Errors by hour")
    right.legend()
    figure.savefig(path, dpi=110)
