"""What a search looked like: its course, and which parameters mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from taxi_pipeline.tuning.results import OWN, Finalist
from taxi_pipeline.tuning.trials import FAILED, FINISHED, STOPPED, Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIN_TRIALS = 8
"""With fewer trials no weight of a parameter is estimated."""

MARKERS = {
    FINISHED: ("o", "tab:blue", "finished trial"),
    STOPPED: ("x", "tab:gray", "trial stopped early (smallest error until then)"),
    FAILED: ("v", "tab:red", "failed trial (has no error)"),
}
"""Marker, colour and meaning of the trials of a status."""

FINALISTS = (("tab:green", "dashed"), ("tab:purple", "dashdot"))
"""Colours and styles of the lines of the final fits."""

TOO_FEW = f"fewer than {MIN_TRIALS} trials: too few to say"


def importance(trials: Sequence[Trial], seed: int = 0) -> dict[str, float]:
    """How much each parameter matters for a trial's error, as a share of 1, largest first.

    The gain of its splits in a random forest that predicts a trial's error at the first rung,
    which all trials reach (Hutter, Hoos and Leyton-Brown, 2014, judge parameters by forests too).
    Empty for fewer than eight trials.
    """
    import xgboost

    compared = [trial for trial in trials if trial.rungs]
    if len(compared) < MIN_TRIALS:
        return {}
    names = list(compared[0].parameters)
    matrix = np.array([[float(trial.parameters[name]) for name in names] for trial in compared])
    errors = np.array([trial.rungs[min(trial.rungs, key=int)] for trial in compared])
    forest = xgboost.train(
        {
            "num_parallel_tree": 200,
            "learning_rate": 1,
            "subsample": 0.63,
            "colsample_bynode": 0.5,
            "max_depth": 5,
            "reg_lambda": 0,
            "nthread": 1,
            "seed": seed,
        },
        # Errors differ by little: in units of their own spread a split is worth making.
        xgboost.DMatrix(
            matrix, (errors - errors.mean()) / (errors.std() or 1), feature_names=names
        ),
        1,
    )
    scores: Any = forest.get_score(importance_type="total_gain")
    gains = {name: float(scores.get(name, 0)) for name in names}
    total = sum(gains.values()) or 1.0
    return {name: round(gains[name] / total, 4) for name in sorted(gains, key=lambda n: -gains[n])}


def plot(
    trials: Sequence[Trial], path: Path, finalists: Sequence[Finalist] = (), title: str = ""
) -> None:
    """Draw a search into a PNG.

    On the left are the trials' errors, the best so far, and a line for the error of each final fit;
    on the right is the weight of each parameter.

    Args:
        trials: all of them, by number.
        path: of the PNG.
        finalists: the final fits that were chosen from.
        title: what the search was for and what came of it: taxi, month, recipe, RMSE.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.6))
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=13)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_trials(left, trials, finalists)
    weights = importance(trials)
    _plot_weights(right, weights)
    # Below the axes: there it hides no trial.
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower left", ncols=2, fontsize=10)
    # Set by hand: matplotlib's own layout draws the picture twice.
    figure.subplots_adjust(
        left=0.07,
        right=0.975,
        top=0.86,
        bottom=0.13 + 0.045 * math.ceil(len(labels) / 2),
        wspace=0.12 + 0.016 * max(map(len, weights), default=0),
    )
    figure.savefig(path, dpi=110)


def draw_trials(axes: Axes, trials: Sequence[Trial], finalists: Sequence[Finalist]) -> None:
    """Draw the trials' errors, the best so far, and a line for the error of each final fit.

    Args:
        axes: of matplotlib's.
        trials: all of them, by number.
        finalists: the final fits that were chosen from.
    """
    from matplotlib.ticker import MaxNLocator

    measured = [trial for trial in trials if trial.rmse is not None]
    ceiling = max((trial.rmse or 0.0 for trial in measured), default=1.0)
    for status, (marker, colour, meaning) in MARKERS.items():
        points = [
            (trial.number, ceiling if trial.rmse is None else trial.rmse)
            for trial in trials
            if trial.status == status
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=marker, color=colour, label=meaning)
    if measured:
        so_far = np.minimum.accumulate([float(trial.rmse or 0) for trial in measured])
        numbers = [trial.number for trial in measured]
        axes.step(
            numbers, so_far, where="post", color="black", linewidth=1, label="best trial so far"
        )
    winner = min(finalists, key=lambda finalist: finalist.rmse, default=None)
    for finalist, (colour, style) in zip(finalists, FINALISTS, strict=False):
        whose = "recipe's own parameters" if finalist.name == OWN else finalist.name
        label = f"final fit of {whose}, {finalist.result}{', chosen' * (finalist is winner)}"
        axes.axhline(finalist.rmse, color=colour, linestyle=style, linewidth=1.8, label=label)
    axes.set_title("Trials (short fits on a sample) and final fits", fontsize=11)
    axes.set_xlabel("trial, by number")
    axes.set_ylabel("RMSE on the window's last days (minutes)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)


def _plot_weights(axes: Axes, weights: Mapping[str, float]) -> None:
    axes.set_title("Weight of the parameters in the trials' errors", fontsize=11)
    if not weights:
        axes.set_axis_off()
        axes.text(0.5, 0.5, TOO_FEW, ha="center", va="center")
        return
    names = [name.replace("_", " ") for name in weights][::-1]
    bars = axes.barh(names, list(weights.values())[::-1], color="tab:blue")
    axes.bar_label(bars, fmt="{:.0%}", padding=3, fontsize=9)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("share of the gain of a forest's splits (%)")
