"""Trips as they are driven, and the few whose records are spoilt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from taxi_pipeline.month import Month
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.synthetic.city import (
    ATTRACTION,
    GRAVITY,
    LENGTH_POWER,
    N_ZONES,
    NEAR,
    City,
    Floats,
    Ints,
)
from taxi_pipeline.trips.synthetic.populations import Origin

UNKNOWN_ZONE, OUTSIDE_ZONE = schema.UNKNOWN_ZONES

MAX_MILES = 244_152.01
"""The greatest distance ever published (green, 2021-01)."""

HOUR, DAY = 3_600, 86_400
"""Seconds of an hour and of a day."""

# What every population shares. No negative duration was measured; other files have a few.
_OTHER_MONTH, _NEGATIVE, _UNKNOWN, _OUTSIDE = 0.0002, 0.0001, 0.006, 0.004
_AT_ONCE = 0.03  # of the cancelled trips: begun and ended in the same second
_CLOCK_RESET = int(np.datetime64("2009-01-01", "s").astype(np.int64))

_DISTANCE_SPREAD, _DURATION_SPREAD = 0.12, 0.24  # of the logarithms, trip by trip


@dataclass(frozen=True)
class Stream:
    """All trips of one population in one month, as distributions to draw from."""

    city: City
    taxi: str
    month: Month
    origin: Origin
    demand: Floats
    """Share of the month's trips before each of its hours and before its end, from 0 to 1."""
    pairs: Floats
    """Share of trips up to each ordered pair of zones, in the order of the raveled matrix."""

    @classmethod
    def of(cls, city: City, taxi: str, month: Month, origin: Origin) -> Stream:
        """The trips of a population in a month."""
        hours = np.arange((month.end - month.start).days * 24)
        weekday = (month.start.weekday() + hours // 24) % 7
        demand = np.array(origin.by_hour)[hours % 24] * np.array(origin.by_weekday)[weekday]
        wish = sum(city.pickups.values()) ** ATTRACTION / (1 + city.miles / origin.reach) ** GRAVITY
        wish[np.diag_indices(N_ZONES)] *= NEAR
        wish /= wish.sum(axis=1, keepdims=True)
        pairs = city.pickups[taxi][:, None] ** origin.evenness * wish
        return cls(
            city,
            taxi,
            month,
            origin,
            demand=np.concatenate([[0.0], _cumulative(demand)]),
            pairs=_cumulative(pairs),
        )


def _cumulative(weights: Floats) -> Floats:
    """The share of all weight up to each element, flattened; the last is exactly 1."""
    total: Floats = np.cumsum(weights)
    shares: Floats = total / total[-1]
    return shares


@dataclass
class Trips:
    """Trips as columns of equal length, as the records say, right or wrong."""

    pickup: Ints
    seconds: Ints
    """From pickup to dropoff."""
    start: Ints
    """Zone id of the pickup."""
    end: Ints
    """Zone id of the dropoff."""
    miles: Floats


def drive(stream: Stream, rng: Generator, rows: int, part: tuple[float, float]) -> Trips:
    """Trips as they happen, in the order of their pickups.

    Args:
        stream: the population and the month.
        rng: the source of chance.
        rows: how many trips.
        part: which part of the month's demand they cover, as shares from 0 to 1.
    """
    city, origin = stream.city, stream.origin
    when = np.sort(rng.uniform(*part, rows))
    hours = np.interp(when, stream.demand, np.arange(len(stream.demand)))
    pickup = epoch(stream.month) + (hours * HOUR).astype(np.int64)
    start, end = np.divmod(np.searchsorted(stream.pairs, rng.random(rows)), N_ZONES)
    cancelled = some(rng, rows, origin.cancelled)
    end[cancelled] = start[cancelled]

    miles = city.miles[start, end] * noise(rng, rows, _DISTANCE_SPREAD)
    miles += (city.within[start] + city.within[end]) * rng.standard_gamma(2.0, rows, np.float32) / 4

    hour = hour_of_week(pickup)
    speed = np.sqrt(city.speed[start, hour] * city.speed[end, hour])
    minutes = origin.overhead + 60 * miles ** (1 - LENGTH_POWER) / speed
    minutes *= noise(rng, rows, _DURATION_SPREAD)
    waiting = some(rng, rows, origin.waiting)
    minutes[waiting] += rng.uniform(40, 180, len(waiting))
    seconds = (minutes * 60).astype(np.int64)

    miles[cancelled] = rng.choice([0.0, 0.0, 0.0, 0.01, 0.1], len(cancelled))
    seconds[cancelled] = rng.integers(1, 60, len(cancelled))
    return Trips(pickup, seconds, start + 1, end + 1, miles.astype(np.float64))


def misrecord(trips: Trips, stream: Stream, rng: Generator) -> None:
    """Spoil a few records, and round the times of the population that rounds them."""
    origin, rows = stream.origin, len(trips.pickup)
    rounded = rng.random(rows) < origin.whole_minutes
    trips.pickup[rounded] -= trips.pickup[rounded] % 60
    trips.seconds[rounded] -= trips.seconds[rounded] % 60

    trips.miles[some(rng, rows, origin.no_distance)] = 0.0
    absurd = some(rng, rows, origin.absurd_distance)
    trips.miles[absurd] = MAX_MILES ** rng.uniform(0.4, 1.0, len(absurd))

    running = some(rng, rows, origin.never_stopped)
    trips.seconds[running] = rng.integers(23 * HOUR, DAY, len(running))
    trips.seconds[some(rng, rows, origin.cancelled * _AT_ONCE)] = 0
    negative = some(rng, rows, _NEGATIVE)
    trips.seconds[negative] = -rng.integers(1, HOUR, len(negative))

    unknown = some(rng, rows, _UNKNOWN)
    trips.end[unknown] = UNKNOWN_ZONE
    trips.start[unknown[::2]] = UNKNOWN_ZONE
    outside = some(rng, rows, _OUTSIDE)
    trips.end[outside] = OUTSIDE_ZONE
    trips.start[outside[::3]] = OUTSIDE_ZONE

    strays = some(rng, rows, _OTHER_MONTH)
    reset, late, early = strays[::3], strays[1::3], strays[2::3]
    trips.pickup[reset] = _CLOCK_RESET + rng.integers(0, DAY, len(reset))
    trips.pickup[late] = epoch(stream.month + 1) + rng.integers(0, 8 * HOUR, len(late))
    trips.pickup[early] = epoch(stream.month) - rng.integers(1, 7 * DAY, len(early))


def epoch(month: Month) -> int:
    """Seconds from 1970 to the start of a month."""
    return int(np.datetime64(month.start, "s").astype(np.int64))


def hour_of_week(seconds: Ints) -> Ints:
    """Hours since Monday 0:00 of times since 1970, which began on a Thursday."""
    return (seconds // HOUR + 3 * 24) % (7 * 24)


def some(rng: Generator, rows: int, share: float) -> Ints:
    """The indices of about this share of the rows, in no order."""
    return rng.integers(0, rows, rng.binomial(rows, share))


def noise(rng: Generator, rows: int, spread: float) -> Floats:
    """Factors around 1 whose logarithm has this standard deviation, shape (rows,)."""
    factors: Floats = np.exp(rng.standard_normal(rows, np.float32) * np.float32(spread))
    return factors
