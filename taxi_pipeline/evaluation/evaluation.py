"""How good a model is on a month that took no part in making it, beside what anybody could do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes

if TYPE_CHECKING:
    from pathlib import Path

PAIR = ["pickup_zone", "dropoff_zone"]
MILES_EDGES = (0, 1, 2, 3, 5, 8, 12, 20, np.inf)


def metrics(actual: Minutes, predicted: Minutes) -> dict[str, float]:
    """The errors of predictions, in minutes but for ``r2``.

    ``rmse`` root mean square error, ``mae`` mean absolute error, ``r2`` coefficient of
    determination (0 where the actual values do not vary), ``p90_abs_error`` the absolute error
    that nine of ten predictions keep below, ``bias`` mean of predicted less actual.
    """
    error = predicted - actual
    variance = float(np.var(actual))
    mean_square = float(np.mean(np.square(error)))
    return {
        "rmse": mean_square**0.5,
        "mae": float(np.mean(np.abs(error))),
        "r2": 1 - mean_square / variance if variance else 0.0,
        "p90_abs_error": float(np.quantile(np.abs(error), 0.9)),
        "bias": float(np.mean(error)),
    }


def baselines(training: pd.DataFrame, evaluation: pd.DataFrame) -> dict[str, Minutes]:
    """What can be predicted without a model, learned from the training window.

    ``mean`` is the mean duration; ``zone_pair`` the mean duration of the same pair of zones, or
    from the same pickup zone for a pair that was not met, or the overall mean.
    """
    mean = float(training[TARGET].mean())
    by_pair = training.groupby(PAIR)[TARGET].mean()
    by_pickup = training.groupby(PAIR[0])[TARGET].mean()
    pairs = pd.MultiIndex.from_frame(evaluation[PAIR])
    of_pair = by_pair.reindex(pairs).to_numpy(np.float64)
    of_pickup = by_pickup.reindex(evaluation[PAIR[0]]).fillna(mean).to_numpy(np.float64)
    return {
        "mean": np.full(len(evaluation), mean),
        "zone_pair": np.where(np.isnan(of_pair), of_pickup, of_pair),
    }


def best_baseline(measured: Mapping[str, Mapping[str, float]]) -> str:
    """The name of the baseline with the smallest RMSE."""
    return min(measured, key=lambda name: measured[name]["rmse"])


def gain(model: Mapping[str, float], measured: Mapping[str, Mapping[str, float]]) -> float:
    """The share by which the model's RMSE is below that of the best baseline."""
    return 1 - model["rmse"] / measured[best_baseline(measured)]["rmse"]


def verdict(
    model: Mapping[str, float], measured: Mapping[str, Mapping[str, float]], min_gain: float
) -> tuple[bool, str]:
    """Whether a model may become champion, and the reason in a few words.

    Its RMSE must be below that of the best baseline, by the share ``min_gain`` at least.
    """
    gained = gain(model, measured)
    side = "below" if gained > 0 else "above"
    reason = (
        f"RMSE {abs(gained):.1%} {side} that of the baseline {best_baseline(measured)}, "
        f"[gate] min_gain asks for {min_gain:.1%} below"
    )
    return gained > 0 and gained >= min_gain, reason


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on the evaluation month.

    Attributes:
        model: the metrics of the model.
        baselines: the metrics of each baseline, by name.
        slices: metrics of the model for parts of the month: by hour, weekday, distance, origin.
        rows: trips that were predicted.
    """

    model: dict[str, float]
    baselines: dict[str, dict[str, float]]
    slices: pd.DataFrame
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """The figures in a form that JSON can hold."""
        return {"rows": self.rows, "model": self.model, "baselines": self.baselines}


def evaluate(training: pd.DataFrame, evaluation: pd.DataFrame, predicted: Minutes) -> Evaluation:
    """The figures of a model's predictions for the evaluation month."""
    actual = evaluation[TARGET].to_numpy()
    return Evaluation(
        model=metrics(actual, predicted),
        baselines={
            name: metrics(actual, simple)
            for name, simple in baselines(training, evaluation).items()
        },
        slices=_slices(evaluation, actual, predicted),
        rows=len(evaluation),
    )


def _slices(evaluation: pd.DataFrame, actual: Minutes, predicted: Minutes) -> pd.DataFrame:
    groups = {
        "hour": evaluation["hour"],
        "weekday": evaluation["weekday"],
        "miles": _bands(evaluation["miles"]),
        "origin": evaluation["partial"].map({0.0: "full record", 1.0: "partial record"}),
    }
    rows = []
    for name, group in groups.items():
        for value in group.dropna().sort_values().unique():
            part = (group == value).to_numpy()
            figures = metrics(actual[part], predicted[part])
            rows.append({"slice": name, "value": value, "rows": int(part.sum()), **figures})
    return pd.DataFrame(rows)


def _bands(miles: pd.Series[Any]) -> pd.Series[Any]:
    """Bands of distance, in their order, the last for what is unknown."""
    names = [f"{low:g} to {high:g}" for low, high in pairwise(MILES_EDGES)]
    bands = pd.cut(miles, MILES_EDGES, labels=names)
    return bands.cat.add_categories("unknown").fillna("unknown")


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
