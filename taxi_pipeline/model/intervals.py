"""Prediction intervals: between which durations a trip lies with a given probability.

Split conformal prediction. Trips that the model was not fitted on are predicted, and each error is
divided by the spread that is expected for such a trip (Lei et al., "Distribution-Free Predictive
Inference for Regression", 2018, section 5.2). Quantiles of these scores, one for each side (Romano,
Patterson and Candès, "Conformalized Quantile Regression", 2019, theorem 2), times the spread of a
new trip are the ends of its interval. With ``n`` scores they are the order statistics
``floor((n + 1) a / 2)`` and ``ceil((n + 1) (1 - a / 2))`` for the level ``1 - a``: with these the
level holds for any model and any distribution, as long as the new trip and those trips are
exchangeable. The spread is learned from the same trips, but each score uses the spread that the
others give (:func:`calibrate`). That costs the exact guarantee; docs/how-to/months_after.md has
what is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import zones
from taxi_pipeline.model.levels import check_level
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.model.zones import N_ZONE_IDS

Array = NDArray[Any]

FILE = "intervals.npz"
"""The name of the file, beside those of a model."""

MIN_TRIPS = 200
"""Trips that a calibration needs: with fewer than 199 the highest level has no finite quantile."""

FOLDS = 7
"""Parts of the trips, one after the other in time: of a week its days, as near as may be."""

KNOTS = 8
"""Points at which the spread is learned by predicted minutes; it is straight between them."""

SHRINKAGE = {"distance": 1.0, "pickup_zone": 1.0, "dropoff_zone": 1.0, "pair": 30.0, "hour": 30.0}
"""Trips without an effect that each factor of the spread is shrunk by."""

MIN_SPREAD = 0.05
"""The smallest spread, in minutes: times are published in seconds."""

HOURS = 24

COLUMNS = ("pickup_zone", "dropoff_zone", "hour", "miles")
"""The features that the spread is told by."""

DISTANCES = frozenset({"miles", "metered_miles"})
"""The features that hold the metered distance."""


@dataclass(frozen=True)
class Spread:
    """The expected size of a prediction's error, in minutes.

    It is learned by predicted minutes, times a factor for each thing that is known of a trip:
    whether its distance is, its zones, the pair of them and the hour. Each factor is what the ones
    before it leave unexplained.

    Attributes:
        knots: predicted minutes, in order.
        sizes: the mean absolute error at each of them.
        factors: for each cell, by the names of :data:`SHRINKAGE`. Those that are not there play no
            part.
    """

    knots: Array
    sizes: Array
    factors: dict[str, Array]

    @classmethod
    def learn(
        cls, features: pd.DataFrame, predicted: Minutes, errors: Minutes, *, reads_distance: bool
    ) -> Self:
        """The spread of given errors.

        Args:
            features: of the trips.
            predicted: minutes.
            errors: absolute, in minutes.
            reads_distance: whether the model knows the metered distance. If it does not, nor may
                the spread: it is not known when such a model is asked.
        """
        errors = np.maximum(errors, MIN_SPREAD)
        parts = np.array_split(np.argsort(predicted, kind="stable"), min(KNOTS, len(errors)))
        knots = np.array([predicted[part].mean() for part in parts])
        sizes = np.array([errors[part].mean() for part in parts])
        expected = np.interp(predicted, knots, sizes)
        factors = {}
        for name, (cells, number) in _cells(features).items():
            if name == "distance" and not reads_distance:
                continue
            weight = SHRINKAGE[name] * errors.mean()
            found = np.bincount(cells, errors, number) + weight
            factors[name] = found / (np.bincount(cells, expected, number) + weight)
            expected = expected * factors[name][cells]
        return cls(knots, sizes, factors)

    def __call__(self, features: pd.DataFrame, predicted: Minutes) -> Minutes:
        """The spread of each trip."""
        expected: Minutes = np.interp(predicted, self.knots, self.sizes)
        cells = _cells(features)
        for name, factor in self.factors.items():
            expected = expected * factor[cells[name][0]]
        return np.maximum(expected, MIN_SPREAD)


@dataclass(frozen=True)
class Intervals:
    """What makes intervals of a model's predictions.

    Attributes:
        spread: the expected size of the errors.
        scores: signed errors by their spread, actual less predicted, of trips that the model was
            not fitted on, in order.
    """

    spread: Spread
    scores: Array

    def quantiles(self, level: float) -> tuple[float, float]:
        """The scores at the ends of the intervals of a level.

        Raises:
            InvalidParameter: the level is out of range.
        """
        tail = (1 - check_level(level)) / 2
        number = len(self.scores)
        # Rounded, so that a level whose tail is not a binary fraction has the rank that it says.
        below = int(np.floor(round((number + 1) * tail, 6)))
        low, high = max(below, 1), min(number + 1 - below, number)
        return float(self.scores[low - 1]), float(self.scores[high - 1])

    def bounds(
        self, features: pd.DataFrame, predicted: Minutes, level: float
    ) -> tuple[Minutes, Minutes]:
        """The lower and the upper ends of the intervals of a level, in minutes.

        The prediction is within, also where the model is so biased that its quantiles are not; that
        makes an interval longer. No duration is below 0, nor is a lower end, unless the prediction
        itself is.

        Args:
            features: of the trips, as of :func:`taxi_pipeline.model.features.compute_features`.
            predicted: minutes.
            level: the share of trips that the intervals are to hold.

        Raises:
            InvalidParameter: the level is out of range.
        """
        below, above = self.quantiles(level)
        spread = self.spread(features, predicted)
        low = predicted + min(below, 0.0) * spread
        high = predicted + max(above, 0.0) * spread
        return np.maximum(low, np.minimum(predicted, 0.0)), high

    def save(self, file: Path) -> None:
        """Write it as numpy arrays."""
        arrays: dict[str, Any] = {
            "knots": self.spread.knots,
            "sizes": self.spread.sizes,
            "scores": self.scores,
            **{f"factor_{name}": factor for name, factor in self.spread.factors.items()},
        }
        np.savez_compressed(file, **{name: one.astype("float32") for name, one in arrays.items()})

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what :meth:`save` wrote; nothing is unpickled."""
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name].astype("float64") for name in arrays.files}
        names = [name for name in SHRINKAGE if f"factor_{name}" in found]
        factors = {name: found[f"factor_{name}"] for name in names}
        return cls(Spread(found["knots"], found["sizes"], factors), found["scores"])


