"""Two predictions of the same trips: which is better, and whether that is more than noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxi_pipeline.evaluation.bootstrap import Array, draws, intervals, sums_by_day
from taxi_pipeline.model.regressors import Minutes


@dataclass(frozen=True)
class Difference:
    """By how much a figure of the first prediction is above that of the second.

    Attributes:
        value: minutes; below 0 the first is better.
        interval: both ends of the 95 % interval; None if there are too few days for one.
        share_better: the share of the replicates in which the first is better.
    """

    value: float
    interval: tuple[float, float] | None
    share_better: float


def compare(actual: Minutes, first: Minutes, second: Minutes, days: Array) -> dict[str, Difference]:
    """The differences of ``rmse`` and ``mae`` of two predictions.

    Both are measured in the same replicates, so that what makes a day hard for both of them is no
    part of the interval: that of a difference is far narrower than those of the two figures.

    Args:
        actual: minutes.
        first: predicted minutes.
        second: likewise, of the same trips.
        days: as of :func:`taxi_pipeline.evaluation.bootstrap.day_numbers`.
    """
    errors = (first - actual, second - actual)
    terms = [term for error in errors for term in (np.square(error), np.abs(error))]
    sums = sums_by_day(days, None, *terms)
    number = sums.shape[1]
    values = _differences(sums.sum(axis=1))
    replicates = _differences(sums @ draws(number))
    lows, highs = intervals(replicates, number)
    return {
        name: Difference(
            value=float(value),
            interval=(float(low), float(high)) if np.isfinite(low) else None,
            share_better=float((drawn < 0).mean()),
        )
        for name, value, low, high, drawn in zip(
            ("rmse", "mae"), values, lows, highs, replicates, strict=True
        )
    }


def _differences(sums: Array) -> Array:
    """The first's RMSE and mean absolute error, less the second's."""
    trips, square, absolute, second_square, second_absolute = sums
    return np.array(
        [
            np.sqrt(square / trips) - np.sqrt(second_square / trips),
            absolute / trips - second_absolute / trips,
        ]
    )
