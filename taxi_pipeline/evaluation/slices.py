"""Errors of parts of a month: by hour, weekday, boroughs, distance and origin of the record."""

from __future__ import annotations

import calendar
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array, draws, intervals
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.model.zones import N_ZONE_IDS, indices
from taxi_pipeline.trips.schema import UNKNOWN_ZONES
from taxi_pipeline.trips.taxi_zones import taxi_zones

MILES_EDGES = (0, 1, 2, 3, 5, 8, 12, 20)

NUMBER = np.int16
"""The type of a part's number: there are five for each trip."""

COLUMNS = (*("hour", "weekday", "pickup_zone", "dropoff_zone", "miles", "partial"),)
"""The features that the parts are told by."""


class Slice(NamedTuple):
    """A way to cut a month into parts.

    Attributes:
        parts: their names, in order.
        part: the number of each trip's part.
    """

    parts: list[str]
    part: Array


def slice_trips(evaluation: pd.DataFrame) -> dict[str, Slice]:
    """The part of each trip, by the name of the slice."""
    miles = [f"{low} to {high} miles" for low, high in pairwise(MILES_EDGES)]
    boroughs = sorted({zone.borough for zone in taxi_zones().values()})
    number = dict(zip(boroughs, range(len(boroughs)), strict=True))
    unknown = taxi_zones()[UNKNOWN_ZONES[0]]
    borough = np.array(
        [number[taxi_zones().get(zone, unknown).borough] for zone in range(N_ZONE_IDS)]
    )
    pickup, dropoff = (
        borough[indices(evaluation[f"{end}_zone"])].astype(NUMBER) for end in ("pickup", "dropoff")
    )
    return {
        "hour": Slice([str(hour) for hour in range(24)], _integers(evaluation["hour"])),
        "weekday": Slice(list(calendar.day_name), _integers(evaluation["weekday"])),
        "borough_pair": Slice(
            [f"{start} to {end}" for start in boroughs for end in boroughs],
            pickup * len(boroughs) + dropoff,
        ),
        "miles": Slice(
            [*miles, f"over {MILES_EDGES[-1]} miles", "unknown"],
            # NaN is sorted behind infinity.
            np.searchsorted((*MILES_EDGES[1:], np.inf), evaluation["miles"].to_numpy()).astype(
                NUMBER
            ),
        ),
        "origin": Slice(["full record", "partial record"], _integers(evaluation["partial"])),
    }


def slices(
    evaluation: pd.DataFrame, actual: Minutes, predicted: Minutes, days: Array
) -> pd.DataFrame:
    """The errors of each part of the evaluation month that has trips, one row a part.

    Returns:
        ``slice``, ``value`` (the part's name), ``rows``, ``days`` (on which it has trips), then
        ``rmse``, ``mae`` and ``bias`` in minutes, each with the ends of its 95 % interval, which
        are null where there are too few days.
    """
    error = predicted - actual
    terms = (None, np.square(error), np.abs(error), error)
    found = [
        _of_slice(name, sliced, terms, days) for name, sliced in slice_trips(evaluation).items()
    ]
    return pd.concat(found, ignore_index=True)


def _of_slice(
    name: str, sliced: Slice, terms: tuple[Array | None, ...], days: Array
) -> pd.DataFrame:
    number = int(days.max()) + 1
    place = sliced.part * number + days
    shape = (len(sliced.parts), number)
    sums = np.array(
        [np.bincount(place, term, shape[0] * shape[1]).reshape(shape) for term in terms]
    )
    there = sums[0].sum(axis=1) > 0
    sums = sums[:, there]
    with_trips = (sums[0] > 0).sum(axis=1)
    columns = {
        "slice": name,
        "value": [part for part, has_trips in zip(sliced.parts, there, strict=True) if has_trips],
        "rows": sums[0].sum(axis=1).astype(np.int64),
        "days": with_trips,
    }
    replicates = _figures(sums @ draws(number))
    for figure, value in _figures(sums.sum(axis=2)).items():
        columns[figure] = value
        low, high = intervals(replicates[figure], with_trips)
        columns |= {f"{figure}_low": low, f"{figure}_high": high}
    return pd.DataFrame(columns)


def _figures(sums: Array) -> dict[str, Array]:
    """The figures that follow from sums over trips; NaN where there are none."""
    trips, square, absolute, error = sums
    some = np.where(trips > 0, trips, np.nan)
    return {"rmse": np.sqrt(square / some), "mae": absolute / some, "bias": error / some}


def _integers(column: pd.Series[float]) -> Array:
    return column.to_numpy().astype(NUMBER)
