"""What the predictions of a month rest on, feature by feature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Boosting

EXPLAINED_PREDICTIONS = 160
"""Predictions of boosters that are explained: each takes milliseconds. A model that averages
several boosters is explained on fewer trips."""

MAX_EXPLAINED_DEPTH = 12
"""Deeper trees are not explained: the time grows with the square of the depth."""

SHUFFLED_TRIPS = 4000
"""Trips of which one feature after the other is shuffled."""

SEED = 20210201
"""Every evaluation shuffles alike."""


@dataclass(frozen=True)
class Contributions:
    """How much each feature moves the predictions.

    Attributes:
        method: ``shap`` for contributions to each prediction (SHAP values: Lundberg and Lee, 2017),
            ``permutation`` for what it costs to shuffle a feature (Breiman, 2001).
        trips: the number of trips that were looked at.
        minutes: by feature, largest first: the mean size of its contributions in minutes, or the
            minutes by which the RMSE grows.
    """

    method: Literal["shap", "permutation"]
    trips: int
    minutes: dict[str, float]


def contributions(
    model: DurationModel,
    trips: FeatureFiles | pd.DataFrame,
    columns: Sequence[str],
    max_depth: int,
) -> Contributions:
    """What the model's predictions rest on.

    Boosted trees are explained by XGBoost's own contributions, of what the encoder makes of the
    features. Any other model, and one of very deep trees, is explained by shuffling the features
    themselves.

    Args:
        model: the fitted model.
        trips: that it was not fitted on: the columns that it reads, and ``minutes``. Of files, no
            more than those that are looked at are kept.
        columns: those that it reads.
        max_depth: the depth of its trees, if it has any.
    """
    if isinstance(model.regressor, Boosting) and max_depth <= MAX_EXPLAINED_DEPTH:
        boosters = max(1, len(model.regressor.boosters))
        some = _spread(trips, EXPLAINED_PREDICTIONS // boosters)
        matrix = model.encoder.transform(some)
        if isinstance(matrix, pd.DataFrame):
            return Contributions("shap", len(some), _shap(model.regressor, matrix))
    some = _spread(trips, SHUFFLED_TRIPS)
    return Contributions("permutation", len(some), _permutation(model, some, columns))


def _spread(trips: FeatureFiles | pd.DataFrame, number: int) -> pd.DataFrame:
    """So many trips, spread evenly over the month; all if there are no more."""
    rows = trips.rows if isinstance(trips, FeatureFiles) else len(trips)
    chosen = np.linspace(0, rows - 1, min(number, rows)).astype(np.int64)
    return trips.take(chosen)


def _shap(regressor: Boosting, matrix: pd.DataFrame) -> dict[str, float]:
    values = regressor.contributions(matrix)
    return _largest_first(matrix.columns, np.abs(values).mean(axis=0))


def _permutation(
    model: DurationModel, features: pd.DataFrame, columns: Sequence[str]
) -> dict[str, float]:
    actual = features[TARGET].to_numpy()
    order = np.random.default_rng(SEED).permutation(len(features))

    def rmse(trips: pd.DataFrame) -> float:
        return float(np.sqrt(np.mean(np.square(model.predict(trips) - actual))))

    whole = rmse(features)
    growth = [
        rmse(features.assign(**{name: features[name].array.take(order)})) - whole
        for name in columns
    ]
    return _largest_first(columns, np.array(growth))


def _largest_first(names: Iterable[str], minutes: Array) -> dict[str, float]:
    pairs = zip(names, minutes.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))
