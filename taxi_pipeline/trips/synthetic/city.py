"""The city of the synthetic trips: its zones and boroughs, how far, how fast and how popular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from taxi_pipeline.trips import TAXIS

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


class Borough(NamedTuple):
    """A cluster of zones, roughly in the shape and place of New York's."""

    zones: int
    centre: tuple[float, float]
    """Miles east and north of the middle of the first borough."""
    spread: tuple[float, float]
    """Standard deviation of its zones' places, in miles east and north."""
    within: float
    """Mean miles of a trip inside one of its zones."""
    speed: float
    """Speed relative to the city's."""
    jams: float
    """How strongly the hour of the week is felt: the power of its factor."""
    green: float
    """Its share of the metered pickups of green taxis."""
    yellow: float
    """Its share of the metered pickups of yellow taxis."""


# Set so that lengths, speeds and the errors of simple models agree with the measured ones.
BOROUGHS = (
    Borough(69, (0.0, 0.0), (0.9, 3.4), 0.5, 0.88, 1.3, 0.46, 0.90),
    Borough(69, (7.5, -1.5), (3.2, 2.8), 0.9, 1.10, 0.9, 0.24, 0.07),
    Borough(61, (3.0, -7.5), (2.4, 2.6), 0.8, 0.95, 1.0, 0.20, 0.02),
    Borough(43, (3.0, 8.5), (1.9, 1.7), 0.8, 1.05, 0.8, 0.09, 0.007),
    Borough(21, (-8.0, -13.0), (2.6, 2.6), 1.3, 1.30, 0.5, 0.01, 0.003),
)

N_ZONES = sum(borough.zones for borough in BOROUGHS)
"""Zones of the city, with ids from 1; arrays by zone are indexed by id - 1."""

SPEED = 9.8
"""Speed of a trip of one mile at a usual hour."""

LENGTH_POWER = 0.33
"""How speed grows with length: the trips of 20 miles are three times as fast (measured)."""

CIRCUITY, CIRCUITY_SPREAD = 1.25, 0.15
"""Road miles for a mile in the plane: the median, and the spread of its logarithm by pair."""

ZONE_SPREAD = 0.12
"""Spread of the logarithm of the zones' own speeds."""

ZIPF = 1.15
"""Power of the rank by which the popularity of a borough's zones falls."""

GRAVITY = 2.8
"""Power of the distance by which the wish to go somewhere falls."""

NEAR = 0.15
"""How much less than their nearness tells people take a taxi within a zone."""

ATTRACTION = 0.9
"""Power of a zone's popularity with which it attracts trips."""

# Measured, and smoothed where nights have few trips; weekends are faster by day.
_SPEED_BY_HOUR = (
    *(1.24, 1.27, 1.30, 1.36, 1.40, 1.40, 1.25, 1.03, 0.95, 0.99, 1.01, 1.01),
    *(0.98, 0.94, 0.87, 0.86, 0.86, 0.87, 0.94, 1.00, 1.06, 1.10, 1.14, 1.19),
)
_WEEKEND = (
    *(1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.04, 1.12, 1.16, 1.14, 1.10, 1.08),
    *(1.08, 1.08, 1.12, 1.12, 1.12, 1.10, 1.06, 1.02, 1.00, 0.98, 0.96, 0.96),
)


@dataclass(frozen=True)
class City:
    """What stays the same from month to month and for every taxi.

    Attributes:
        borough: the index in `BOROUGHS` of each zone, shape (zones,).
        miles: road miles from zone to zone, symmetric, 0 within a zone, shape (zones, zones).
        within: mean miles that a trip drives inside the zones where it begins and ends,
            shape (zones,).
        speed: speed of a one-mile trip by zone and hour of the week from Monday 0:00,
            shape (zones, 168).
        pickups: for each taxi the share of its metered pickups by zone, shape (zones,).
        central: whether a zone lies in the southern part of the first borough, where the
            congestion surcharge and fee are due, shape (zones,).
        airport: index of the zone whose pickups pay an airport fee.
    """

    borough: Ints
    miles: Floats
    within: Floats
    speed: Floats
    pickups: dict[str, Floats]
    central: NDArray[np.bool_]
    airport: int

    @classmethod
    def build(cls, seed: int) -> City:
        """The city of a seed."""
        rng = default_rng(SeedSequence([seed]))
        borough = rng.permutation(np.repeat(range(len(BOROUGHS)), [b.zones for b in BOROUGHS]))
        place = rng.normal(_of_borough("centre")[borough], _of_borough("spread")[borough])
        pickups = {taxi: _popularity(borough, _of_borough(taxi), rng) for taxi in TAXIS}
        return cls(
            borough=borough,
            miles=_road_miles(place, rng),
            within=_of_borough("within")[borough].astype(np.float32),
            speed=_speeds(borough, rng),
            pickups=pickups,
            central=(borough == 0) & (place[:, 1] < 0),
            airport=int(np.argmax(pickups["yellow"] * (borough == 1))),
        )


def _road_miles(place: Floats, rng: Generator) -> Floats:
    plane = np.linalg.norm(place[:, None] - place[None, :], axis=2)
    detour = rng.normal(0.0, CIRCUITY_SPREAD, plane.shape)
    both_ways = np.triu(detour) + np.triu(detour, 1).T
    miles: Floats = plane * CIRCUITY * np.exp(both_ways)
    return miles.astype(np.float32)


def _speeds(borough: Ints, rng: Generator) -> Floats:
    week = np.tile(_SPEED_BY_HOUR, (7, 1))
    week[5:] *= _WEEKEND
    usual = SPEED * _of_borough("speed")[borough] * rng.lognormal(0.0, ZONE_SPREAD, N_ZONES)
    speeds: Floats = usual[:, None] * week.ravel() ** _of_borough("jams")[borough][:, None]
    return speeds.astype(np.float32)


def _popularity(borough: Ints, share: Floats, rng: Generator) -> Floats:
    weight = np.empty(N_ZONES)
    for index, part in enumerate(share):
        zones = rng.permutation(np.flatnonzero(borough == index))
        falling = np.arange(1, len(zones) + 1) ** -ZIPF
        weight[zones] = part * falling / falling.sum()
    return weight


def _of_borough(name: str) -> Floats:
    return np.array([getattr(borough, name) for borough in BOROUGHS])