def calibrate(
    features: pd.DataFrame, predicted: Minutes, actual: Minutes, *, reads_distance: bool
) -> Intervals:
    """Intervals learned from trips that the model was not fitted on.

    The spread is cross-fitted: the trips are cut into :data:`FOLDS` parts by time, and the score of
    a trip uses the spread of the other parts. Without that scores are too small, and about 1.5 % of
    the trips more are missed (green 2021 and 2023, level 90 %). The spread of a new trip is that of
    all of them.

    Args:
        features: of the trips, with their pickup time.
        predicted: minutes.
        actual: minutes.
        reads_distance: as of :meth:`Spread.learn`.

    Raises:
        InvalidTraining: there are too few trips.
    """
    if len(features) < MIN_TRIPS:
        raise InvalidTraining(
            f"intervals are learned from {MIN_TRIPS} trips or more, and there are {len(features)}: "
            "train on more"
        )
    residuals = actual - predicted
    errors = np.abs(residuals)
    scores = np.empty(len(residuals))
    for part in np.array_split(np.argsort(features["pickup_at"], kind="stable"), FOLDS):
        other = np.ones(len(scores), dtype=bool)
        other[part] = False
        spread = Spread.learn(
            features[other], predicted[other], errors[other], reads_distance=reads_distance
        )
        scores[part] = residuals[part] / spread(features.iloc[part], predicted[part])
    spread = Spread.learn(features, predicted, errors, reads_distance=reads_distance)
    return Intervals(spread, np.sort(scores))


def _cells(features: pd.DataFrame) -> dict[str, tuple[Array, int]]:
    """The cell of each trip in each table of factors, and how many cells the table has."""
    pickup, dropoff = (zones.indices(features[f"{end}_zone"]) for end in ("pickup", "dropoff"))
    hour = features["hour"].to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(features["miles"].to_numpy(np.float64, na_value=np.nan))
    return {
        "distance": (known.astype(np.int64), 2),
        "pickup_zone": (pickup, N_ZONE_IDS),
        "dropoff_zone": (dropoff, N_ZONE_IDS),
        "pair": (pickup * N_ZONE_IDS + dropoff, N_ZONE_IDS**2),
        # A row without a pickup time has a cell of its own, whose factor is 1.
        "hour": (np.where(np.isfinite(hour), hour, HOURS).astype(np.int64), HOURS + 1),
    }
