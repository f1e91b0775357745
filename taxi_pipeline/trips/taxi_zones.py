"""TLC's taxi zones: the borough and the name of each.

The file beside this module is TLC's Taxi Zone Lookup Table as published, see
https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("taxi_zone_lookup.csv")

OUTSIDE, NOT_GIVEN = "Outside of NYC", "N/A"


@dataclass(frozen=True)
class TaxiZone:
    """A zone of TLC's.

    Attributes:
        borough: such as ``Queens``; ``EWR`` for Newark Airport, ``Unknown`` for zone 264 and
            ``Outside of NYC`` for zone 265.
        name: such as ``Jamaica Bay``.
        service_zone: ``Yellow Zone``, ``Boro Zone``, ``Airports``, ``EWR`` or ``N/A``.
    """

    borough: str
    name: str
    service_zone: str


@functools.cache
def taxi_zones() -> Mapping[int, TaxiZone]:
    """The zones by their ids, 1 to 265."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return {int(row["LocationID"]): _zone(row) for row in csv.DictReader(file)}


def _zone(row: Mapping[str, str]) -> TaxiZone:
    borough = row["Borough"]
    return TaxiZone(OUTSIDE if borough == NOT_GIVEN else borough, row["Zone"], row["service_zone"])
