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
        )

    def fit(self, parameters: Mapping[str, Any], rounds: int, **options: Any) -> Any:
        """A booster fitted on the earlier days and judged on the last."""
        import xgboost

        early, late = self.binned
        return xgboost.train(
            {**parameters, "eval_metric": "rmse"},
            early,
            rounds,
            evals=[(late, "late")],
            verbose_eval=False,
            **options,
        )
