"""How sure a figure is: intervals by resampling the days of pickup.

Trips of a day share its weather and its traffic, so their errors are not independent. Whole days
are drawn with replacement, not trips (the cluster bootstrap: Efron and Tibshirani, 1993, chapter 8;
Cameron and Miller, 2015). A replicate is a count for each day, and its figures follow from sums by
day: what a replicate costs does not depend on the number of trips.

A bootstrap of few days is too narrow. The percentiles are therefore taken further out, by Student's
distribution for the number of days (the expanded percentile interval: Hesterberg, 2015).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxi_pipeline.month import Month

Array = NDArray[Any]

LEVEL = 0.95
"""The share of months in which an interval is meant to hold the true figure."""

REPLICATES = 2000

MIN_DAYS = 4
"""With fewer days there is no interval: the spread of so few says next to nothing."""

WEEK = 7

SEED = 20210201
"""Every evaluation draws alike, so that the same predictions have the same intervals."""


def day_numbers(pickup_at: Array, month: Month) -> Array:
    """The day of each pickup: 0 for the month's first day that has any, 1 for the next, and so on.

    Published files hold a few pickups outside of their month: these count to the day of the same
    weekday in its first or last week.
    """
    first, end = (np.datetime64(time, "D") for time in (month.start, month.end))
    length = (end - first).astype(np.int64)
    day = (pickup_at.astype("datetime64[D]") - first).astype(np.int64)
    day = np.where(day < 0, day % WEEK, day)
    day = np.where(day >= length, length - WEEK + (day - length) % WEEK, day)
    has_trips = np.bincount(day) > 0
    found: Array = (np.cumsum(has_trips) - 1)[day]
    return found


def sums_by_day(days: Array, *terms: Array | None) -> Array:
    """Sums of terms over the trips of each day; None stands for 1 and so counts the trips.

    Returns:
        A row for each term, a column for each day.
    """
    number = int(days.max()) + 1 if len(days) else 0
    return np.array([np.bincount(days, term, number) for term in terms], dtype=np.float64)


@functools.lru_cache(maxsize=64)
def draws(days: int) -> Array:
    """How often each day counts in each replicate: ``days`` x ``REPLICATES``."""
    generator = np.random.default_rng(SEED)
    counts = generator.multinomial(days, np.full(days, 1 / days), REPLICATES)
    return np.ascontiguousarray(counts.T, dtype=np.float64)


def intervals(replicates: Array, days: Array | int) -> tuple[Array, Array]:
    """The lower and upper ends of the intervals of figures.

    Args:
        replicates: each figure in each replicate, along the last axis; NaN where a replicate has no
            trips to measure.
        days: the number of days that each figure was measured on.

    Returns:
        Both ends for each figure; NaN where there are fewer than ``MIN_DAYS`` days.
    """
    from scipy.special import ndtr, stdtrit

    ordered = np.sort(replicates, axis=-1)  # NaN comes last
    last = np.isfinite(ordered).sum(axis=-1) - 1
    days = np.asarray(days)
    enough = (days >= MIN_DAYS) & (last >= 0)
    number = np.maximum(days, MIN_DAYS)
    distance = stdtrit(number - 1, (1 + LEVEL) / 2) * np.sqrt(number / (number - 1))
    tail = ndtr(-distance)
    ends = []
    for rank in (np.floor(tail * last), np.ceil((1 - tail) * last)):
        place = np.expand_dims(np.maximum(rank, 0).astype(np.int64), -1)
        end = np.take_along_axis(ordered, place, axis=-1)[..., 0]
        ends.append(np.where(enough, end, np.nan))
    return ends[0], ends[1]
