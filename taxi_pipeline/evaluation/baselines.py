"""Baselines: what can be predicted without a model of one's own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.model.zones import N_ZONE_IDS, indices

PAIR = ["pickup_zone", "dropoff_zone"]


def baselines(training: pd.DataFrame, evaluation: pd.DataFrame) -> dict[str, Minutes]:
    """Simple predictions, learned from the training window.

    - ``mean``: the mean duration;
    - ``zone_pair``: the mean duration of the same pair of zones; where the pair did not occur, the
      mean of the pickup zone, and else the overall mean;
    - ``linear``: least squares on pickup and drop-off zone, as the recipe of that name fits it; a
      zone that did not occur has the mean effect of those that did.

    All three follow from the number and the total duration of the trips of each pair of zones.
    """
    pairs = _pairs(training)
    size = N_ZONE_IDS**2
    trips = np.bincount(pairs, minlength=size).reshape(N_ZONE_IDS, N_ZONE_IDS)
    total = np.bincount(pairs, training[TARGET], size).reshape(N_ZONE_IDS, N_ZONE_IDS)
    mean = total.sum() / trips.sum()
    tables = {
        "mean": np.full(trips.shape, mean),
        "zone_pair": _pair_means(trips, total, mean),
        "linear": _least_squares(trips, total, mean),
    }
    asked = _pairs(evaluation)
    return {name: table.ravel()[asked] for name, table in tables.items()}


def _pairs(trips: pd.DataFrame) -> Array:
    pickup, dropoff = (indices(trips[zone]) for zone in PAIR)
    pairs: Array = pickup * N_ZONE_IDS + dropoff
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
