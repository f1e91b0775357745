"""The figures of a model on its evaluation month, beside those of the baselines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation.baselines import baselines
from taxi_pipeline.evaluation.bootstrap import LEVEL, REPLICATES, day_numbers
from taxi_pipeline.evaluation.calibration import calibration
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.evaluation.slices import slices
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.month import Month


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on the evaluation month.

    Attributes:
        model: the metrics of the model, with the ends of their intervals.
        baselines: those of each baseline, by name.
        slices: errors of the model in parts of the month, see
            :func:`taxi_pipeline.evaluation.slices.slices`.
        calibration: mean predicted and actual minutes by predicted minutes, see
            :func:`taxi_pipeline.evaluation.calibration.calibration`.
        predictions: a row for each trip, in the order of its features: ``pickup_day``, ``actual``,
            ``predicted``, and the prediction of each baseline, such as ``mean_baseline``.
        days: days of the month that have trips.
    """

    model: dict[str, float]
    baselines: dict[str, dict[str, float]]
    slices: pd.DataFrame
    calibration: pd.DataFrame
    predictions: pd.DataFrame
    days: int

    @property
    def rows(self) -> int:
        """Trips that were predicted."""
        return len(self.predictions)

    def as_dict(self) -> dict[str, Any]:
        """The figures of the whole month as JSON values."""
        calibrated = self.calibration.astype(object).where(self.calibration.notna(), None)
        return {
            "rows": self.rows,
            "days": self.days,
            "intervals": {
                "level": LEVEL,
                "method": "bootstrap of the days of pickup",
                "replicates": REPLICATES,
            },
            "model": self.model,
            "baselines": self.baselines,
            "calibration": calibrated.to_dict("records"),
        }


def evaluate(
    training: pd.DataFrame | Iterable[pd.DataFrame],
    evaluation: pd.DataFrame,
    predicted: Minutes,
    month: Month,
) -> Evaluation:
    """The figures of a model's predictions for the evaluation month.

    Args:
        training: the window that the baselines learn from, as a whole or part by part: zones and
            minutes.
        evaluation: features, pickup times and minutes of the evaluation month.
        predicted: minutes for each trip of it.
        month: the evaluation month.
    """
    actual = evaluation[TARGET].to_numpy()
    pickup_at = evaluation["pickup_at"].to_numpy()
    days = day_numbers(pickup_at, month)
    simple = baselines(training, evaluation)
    return Evaluation(
        model=metrics_with_intervals(actual, predicted, days),
        baselines={
            name: metrics_with_intervals(actual, minutes, days) for name, minutes in simple.items()
        },
        slices=slices(evaluation, actual, predicted, days),
        calibration=calibration(actual, predicted),
        predictions=pd.DataFrame(
            {
                "pickup_day": pickup_at.astype("datetime64[D]"),
                "actual": actual.astype("float32"),
                "predicted": predicted.astype("float32"),
                **{
                    f"{name}_baseline": minutes.astype("float32")
                    for name, minutes in simple.items()
                },
            }
        ),
        days=int(days.max()) + 1,
    )
