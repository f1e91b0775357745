"""The figures of a model on its evaluation month, beside those of the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from taxi_pipeline.evaluation.baselines import baselines
from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.evaluation.slices import slices
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes


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
        """The figures as JSON values."""
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
        slices=slices(evaluation, actual, predicted),
        rows=len(evaluation),
    )
