"""How far predictions are off, by hour, by distance and by zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array
from taxi_pipeline.evaluation.slices import Slice, slice_trips
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.model.zones import indices
from taxi_pipeline.trips.taxi_zones import TaxiZone, taxi_zones

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""The quantiles of the residuals that are looked at."""

MIN_ZONE_TRIPS = 50
"""A zone with fewer trips in the month is not listed: its mean error says little."""


@dataclass(frozen=True)
class ZoneError:
    """The errors of the trips that begin, or end, in a zone.

    Attributes:
        number: TLC's.
        zone: the zone.
        trips: its trips.
        mae: mean absolute error, minutes.
        bias: mean of predicted less actual, minutes.
    """

    number: int
    zone: TaxiZone
    trips: int
    mae: float
    bias: float


def residual_bands(features: pd.DataFrame, residuals: Minutes, name: str) -> pd.DataFrame:
    """Quantiles of the residuals (predicted less actual minutes) in the parts of a slice.

    Args:
        features: by which the parts are told.
        residuals: of the same trips.
        name: of the slice, see :func:`taxi_pipeline.evaluation.slices.slice_trips`.

    Returns:
        A row for each part that has trips, in order: ``value`` (its name), ``rows``, and a column
        for each of :data:`SHARES`.
    """
    sliced: Slice = slice_trips(features)[name]
    grouped = pd.Series(residuals).groupby(sliced.part)
    found = pd.DataFrame({share: grouped.quantile(share) for share in SHARES})
    found.insert(0, "rows", grouped.size())
    found.insert(0, "value", [sliced.parts[part] for part in found.index])
    return found.reset_index(drop=True)


def zone_errors(zones: pd.Series[float], residuals: Minutes) -> list[ZoneError]:
    """The errors by zone, the largest mean absolute error first.

    Args:
        zones: of each trip.
        residuals: predicted less actual minutes of the same trips.
    """
    number: Array = indices(zones)
    trips = np.bincount(number)
    absolute, signed = (np.bincount(number, term) for term in (np.abs(residuals), residuals))
    found = [
        ZoneError(
            int(one),
            taxi_zones()[int(one)],
            int(trips[one]),
            float(absolute[one] / trips[one]),
            float(signed[one] / trips[one]),
        )
        for one in np.flatnonzero(trips >= MIN_ZONE_TRIPS)
        if int(one) in taxi_zones()
    ]
    return sorted(found, key=lambda zone: -zone.mae)
