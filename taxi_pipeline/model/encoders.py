"""Encoders: features become the numbers that a regressor sees.

``fit_transform`` differs from ``fit`` and ``transform`` where something is learned from the
target: the rows that it is learned from are encoded out of fold, so that no row's own target is
among its features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import skops_files, zones
from taxi_pipeline.model.means import FOLDS, OutOfFoldMeans, PairMeans, PairSums, draw_folds
from taxi_pipeline.model.zones import N_ZONE_IDS

Array = NDArray[Any]

Batch = tuple[Any, Array]
"""Trips, as features or encoded, and their minutes."""


class Batches(Protocol):
    """Batches of trips that can be gone through more than once."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Batch]:
        """One after the other."""


class Encoder(Protocol):
    """What turns features into a matrix, and is kept beside the regressor.

    One that also has ``learn`` and ``out_of_fold``, as :class:`TripEncoder`, learns batch by batch.
    """

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


MIN_TRIPS = 20
"""Trips with a plausible distance that a fit needs: fewer make no means and no folds."""

BANDWIDTH_MILES = 0.5
"""Miles over which the weight of a zone in the means of another falls by e."""

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
        missing: what stands for a value that is not known; None for NaN. XGBoost is a third faster
            on a matrix without NaN.
    """

    FILE = "encoder.npz"
    MEANS = PairMeans.NAMES

    def __init__(
        self, columns: Iterable[str] = (), seed: int = 0, missing: float | None = None
    ) -> None:
        self.columns = tuple(columns)
        self.seed = seed
        self.missing = missing

    def settings(self) -> dict[str, Any]:
        """The columns, which say what is passed on, the seed, and what stands for missing."""
        settings: dict[str, Any] = {"columns": list(self.columns), "seed": self.seed}
        return settings if self.missing is None else {**settings, "missing": self.missing}

    def fit(self, features: pd.DataFrame, minutes: Array) -> TripEncoder:
        """Learn the encodings."""
        return self.learn([(features, minutes)])

    def fit_transform(self, features: pd.DataFrame, minutes: Array) -> pd.DataFrame:
        """Learn the encodings, and encode the same rows out of fold.

        Raises:
            InvalidTraining: too few trips have a plausible distance.
        """
        trips = [(features, minutes)]
        encoded: pd.DataFrame
        ((encoded, _),) = self.learn(trips).out_of_fold(trips)
        return encoded

    def learn(self, trips: Batches) -> TripEncoder:
        """Learn the encodings from trips that come in batches.

        Raises:
            InvalidTraining: too few trips have a plausible distance.
        """
        sums = PairSums()
        for features, minutes in trips:
            pickup, dropoff = _zone_indices(features)
            sums.add(_pair(pickup, dropoff), minutes, _miles(features))
        total = sums.total()
        known = int(total["known"].sum())
        if known < MIN_TRIPS:
            raise InvalidTraining(
                f"{known} of {int(total['trips'].sum())} trips have a plausible distance to learn "
                f"from, at least {MIN_TRIPS} are needed: train on more"
            )
        self.distances_ = zones.road_distances(total["miles"], total["known"])
        self.zone_coordinates_ = zones.coordinates(self.distances_, DIMENSIONS)
        self.pair_trips_ = total["trips"].astype(np.int64)
        self._estimate = PairMeans(zones.proximity_weights(self.distances_, BANDWIDTH_MILES), total)
        self.means_ = self._estimate(total)
        return self

    def out_of_fold(self, trips: Batches, draw: int = 0) -> Batches:
        """The batches that were learned from, encoded by what the other folds' trips tell.

        Args:
            trips: those given to :meth:`learn`, in the same order.
            draw: another number makes other folds.

        Returns:
            Encoded trips with their minutes, batch by batch; each pass encodes anew.
        """
        sizes = [len(minutes) for _, minutes in trips]
        folds = np.split(draw_folds(sum(sizes), self.seed, draw), np.cumsum(sizes)[:-1])
        sums = PairSums(FOLDS)
        for (features, minutes), fold in zip(trips, folds, strict=True):
            sums.add(_pair(*_zone_indices(features)), minutes, _miles(features), fold)
        return _OutOfFold(self, trips, folds, OutOfFoldMeans(self._estimate, sums))

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """Encode other rows with what was learned from all rows of the fit."""
        pair = _pair(*_zone_indices(features))
        return self.encode(features, {name: self.means_[name][pair] for name in self.MEANS})

    def encode(self, features: pd.DataFrame, means: Mapping[str, Array]) -> pd.DataFrame:
        """Encode rows, given the means of each, as float32."""
        pickup, dropoff = _zone_indices(features)
        columns: dict[str, Array] = {
            name: features[name].to_numpy(np.float32, na_value=np.nan)
            for name in self.columns
            if name not in PLACES
        }
        miles = columns.get("miles", means["miles_near"])
        columns |= {name: means[name] for name in self.MEANS}
        road_miles = self.distances_[pickup, dropoff]
        columns["log_pair_trips"] = np.log1p(self.pair_trips_[_pair(pickup, dropoff)])
        columns["road_miles"] = np.where(np.isinf(road_miles), np.nan, road_miles)
        for axis in range(DIMENSIONS):
            columns[f"pickup_x{axis + 1}"] = self.zone_coordinates_[pickup, axis]
            columns[f"dropoff_x{axis + 1}"] = self.zone_coordinates_[dropoff, axis]
        columns["expected_minutes"] = miles * means["pace_near"]
        if "miles" in columns:
            columns["detour"] = miles / means["miles_near"]
        matrix = np.empty((len(features), len(columns)), np.float32)
        for place, column in enumerate(columns.values()):
            matrix[:, place] = column
        if self.missing is not None:
            matrix[np.isnan(matrix)] = self.missing
        return pd.DataFrame(matrix, columns=list(columns), copy=False)

    def save(self, folder: Path | str) -> None:
        """Write what was learned as numpy arrays.

        Their names stay as they are: registered models are kept in such files.
        """
        learned: dict[str, Any] = {
            "pair_trips": self.pair_trips_,
            "distances": self.distances_,
            "places": self.zone_coordinates_,
            **self.means_,
        }
        np.savez_compressed(Path(folder) / self.FILE, **learned)

    def load(self, folder: Path | str) -> Self:
        """Read what was learned; nothing is unpickled."""
        with np.load(Path(folder) / self.FILE, allow_pickle=False) as arrays:
            self.pair_trips_ = arrays["pair_trips"]
            self.distances_ = arrays["distances"]
            self.zone_coordinates_ = arrays["places"]
            self.means_ = {name: arrays[name] for name in self.MEANS}
        return self


@dataclass(frozen=True)
class _OutOfFold:
    """The batches of a fit, encoded as they are asked for."""

    encoder: TripEncoder
    trips: Batches
    folds: Sequence[Array]
    means: OutOfFoldMeans

    def __len__(self) -> int:
        return len(self.trips)

    def __iter__(self) -> Iterator[Batch]:
        for (features, minutes), fold in zip(self.trips, self.folds, strict=True):
            means = self.means.of(fold, _pair(*_zone_indices(features)))
            yield self.encoder.encode(features, means), minutes


def _zone_indices(features: pd.DataFrame) -> tuple[Array, Array]:
    return zones.indices(features["pickup_zone"]), zones.indices(features["dropoff_zone"])


def _pair(pickup: Array, dropoff: Array) -> Array:
    pair: Array = pickup * N_ZONE_IDS + dropoff
    return pair


def _miles(features: pd.DataFrame) -> Array:
    miles: Array = features["miles"].to_numpy(np.float64, na_value=np.nan)
    return miles


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

    def save(self, folder: Path | str) -> None:
        """Write the transformer."""
        skops_files.dump(self.transformer, Path(folder) / self.FILE)

    def load(self, folder: Path | str) -> Self:
        """Read the transformer; skops refuses types that it does not know."""
        self.transformer = skops_files.load(Path(folder) / self.FILE)
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
