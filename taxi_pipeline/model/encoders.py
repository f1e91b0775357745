"""Encoders: features become the numbers that a regressor sees.

``fit_transform`` differs from ``fit`` and ``transform`` where something is learned from the
target: the rows that it is learned from are encoded out of fold, so that no row's own target is
among its features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import skops_files, zones
from taxi_pipeline.model.zones import N_ZONE_IDS

Array = NDArray[Any]


class Encoder(Protocol):
    """What turns features into a matrix, and is kept beside the regressor."""

    def fit_transform(self, features: pd.DataFrame, minutes: Array) -> Any:
        """Learn, and encode the same rows out of fold."""

    def transform(self, features: pd.DataFrame) -> Any:
        """Encode other rows."""

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor with which :meth:`load` can read what was saved.

        They are written as JSON.
        """

    def save(self, folder: Path) -> None:
        """Write what was learned into a folder."""

    def load(self, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""


FOLDS = 5
MIN_TRIPS = 20
"""Trips with a plausible distance that a fit needs: fewer make no means and no folds."""

PACE_LIMITS = (1.0, 30.0)
"""Minutes per mile beyond which a pace says more of the meter than of the road: 60 and 2 mph."""

BANDWIDTH_MILES = 0.5
"""Miles over which the weight of a zone in the means of another falls by e."""

SHRINKAGE = 0.5
"""Trips that the neighbourhood's mean counts for in the mean of a pair."""

DIMENSIONS = 4
"""Coordinates of a zone: two for the map, two for what bridges and rivers do to it."""

PLACES = ("pickup_zone", "dropoff_zone")


class TripEncoder:
    """Place and time as means of earlier trips and as coordinates, beside a trip's own features.

    - ``minutes_near``, ``miles_near``, ``pace_near``: means of duration, distance and pace
      (minutes per mile) over the trips between the zones near the pickup and those near the
      drop-off, weighted by :func:`taxi_pipeline.model.zones.proximity_weights` on both sides (a
      Nadaraya-Watson estimate);
    - ``minutes_by_pair``: mean duration of the pair itself, shrunk towards ``minutes_near``;
    - ``log_pair_trips``: log(1 + trips of the pair);
    - ``road_miles`` and ``pickup_x1`` ... ``dropoff_x4``: the learned geometry of the zones;
    - ``expected_minutes``: the trip's distance, or ``miles_near`` where that is not among the
      columns, by ``pace_near``; ``detour``: the trip's distance by ``miles_near``.

    Args:
        columns: the trip's features that are read; all but the two zones are passed on.
        seed: seed of the folds.
    """

    FILE = "encoder.npz"
    MEANS = ("minutes_near", "miles_near", "pace_near", "minutes_by_pair")

    def __init__(self, columns: Iterable[str] = (), seed: int = 0) -> None:
        self.columns = tuple(columns)
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The columns, which say what is passed on, and the seed."""
        return {"columns": list(self.columns), "seed": self.seed}

    def fit(self, features: pd.DataFrame, minutes: Array) -> TripEncoder:
        """Learn the encodings."""
        self.fit_transform(features, minutes)
        return self

    def fit_transform(self, features: pd.DataFrame, minutes: Array) -> pd.DataFrame:
        """Learn the encodings, and encode the same rows out of fold.

        Raises:
            InvalidTraining: too few trips have a plausible distance.
        """
        miles = features["miles"].to_numpy(np.float64, na_value=np.nan)
        known = np.isfinite(miles)
        if known.sum() < MIN_TRIPS:
            raise InvalidTraining(
                f"{known.sum()} of {len(miles)} trips have a plausible distance to learn from, at "
                f"least {MIN_TRIPS} are needed: train on more"
            )
        pickup, dropoff = _zone_indices(features)
        pair = pickup * N_ZONE_IDS + dropoff
        self.distances_ = zones.road_distances(pickup, dropoff, miles)
        self.zone_coordinates_ = zones.coordinates(self.distances_, DIMENSIONS)
        self.pair_trips_ = np.bincount(pair, minlength=N_ZONE_IDS**2)

        folds = np.random.default_rng(self.seed).permutation(len(features)) % FOLDS
        with np.errstate(divide="ignore", over="ignore"):  # a distance may be next to nothing
            pace = np.divide(minutes, miles, where=known, out=np.ones_like(miles))
        pace = np.clip(pace, *PACE_LIMITS)
        weights = zones.proximity_weights(self.distances_, BANDWIDTH_MILES)
        self.means_: dict[str, Array] = {}
        encoded = {}
        for target, values, counted in (
            ("minutes", minutes, np.ones_like(miles)),
            ("miles", np.where(known, miles, 0), known),
            ("pace", np.where(known, pace, 0), known),
        ):
            sums = FoldSums(pair, N_ZONE_IDS**2, folds, values, counted)
            near = KernelMean(weights, overall=values.sum() / counted.sum())
            self.means_[f"{target}_near"], encoded[f"{target}_near"] = sums.cross_fitted(near)
            if target == "minutes":
                by_pair = sums.cross_fitted(ShrunkMean(near))
                self.means_["minutes_by_pair"], encoded["minutes_by_pair"] = by_pair
        return self._frame(features, encoded)

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """Encode other rows with what was learned from all rows of the fit."""
        pickup, dropoff = _zone_indices(features)
        pair = pickup * N_ZONE_IDS + dropoff
        return self._frame(features, {name: self.means_[name][pair] for name in self.MEANS})

    def _frame(self, features: pd.DataFrame, means: dict[str, Array]) -> pd.DataFrame:
        pickup, dropoff = _zone_indices(features)
        columns = {
            name: features[name].to_numpy(np.float32, na_value=np.nan)
            for name in self.columns
            if name not in PLACES
        }
        miles = columns.get("miles", means["miles_near"])
        columns |= {name: means[name] for name in self.MEANS}
        road_miles = self.distances_[pickup, dropoff]
        columns["log_pair_trips"] = np.log1p(self.pair_trips_[pickup * N_ZONE_IDS + dropoff])
        columns["road_miles"] = np.where(np.isinf(road_miles), np.nan, road_miles)
        for axis in range(DIMENSIONS):
            columns[f"pickup_x{axis + 1}"] = self.zone_coordinates_[pickup, axis]
            columns[f"dropoff_x{axis + 1}"] = self.zone_coordinates_[dropoff, axis]
        columns["expected_minutes"] = miles * means["pace_near"]
        if "miles" in columns:
            columns["detour"] = miles / means["miles_near"]
        return pd.DataFrame(columns).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write what was learned as numpy arrays.

        Their names stay as they are: registered models are kept in such files.
        """
        learned: dict[str, Any] = {
            "pair_trips": self.pair_trips_,
            "distances": self.distances_,
            "places": self.zone_coordinates_,
            **self.means_,
        }
        np.savez_compressed(folder / self.FILE, **learned)

    def load(self, folder: Path) -> Self:
        """Read what was learned; nothing is unpickled."""
        with np.load(folder / self.FILE, allow_pickle=False) as arrays:
            self.pair_trips_ = arrays["pair_trips"]
            self.distances_ = arrays["distances"]
            self.zone_coordinates_ = arrays["places"]
            self.means_ = {name: arrays[name] for name in self.MEANS}
        return self


def _zone_indices(features: pd.DataFrame) -> tuple[Array, Array]:
    return zones.indices(features["pickup_zone"]), zones.indices(features["dropoff_zone"])


Estimate = Callable[[Array, Array], Array]
"""Makes a table of means by cell out of sums and counts by cell."""


class FoldSums:
    """Sums and counts of a target by cell and fold.

    Args:
        cells: the cell of each row, from 0 to ``size``.
        size: the number of cells.
        folds: the fold of each row.
        values: what is averaged, 0 where it is not known.
        counted: whether it is known.
    """

    def __init__(
        self, cells: Array, size: int, folds: Array, values: Array, counted: Array
    ) -> None:
        place = folds * size + cells
        self.cells, self.folds = cells, folds
        self.totals = np.bincount(place, values, FOLDS * size).reshape(FOLDS, size)
        self.counts = np.bincount(place, counted, FOLDS * size).reshape(FOLDS, size)

    def cross_fitted(self, estimate: Estimate) -> tuple[Array, Array]:
        """The table learned from all rows, and each row's entry in that of the other folds."""
        total, count = self.totals.sum(axis=0), self.counts.sum(axis=0)
        encoded = np.empty(len(self.cells), np.float32)
        for fold in range(FOLDS):
            rows = self.folds == fold
            others = estimate(total - self.totals[fold], count - self.counts[fold])
            encoded[rows] = others[self.cells[rows]]
        return estimate(total, count).astype(np.float32), encoded


class KernelMean:
    """Means by pair over the trips between near zones; the overall mean where there are none."""

    ALMOST_NONE = 1e-3

    def __init__(self, weights: Array, overall: float) -> None:
        self.weights, self.overall = weights, overall

    def __call__(self, total: Array, count: Array) -> Array:
        """The means by pair."""
        total, count = (
            (self.weights @ table.reshape(N_ZONE_IDS, N_ZONE_IDS) @ self.weights).ravel()
            for table in (total, count)
        )
        return (total + self.ALMOST_NONE * self.overall) / (count + self.ALMOST_NONE)


class ShrunkMean:
    """Means by cell, shrunk towards another estimate as by ``SHRINKAGE`` trips of that mean."""

    def __init__(self, towards: Estimate) -> None:
        self.towards = towards

    def __call__(self, total: Array, count: Array) -> Array:
        """The means by cell."""
        return (total + SHRINKAGE * self.towards(total, count)) / (count + SHRINKAGE)


class SklearnEncoder:
    """A scikit-learn transformer as an encoder, kept in skops' format.

    Args:
        transformer: of features; it is handed the target too. None for an encoder that is to
            load one.
    """

    FILE = "encoder.skops"

    def __init__(self, transformer: Any = None) -> None:
        self.transformer = transformer

    def settings(self) -> dict[str, Any]:
        """None: the transformer is loaded whole."""
        return {}

    def fit_transform(self, features: pd.DataFrame, minutes: Array) -> Any:
        """Learn, and encode the same rows."""
        return self.transformer.fit_transform(features, minutes)

    def transform(self, features: pd.DataFrame) -> Any:
        """Encode other rows."""
        return self.transformer.transform(features)

    def save(self, folder: Path) -> None:
        """Write the transformer."""
        skops_files.dump(self.transformer, folder / self.FILE)

    def load(self, folder: Path) -> Self:
        """Read the transformer; skops refuses types that it does not know."""
        self.transformer = skops_files.load(folder / self.FILE)
        return self


class CourseEncoder(SklearnEncoder):
    """The course's encoding: one column for each pair of zones, and the metered distance.

    As the course does it, with scikit-learn's DictVectorizer over ``PU_DO`` and
    ``trip_distance``; a pair that was not met has no column.
    """

    def __init__(self) -> None:
        from sklearn.feature_extraction import DictVectorizer

        super().__init__(DictVectorizer())

    def fit_transform(self, features: pd.DataFrame, minutes: object = None) -> Any:  # noqa: ARG002
        """Learn which pairs there are, and encode the same rows as a sparse matrix."""
        return self.transformer.fit_transform(self._records(features))

    def transform(self, features: pd.DataFrame) -> Any:
        """Encode other rows as a sparse matrix."""
        return self.transformer.transform(self._records(features))

    @staticmethod
    def _records(features: pd.DataFrame) -> list[dict[Any, Any]]:
        pairs = features["pickup_zone"].astype(str) + "_" + features["dropoff_zone"].astype(str)
        frame = pd.DataFrame({"PU_DO": pairs, "trip_distance": features["metered_miles"]})
        return frame.to_dict(orient="records")
