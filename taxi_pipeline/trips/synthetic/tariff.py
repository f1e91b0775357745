"""How trips are paid: TLC's fares, surcharges and fees."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.city import Floats
from taxi_pipeline.trips.synthetic.driving import Stream, Trips, hour_of_week, noise

NEW_TARIFF = Month(2023, 1)
"""The first whole month of the tariff that came into force on 2022-12-19."""


class Tariff(NamedTuple):
    """What a meter counts (TLC's taxi fare), in dollars."""

    at_start: float
    unit: float
    """For a fifth of a mile, or for a minute below 12 miles an hour."""
    rush: float
    """Extra on weekdays from 16:00 to 20:00."""
    night: float
    """Extra from 20:00 to 6:00."""
    improvement: float


_OLD_TARIFF = Tariff(2.50, 0.50, 1.00, 0.50, 0.30)
_NEW_TARIFF = Tariff(3.00, 0.70, 2.50, 1.00, 1.00)
_CONGESTION = {"green": 2.75, "yellow": 2.50}
_AIRPORT, _CBD, _MTA, _TOLL = 1.25, 0.75, 0.50, 6.55
_TIP_SPREAD = 0.4  # of the logarithm of a tip's share of the fare
_TOLLED = 0.3  # of the trips between boroughs

# One of these is drawn for each row: the measured shares, in thousandths.
_PAYMENTS = np.repeat([1, 2, 3, 4], [604, 387, 7, 2])
_RATES = np.repeat([1, 5], [966, 34])
_CARD, DISPUTE, _NEGOTIATED = 1, 4, 5


def payments(trips: Trips, stream: Stream, rng: Generator) -> dict[str, NDArray[Any]]:
    """How each trip is paid and what for: the columns of the fare, without the total."""
    city, rows = stream.city, len(trips.pickup)
    tariff = _NEW_TARIFF if stream.month >= NEW_TARIFF else _OLD_TARIFF
    start, end = trips.start - 1, trips.end - 1
    rate, payment = rng.choice(_RATES, rows), rng.choice(_PAYMENTS, rows)
    negotiated = rate == _NEGOTIATED
    metered = ~negotiated & stream.origin.complete

    units = np.ceil(np.maximum(5 * trips.miles, trips.seconds / 60))
    fare = tariff.at_start + tariff.unit * units
    fare[negotiated] = np.ceil(fare[negotiated])
    tip = fare * np.where(payment == _CARD, 0.2, 0.0) * noise(rng, rows, _TIP_SPREAD)
    tolled = (city.borough[start] != city.borough[end]) & (rng.random(rows) < _TOLLED)
    central = city.central[start] | city.central[end]
    return {
        "RatecodeID": rate,
        "trip_type": np.where(negotiated, 2, 1),
        "payment_type": payment,
        "fare_amount": fare,
        "extra": _extras(tariff)[hour_of_week(trips.pickup)] * metered,
        "mta_tax": _MTA * metered,
        "tip_amount": tip,
        "tolls_amount": _TOLL * tolled,
        "improvement_surcharge": np.full(rows, tariff.improvement),
        "congestion_surcharge": _CONGESTION[stream.taxi] * central,
        "airport_fee": _AIRPORT * (start == city.airport),
        "cbd_congestion_fee": _CBD * central,
    }


def _extras(tariff: Tariff) -> Floats:
    """The extra of each hour of the week, shape (168,)."""
    week = np.zeros((7, 24))
    week[:5, 16:20] = tariff.rush
    week[:, 20:] = week[:, :6] = tariff.night
    return week.ravel()
