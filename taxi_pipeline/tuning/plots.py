"""What a search looked like: its course, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from taxi_pipeline.tuning.results import OWN, Finalist
from taxi_pipeline.tuning.trials import FAILED, FINISHED, STOPPED, Trial

MIN_TRIALS = 8
"""With fewer trials no weight of a parameter is estimated."""

MARKERS = {FINISHED: ("o", "tab:blue"), STOPPED: ("x", "tab:gray"), FAILED: ("v", "tab:red")}


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


def plot(trials: Sequence[Trial], path: Path, finalists: Sequence[Finalist] = ()) -> None:
    """Draw a search into a PNG.

    On the left are the trials' errors, the best so far, and a line for the error of each final fit;
    on the right is the weight of each parameter.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    measured = [trial for trial in trials if trial.rmse is not None]
    ceiling = max((trial.rmse or 0.0 for trial in measured), default=1.0)
    for status, (marker, colour) in MARKERS.items():
        points = [
            (trial.number, ceiling if trial.rmse is None else trial.rmse)
            for trial in trials
            if trial.status == status
        ]
        if points:
            left.scatter(*zip(*points, strict=True), marker=marker, color=colour, label=status)
    if measured:
        so_far = np.minimum.accumulate([float(trial.rmse or 0) for trial in measured])
        numbers = [trial.number for trial in measured]
        left.step(numbers, so_far, where="post", color="black", linewidth=0.8, label="best so far")
    for finalist, style in zip(finalists, ("dashed", "dotted"), strict=False):
        whose = "recipe's own" if finalist.name == OWN else finalist.name
        label = f"{whose}, {finalist.result}"
        left.axhline(finalist.rmse, color="tab:green", linestyle=style, label=label)
    left.set(
        xlabel="trial",
        ylabel="RMSE on the last days, minutes",
        title="Short trials on a sample, and final fits",
    )
    left.legend()
    weights = importance(trials)
    right.set(title="Weight of the parameters")
    if weights:
        right.barh(list(weights)[::-1], list(weights.values())[::-1], color="tab:blue")
        right.set(xlabel="share of what the trials differ by")
    else:
        right.set_axis_off()
        right.text(0.5, 0.5, "too few trials to say", ha="center", va="center")
    figure.savefig(path, dpi=110)
