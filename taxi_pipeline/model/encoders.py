"""Encoders: features become the numbers that a regressor sees.

An encoder is a scikit-learn transformer. ``fit_transform`` may differ from ``fit`` and
``transform``: what is learned from the target is encoded out of fold for the rows that it was
learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction import DictVectorizer
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from taxi_pipeline.errors import InvalidTraining

Codes = NDArray[np.int64]

FOLDS = 5
FEWEST_TRIPS = 20
"""Below this there is nothing to learn a mean from, and nothing to fold."""

PACE_LIMITS = (1.0, 30.0)
"""Minutes per mile beyond which a pace says more of the meter than of the road: 60 and 2 mph."""

TIME_BAND_STARTS = (6, 10, 15, 19)
"""Hours at which morning, midday, afternoon and evening begin; the rest is night."""


def _codes(column: pd.Series[Any]) -> Codes:
    """Whole numbers for a column of few values; unknown is -1."""
    numbers: Codes = np.nan_to_num(column.to_numpy(np.float64, na_value=np.nan), nan=-1).astype(
        np.int64
    )
    return numbers


def _keys(features: pd.DataFrame) -> dict[str, Codes]:
    """The groups that a trip belongs to, each as one whole number."""
    pickup, dropoff = _codes(features["pickup_zone"]), _codes(features["dropoff_zone"])
    hour, weekday = _codes(features["hour"]), _codes(features["weekday"])
    partial = _codes(features["partial"])
    pair = pickup * 1000 + dropoff
    band = np.searchsorted(TIME_BAND_STARTS, hour, side="right")
    weekend = (weekday >= 5).astype(np.int64)  # noqa: PLR2004  (Saturday)
    return {
        "pair": pair,
        "unordered_pair": np.minimum(pickup, dropoff) * 1000 + np.maximum(pickup, dropoff),
        "pickup": pickup,
        "dropoff": dropoff,
        "pickup_hour": pickup * 100 + hour,
        "dropoff_hour": dropoff * 100 + hour,
        "hour_of_week": weekday * 24 + hour,
        "pair_time": pair * 10 + band * 2 + weekend,
        "pickup_origin": pickup * 2 + partial,
        "dropoff_origin": dropoff * 2 + partial,
        "pair_origin": pair * 2 + partial,
    }


ALL_KEYS = (
    "pair",
    "unordered_pair",
    "pickup",
    "dropoff",
    "pickup_hour",
    "dropoff_hour",
    "hour_of_week",
    "pair_time",
    "pickup_origin",
    "dropoff_origin",
    "pair_origin",
)

ENCODED: dict[str, tuple[str, ...]] = {
    "minutes": ALL_KEYS,
    "miles": ("pair", "unordered_pair", "pair_origin"),
    "pace": ALL_KEYS,
}
"""What the encoder learns the mean of, and by which keys. Pace is minutes per mile."""


class TripEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Means of duration, distance and pace by place and time, beside a trip's own features.

    The means are scikit-learn's target encodings: shrunk towards the overall mean by the ratio of
    variances within and between groups, and cross-fitted for the rows that they are learned from.
    A group that was not met is encoded as the overall mean.

    Args:
        columns: the trip's own features that are passed on.
        seed: seed of the folds.
    """

    def __init__(self, columns: tuple[str, ...] = (), seed: int = 0) -> None:
        self.columns = columns
        self.seed = seed

    def fit(self, features: pd.DataFrame, minutes: NDArray[np.float64]) -> TripEncoder:
        """Learn the encodings."""
        self.fit_transform(features, minutes)
        return self

    def fit_transform(self, features: pd.DataFrame, minutes: NDArray[np.float64]) -> pd.DataFrame:
        """Learn the encodings, and encode the same rows out of fold."""
        keys = _keys(features)
        pairs, counts = np.unique(keys["pair"], return_counts=True)
        self.pairs_, self.pair_counts_ = pairs, counts
        self.encoders_: dict[str, TargetEncoder] = {}
        encoded = {}
        for target, values in _targets(features, minutes).items():
            folds = KFold(FOLDS, shuffle=True, random_state=self.seed)
            encoder = TargetEncoder(target_type="continuous", cv=folds)
            groups = _matrix(keys, ENCODED[target])
            known = np.isfinite(values)
            if known.sum() < FEWEST_TRIPS:
                raise InvalidTraining(
                    f"{known.sum()} of {len(values)} trips have a plausible {target} to learn "
                    f"from, at least {FEWEST_TRIPS} are needed: train on more"
                )
            columns = np.empty(groups.shape, np.float32)
            columns[known] = encoder.fit_transform(groups[known], values[known])
            if not known.all():
                columns[~known] = encoder.transform(groups[~known])
            # The folds have served; skops would not load their generator unasked.
            self.encoders_[target] = encoder.set_params(cv=FOLDS)
            encoded[target] = columns
        return self._frame(features, keys, encoded)

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """Encode other rows with what was learned from all rows of the fit."""
        keys = _keys(features)
        encoded = {
            target: encoder.transform(_matrix(keys, ENCODED[target])).astype(np.float32)
            for target, encoder in self.encoders_.items()
        }
        return self._frame(features, keys, encoded)

    def _frame(
        self,
        features: pd.DataFrame,
        keys: Mapping[str, Codes],
        encoded: Mapping[str, NDArray[np.float32]],
    ) -> pd.DataFrame:
        columns: dict[str, NDArray[np.float32]] = {}
        for target, values in encoded.items():
            names = (f"{target}_by_{key}" for key in ENCODED[target])
            columns |= dict(zip(names, values.T, strict=True))
        columns["log_pair_trips"] = np.log1p(self._trips(keys["pair"]))
        for name in self.columns:
            columns[name] = features[name].to_numpy(np.float32, na_value=np.nan)
        return pd.DataFrame(columns)

    def _trips(self, pairs: Codes) -> NDArray[np.float32]:
        """How many trips of the fit each pair had."""
        place = np.searchsorted(self.pairs_, pairs).clip(max=len(self.pairs_) - 1)
        met = self.pairs_[place] == pairs
        return np.where(met, self.pair_counts_[place], 0).astype(np.float32)


