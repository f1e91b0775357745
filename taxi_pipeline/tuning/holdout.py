"""The training window in two parts: earlier days to fit on, last days to judge by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import Recipe
from taxi_pipeline.model.regressors import Boosting, Minutes


def split_by_time(
    features: pd.DataFrame, window_end: dt.datetime, holdout_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trips of the window's earlier days, and those of its last days.

    Stray trips of a later date are in neither.

    Args:
        features: with the column ``pickup_at``.
        window_end: the first instant after the window.
        holdout_days: number of last days.

    Raises:
        InvalidTraining: one of the two parts is empty.
    """
    border = window_end - dt.timedelta(days=holdout_days)
    pickup = features["pickup_at"]
    early = features[pickup < border]
    late = features[(pickup >= border) & (pickup < window_end)]
    if early.empty or late.empty:
        raise InvalidTraining(
            f"the training window has {len(early)} trips before {border:%Y-%m-%d} and {len(late)} "
            "from then on: tuning needs both; change `holdout_days`"
        )
    return early, late


def late_predictions(late: pd.DataFrame, predicted: Minutes) -> pd.DataFrame:
    """What a model of the earlier days predicts for trips of the last days, ready to be kept.

    Args:
        late: the trips, of :func:`split_by_time`.
        predicted: minutes.

    Returns:
        ``row``, the place of the trip among those of the window, and ``predicted`` minutes.
    """
    return pd.DataFrame({"row": late.index.to_numpy(), "predicted": predicted.astype("float32")})


def predict_late(  # noqa: PLR0913  (each is a choice of its own)
    recipe: Recipe,
    features: pd.DataFrame,
    parameters: Mapping[str, Any],
    rounds: int | None,
    *,
    window_end: dt.datetime,
    holdout_days: int,
    seed: int,
    threads: int,
) -> pd.DataFrame:
    """Fit a recipe on the window's earlier days, and predict its last days.

    Of averaged boosters one is fitted, as in tuning's final fits: what is learned from its errors
    is a little too careful for their mean.

    Args:
        recipe: what is fitted.
        features: the training window.
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        window_end: the first instant after the window.
        holdout_days: number of last days.
        seed: seed of the encoder and of the regressor.
        threads: threads of the fit.

    Returns:
        As :func:`late_predictions`.

    Raises:
        InvalidTraining: one of the two parts is empty, or the earlier days do not allow a fit.
    """
    early, late = split_by_time(features, window_end, holdout_days)
    minutes = early[TARGET].to_numpy()
    encoder = recipe.encoder(seed)
    regressor = recipe.regressor(parameters, threads, seed)
    if isinstance(regressor, Boosting):
        regressor.members = 1
    regressor.fit(encoder.fit_transform(early, minutes), minutes, rounds)
    return late_predictions(late, regressor.predict(encoder.transform(late)))


@dataclass
class HoldoutData:
    """Encoded trips of the earlier and of the last days; binned once, shared by all trials.

    Boosters read the bins from several threads at once. Bins are not pickled: each process of a
    pool makes its own.
    """

    matrix: Any
    minutes: Any
    late_matrix: Any
    late_minutes: Any
    bins: int
    threads: int
    device: str = "cpu"

    @cached_property
    def binned(self) -> tuple[Any, Any]:
        """Both parts as XGBoost's quantile matrices."""
        import xgboost

        options = {"max_bin": self.bins, "nthread": self.threads}
        early = xgboost.QuantileDMatrix(self.matrix, self.minutes, **options)
        late = xgboost.QuantileDMatrix(self.late_matrix, self.late_minutes, ref=early, **options)
        return early, late

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "binned"}

    def sample(self, rows: int, seed: int) -> HoldoutData:
        """The same with a random sample of the earlier days' trips; itself if it has no more."""
        if len(self.minutes) <= rows:
            return self
        chosen = np.random.default_rng(seed).choice(len(self.minutes), rows, replace=False)
        return HoldoutData(
            self.matrix.iloc[chosen] if hasattr(self.matrix, "iloc") else self.matrix[chosen],
            self.minutes[chosen],
            self.late_matrix,
            self.late_minutes,
            self.bins,
            self.threads,
            self.device,
        )

    def fit(self, parameters: Mapping[str, Any], rounds: int, **options: Any) -> Any:
        """A booster fitted on the earlier days and judged on the last."""
        import xgboost

        early, late = self.binned
        return xgboost.train(
            {**parameters, "device": self.device, "eval_metric": "rmse"},
            early,
            rounds,
            evals=[(late, "late")],
            verbose_eval=False,
            **options,
        )

    def predict_late(self, booster: Any, rounds: int) -> Minutes:
        """What the first rounds of a booster predict for the last days."""
        _, late = self.binned
        predicted: Minutes = booster.predict(late, iteration_range=(0, rounds))
        return predicted
