"""Who orders the trips, and how the records of each population go wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxi_pipeline.month import Month


@dataclass(frozen=True)
class Origin:
    """A population of trips, and how its records go wrong; shares are of its rows.

    Attributes:
        by_hour: demand of each hour of the day, relative.
        by_weekday: demand of each day of the week from Monday, relative.
        evenness: power of the zones' popularity; 1 is that of metered pickups, 0 is even.
        reach: miles beyond which the wish to go somewhere falls with `GRAVITY`.
        overhead: mean minutes before and after the driving.
        complete: whether the meter's columns are recorded, or null together.
        whole_minutes: share of trips whose times are rounded to minutes.
        cancelled: trips that end within a minute.
        waiting: trips that wait on the way for most of an hour or some hours.
        no_distance: zero miles, besides those of the cancelled trips.
        absurd_distance: up to `MAX_MILES`.
        never_stopped: meters that ran on for more than 23 hours.
        reversed: rows that take back the row before.
    """

    by_hour: tuple[float, ...]
    by_weekday: tuple[float, ...]
    evenness: float
    reach: float
    overhead: float
    complete: bool
    whole_minutes: float
    cancelled: float
    waiting: float
    no_distance: float
    absurd_distance: float
    never_stopped: float
    reversed: float


# Measured, except evenness, reach, overhead and waiting: these are set so that the lengths and
# durations of the trips agree with the measured ones.
METERED = Origin(
    by_hour=(
        *(0.30, 0.20, 0.15, 0.10, 0.10, 0.16, 0.40, 0.85, 1.28, 1.47, 1.50, 1.51),
        *(1.55, 1.69, 1.79, 1.96, 2.03, 1.81, 1.64, 1.33, 0.90, 0.63, 0.51, 0.39),
    ),
    by_weekday=(0.92, 0.99, 1.02, 1.05, 1.18, 1.08, 0.76),
    evenness=1.0,
    reach=1.0,
    overhead=1.0,
    complete=True,
    whole_minutes=0.0,
    cancelled=0.035,
    waiting=0.012,
    no_distance=0.025,
    absurd_distance=0.00005,
    never_stopped=0.0025,
    reversed=0.003,
)
DISPATCHED = Origin(
    by_hour=(
        *(0.08, 0.05, 0.03, 0.05, 0.18, 0.40, 0.67, 1.34, 1.89, 2.37, 2.43, 2.18),
        *(2.11, 2.11, 1.84, 1.59, 1.35, 0.97, 0.71, 0.61, 0.43, 0.26, 0.21, 0.13),
    ),
    by_weekday=(1.06, 1.19, 1.22, 1.19, 1.19, 0.64, 0.51),
    evenness=0.45,
    reach=2.6,
    overhead=3.0,
    complete=False,
    whole_minutes=0.98,
    cancelled=0.0005,
    waiting=0.003,
    no_distance=0.014,
    absurd_distance=0.001,
    never_stopped=0.0,
    reversed=0.0001,
)


def dispatched_share(taxi: str, month: Month) -> float:
    """The share of dispatched trips: 5 % of yellow ones; 47 % of green in 2021-01, 6 % in 2023."""
    if taxi == "yellow":
        return 0.05
    years = month.year + (month.month - 1) / 12
    return float(np.interp(years, [2021.0, 2023.0], [0.47, 0.06]))