def _targets(
    features: pd.DataFrame, minutes: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """What is averaged; NaN where a trip has no plausible distance."""
    miles = features["miles"].to_numpy(np.float64, na_value=np.nan)
    return {
        "minutes": minutes,
        "miles": miles,
        "pace": np.clip(minutes / miles, *PACE_LIMITS),
    }


def _matrix(keys: Mapping[str, Codes], names: tuple[str, ...]) -> Codes:
    return np.column_stack([keys[name] for name in names])


class CourseEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The course's encoding: one column for each pair of zones, and the metered distance.

    As the course does it, with scikit-learn's DictVectorizer over ``PU_DO`` and
    ``trip_distance``; a pair that was not met has no column.
    """

    def fit(self, features: pd.DataFrame, minutes: object = None) -> CourseEncoder:
        """Learn which pairs there are."""
        self.fit_transform(features, minutes)
        return self

    def fit_transform(self, features: pd.DataFrame, minutes: object = None) -> Any:  # noqa: ARG002
        """Learn which pairs there are, and encode the same rows as a sparse matrix."""
        self.vectorizer_ = DictVectorizer()
        return self.vectorizer_.fit_transform(self._records(features))

    def transform(self, features: pd.DataFrame) -> Any:
        """Encode other rows as a sparse matrix."""
        return self.vectorizer_.transform(self._records(features))

    @staticmethod
    def _records(features: pd.DataFrame) -> list[dict[Any, Any]]:
        pairs = features["pickup_zone"].astype(str) + "_" + features["dropoff_zone"].astype(str)
        frame = pd.DataFrame({"PU_DO": pairs, "trip_distance": features["metered_miles"]})
        return frame.to_dict(orient="records")


TRUSTED = tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in (TripEncoder, CourseEncoder))
"""The names of the encoders, for a loader that refuses types that it does not know."""
