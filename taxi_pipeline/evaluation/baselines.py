"""Baselines: what can be predicted without a model of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.model.zones import N_ZONE_IDS, indices

PAIR = ["pickup_zone", "dropoff_zone"]


def baselines(
    training: pd.DataFrame | Iterable[pd.DataFrame], evaluation: pd.DataFrame
) -> Mapping[str, Minutes]:
    """Simple predictions, learned from the training window, as a whole or part by part.

    - ``mean``: the mean duration;
    - ``zone_pair``: the mean duration of the same pair of zones; where the pair did not occur, the
      mean of the pickup zone, and else the overall mean;
    - ``linear``: least squares on pickup and drop-off zone, as the recipe of that name fits it; a
      zone that did not occur has the mean effect of those that did.

    All three follow from the number and the total duration of the trips of each pair of zones. The
    minutes of a baseline are looked up when they are asked for: of a large month they are large.
    """
    shape = (N_ZONE_IDS, N_ZONE_IDS)
    trips, total = np.zeros(shape, np.int64), np.zeros(shape)
    for part in (training,) if isinstance(training, pd.DataFrame) else training:
        pairs = _pairs(part)
        trips += np.bincount(pairs, minlength=trips.size).reshape(shape)
        total += np.bincount(pairs, part[TARGET], total.size).reshape(shape)
    mean = total.sum() / trips.sum()
    tables = {
        "mean": np.full(trips.shape, mean),
        "zone_pair": _pair_means(trips, total, mean),
        "linear": _least_squares(trips, total, mean),
    }
    return _Lazy(tables, _pairs(evaluation))


@dataclass(frozen=True)
class _Lazy(Mapping[str, Minutes]):
    """Minutes by baseline, looked up in a table.

    Attributes:
        tables: minutes by pair of zones.
        pairs: that of each trip.
    """

    tables: Mapping[str, Array]
    pairs: Array

    def __getitem__(self, name: str) -> Minutes:
        minutes: Minutes = self.tables[name].ravel()[self.pairs]
        return minutes

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


def _pairs(trips: pd.DataFrame) -> Array:
    pickup, dropoff = (indices(trips[zone]) for zone in PAIR)
    pairs: Array = (pickup * N_ZONE_IDS + dropoff).astype(np.int32)
    return pairs


def _pair_means(trips: Array, total: Array, mean: float) -> Array:
    pickups = trips.sum(axis=1)
    of_pickup = np.divide(
        total.sum(axis=1), pickups, out=np.full(N_ZONE_IDS, mean), where=pickups > 0
    )
    otherwise = np.repeat(of_pickup[:, None], N_ZONE_IDS, axis=1)
    means: Array = np.divide(total, trips, out=otherwise, where=trips > 0)
    return means


def _least_squares(trips: Array, total: Array, mean: float) -> Array:
    """The predictions of least squares by pair of zones, by the normal equations."""
    by_zone = (trips.sum(axis=1), trips.sum(axis=0))
    excess = total - mean * trips
    normal = np.block([[np.diag(by_zone[0]), trips], [trips.T, np.diag(by_zone[1])]])
    right = np.concatenate([excess.sum(axis=1), excess.sum(axis=0)])
    met = np.flatnonzero(np.concatenate(by_zone))
    effects = np.zeros(len(right))
    # What one zone's effect gains the others' may lose: of all solutions this is the smallest.
    effects[met] = np.linalg.lstsq(normal[np.ix_(met, met)], right[met])[0]
    pickup, dropoff = (
        np.where(count > 0, effect, effect[count > 0].mean())
        for effect, count in zip(np.split(effects, 2), by_zone, strict=True)
    )
    table: Array = mean + pickup[:, None] + dropoff
    return table
