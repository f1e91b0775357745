"""Means of earlier trips by pair of zones, also out of fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxi_pipeline.model.zones import N_ZONE_IDS

Array = NDArray[Any]

N_PAIRS = N_ZONE_IDS**2

FOLDS = 5

PACE_LIMITS = (1.0, 30.0)
"""Minutes per mile beyond which a pace says more of the meter than of the road: 60 and 2 mph."""

SHRINKAGE = 0.5
"""Trips that the neighbourhood's mean counts for in the mean of a pair."""

ALMOST_NONE = 1e-3
"""Trips that the overall mean counts for in the mean over near pairs."""

SUMS = ("minutes", "trips", "miles", "pace", "known")
"""Sums by pair: of duration in minutes, of trips, and of the distance in miles, of the pace in
minutes per mile and of the trips among those whose distance is known."""


class PairSums:
    """Sums over trips by fold and pair of zones, to which trips are added batch by batch.

    Args:
        folds: how many folds there are.
    """

    def __init__(self, folds: int = 1) -> None:
        self.folds = folds
        self.tables = {name: np.zeros((folds, N_PAIRS)) for name in SUMS}

    def add(self, pair: Array, minutes: Array, miles: Array, fold: Array | int = 0) -> None:
        """Count trips in.

        Args:
            pair: the row of the pair's tables, for each trip.
            minutes: duration.
            miles: metered distance; NaN where it is not known.
            fold: the fold of each trip.
        """
        known = np.isfinite(miles)
        with np.errstate(divide="ignore", over="ignore"):  # a distance may be next to nothing
            pace = np.divide(minutes, miles, where=known, out=np.ones_like(miles))
        pace = np.clip(pace, *PACE_LIMITS)
        place = np.asarray(fold, np.int64) * N_PAIRS + pair
        values = {
            "minutes": minutes,
            "trips": None,
            "miles": np.where(known, miles, 0),
            "pace": np.where(known, pace, 0),
            "known": known,
        }
        for name, weights in values.items():
            counted = np.bincount(place, weights, self.folds * N_PAIRS)
            self.tables[name] += counted.reshape(self.folds, N_PAIRS)

    def total(self) -> dict[str, Array]:
        """The sums over all folds."""
        return {name: table.sum(axis=0) for name, table in self.tables.items()}

    def others(self, fold: int) -> dict[str, Array]:
        """The sums over all folds but one."""
        return {name: table.sum(axis=0) - table[fold] for name, table in self.tables.items()}


class PairMeans:
    """Means by pair, estimated from sums.

    Args:
        weights: what a zone says about another,
            :func:`taxi_pipeline.model.zones.proximity_weights`.
        total: the sums over all trips, of :meth:`PairSums.total`; pairs without near trips have
            their overall means.
    """

    NAMES = ("minutes_near", "miles_near", "pace_near", "minutes_by_pair")

    def __init__(self, weights: Array, total: dict[str, Array]) -> None:
        self.weights = weights
        self.overall = {
            name: total[name].sum() / total[counted].sum()
            for name, counted in (("minutes", "trips"), ("miles", "known"), ("pace", "known"))
        }

    def __call__(self, sums: dict[str, Array]) -> dict[str, Array]:
        """The tables of means, float32, by name."""
        near = {name: self._near(table) for name, table in sums.items()}
        minutes = self._mean(near, "minutes", "trips")
        means = {
            "minutes_near": minutes,
            "miles_near": self._mean(near, "miles", "known"),
            "pace_near": self._mean(near, "pace", "known"),
            "minutes_by_pair": (sums["minutes"] + SHRINKAGE * minutes)
            / (sums["trips"] + SHRINKAGE),
        }
        return {name: means[name].astype(np.float32) for name in self.NAMES}

    def _near(self, table: Array) -> Array:
        """The weighted sum over the pairs near each pair (Nadaraya-Watson)."""
        weights = self.weights
        near: Array = (weights @ table.reshape(N_ZONE_IDS, N_ZONE_IDS) @ weights).ravel()
        return near

    def _mean(self, near: dict[str, Array], name: str, counted: str) -> Array:
        mean: Array = (near[name] + ALMOST_NONE * self.overall[name]) / (
            near[counted] + ALMOST_NONE
        )
        return mean


class OutOfFoldMeans:
    """Means by pair for each fold, estimated from the trips of the other folds.

    Args:
        means: estimates them.
        sums: by fold.
    """

    def __init__(self, means: PairMeans, sums: PairSums) -> None:
        folds = [means(sums.others(fold)) for fold in range(sums.folds)]
        self.tables = {name: np.stack([one[name] for one in folds]) for name in PairMeans.NAMES}

    def of(self, fold: Array, pair: Array) -> dict[str, Array]:
        """The means for trips of folds and pairs, by name."""
        return {name: table[fold, pair] for name, table in self.tables.items()}


def draw_folds(rows: int, seed: int, draw: int = 0) -> Array:
    """A fold for each row, uint8, all folds of the same size but for one row.

    Args:
        rows: how many.
        seed: of the encoder.
        draw: another number makes other folds of the same seed.
    """
    generator = np.random.default_rng([seed, draw] if draw else seed)
    places = generator.permutation(rows)
    np.remainder(places, FOLDS, out=places)
    return places.astype(np.uint8)
