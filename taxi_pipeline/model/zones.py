"""Where zones lie, learned from the distances of trips between them.

TLC publishes zones as numbers. The mean metered distance of each pair, chained along the shortest
path, says how far apart any two zones are by road; the coordinates in which these distances are
straight lines say where they lie. Both are Isomap (Tenenbaum, de Silva and Langford, 2000). So a
pair that was met once or never can be judged by its neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxi_pipeline.trips.schema import UNKNOWN_ZONES

Array = NDArray[Any]

N_ZONE_IDS = 266
"""Rows of a table by zone id: TLC's ids are 1 to 265, and 0 is not used."""

SAME_ZONE = 0.0


def indices(zones: Any) -> Array:
    """Zone numbers as row numbers; one that TLC does not know is the unknown zone."""
    numbers = np.asarray(zones, dtype=np.int64)
    return np.where((numbers > 0) & (numbers < N_ZONE_IDS), numbers, UNKNOWN_ZONES[0])


def road_distances(miles: Array, trips: Array) -> Array:
    """Miles between zones, along the shortest chain of pairs' mean distances.

    Learned from all trips, unlike the means of :mod:`taxi_pipeline.model.means`, so a trip whose
    pair was met once takes part in its own distance; on the published months this costs nothing
    (fitted on green 2021-01, correlation with the meter 0.85 within and 0.84 on 2021-02).

    Args:
        miles: sum of the metered distances by pair, the pickup's zone first, as
            ``N_ZONE_IDS * N_ZONE_IDS`` numbers.
        trips: the number of trips in it, likewise.

    Returns:
        A symmetric table, ``N_ZONE_IDS`` x ``N_ZONE_IDS``; infinite where no chain of trips leads.
    """
    from scipy.sparse.csgraph import shortest_path

    total = np.array(miles, np.float64).reshape(N_ZONE_IDS, N_ZONE_IDS)
    counts = np.array(trips, np.float64).reshape(N_ZONE_IDS, N_ZONE_IDS)
    # "Unknown" and "outside the city" are no places: chains must not lead through them.
    for table in (total, counts):
        table[UNKNOWN_ZONES, :] = 0
        table[:, UNKNOWN_ZONES] = 0
    total, counts = total + total.T, counts + counts.T
    means = np.divide(total, counts, out=np.zeros(total.shape), where=counts > 0)
    np.fill_diagonal(means, SAME_ZONE)
    distances: Array = shortest_path(means, directed=False)
    return distances


def coordinates(distances: Array, dimensions: int) -> Array:
    """Coordinates of the zones, in miles, by classical scaling (Torgerson, 1952).

    Returns:
        ``len(distances)`` x ``dimensions``; NaN for zones that no chain of trips joins to the
        largest group.
    """
    reachable = np.isfinite(distances)
    joined = np.flatnonzero(reachable[reachable.sum(axis=1).argmax()])
    squares = np.square(distances[np.ix_(joined, joined)])
    centre = np.eye(len(joined)) - 1 / len(joined)
    values, vectors = np.linalg.eigh(-0.5 * centre @ squares @ centre)
    values, vectors = values[::-1][:dimensions], vectors[:, ::-1][:, :dimensions]
    # Which way an axis points is left open by the method, and by the linear algebra library.
    farthest = vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))]
    vectors = vectors * np.sign(farthest)
    placed = np.full((len(distances), dimensions), np.nan)
    placed[joined] = 0
    placed[joined, : len(values)] = vectors * np.sqrt(np.maximum(values, 0))
    return placed


def proximity_weights(distances: Array, bandwidth: float) -> Array:
    """How much a zone says about another: 1 for itself, falling by e every ``bandwidth`` miles."""
    weights: Array = np.exp(-distances / bandwidth)
    return weights
