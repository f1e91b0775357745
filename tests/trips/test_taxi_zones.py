"""Boroughs and names of TLC's zones."""

from collections import Counter

from taxi_pipeline.trips.schema import UNKNOWN_ZONES, ZONE_ID_RANGE
from taxi_pipeline.trips.taxi_zones import taxi_zones


def test_every_zone_that_a_clean_trip_may_have_is_known():
    first, last = ZONE_ID_RANGE
    assert list(taxi_zones()) == list(range(first, last + 1))


def test_zones_have_borough_name_and_service_zone():
    queens = taxi_zones()[132]
    assert (queens.borough, queens.name, queens.service_zone) == (
        "Queens",
        "JFK Airport",
        "Airports",
    )
    assert all(zone.borough and zone.name and zone.service_zone for zone in taxi_zones().values())


def test_boroughs_are_the_five_and_what_is_not_in_the_city():
    boroughs = Counter(zone.borough for zone in taxi_zones().values())
    assert boroughs == {
        "Manhattan": 69,
        "Queens": 69,
        "Brooklyn": 61,
        "Bronx": 43,
        "Staten Island": 20,
        "EWR": 1,
        "Unknown": 1,
        "Outside of NYC": 1,
    }


def test_zones_that_name_no_place_are_told_apart():
    boroughs = [taxi_zones()[zone].borough for zone in UNKNOWN_ZONES]
    assert boroughs == ["Unknown", "Outside of NYC"]
