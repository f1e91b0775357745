"""How far predictions are off by hour, distance and zone."""

import numpy as np
import pandas as pd
import pytest

from taxi_pipeline.evaluation.residuals import (
    MIN_ZONE_TRIPS,
    SHARES,
    residual_bands,
    zone_errors,
)


@pytest.fixture
def residuals(january):
    return np.random.default_rng(1).normal(0.5, 3, len(january))


def test_the_bands_of_an_hour_are_quantiles_of_its_residuals(january, residuals):
    bands = residual_bands(january, residuals, "hour")
    assert bands["rows"].sum() == len(january)
    for band in bands.to_dict("records"):
        of_hour = residuals[january["hour"].to_numpy() == int(band["value"])]
        expected = np.quantile(of_hour, SHARES)
        np.testing.assert_allclose([band[share] for share in SHARES], expected)


def test_parts_without_trips_have_no_band_and_the_others_stay_in_order(january, residuals):
    near = (january["miles"] < 3).to_numpy()
    bands = residual_bands(january[near], residuals[near], "miles")
    assert list(bands["value"]) == ["0 to 1 miles", "1 to 2 miles", "2 to 3 miles"]


def test_zones_come_with_name_trips_and_errors_the_largest_first():
    trips = MIN_ZONE_TRIPS
    zones = pd.Series([74] * trips + [132] * trips)
    residuals = np.array([-1.0, 3.0] * (trips // 2) + [6.0] * trips)
    airport, harlem = zone_errors(zones, residuals)
    assert (airport.zone.name, airport.number, airport.mae, airport.bias) == (
        *("JFK Airport", 132),
        *(6.0, 6.0),
    )
    assert (harlem.zone.borough, harlem.trips, harlem.mae, harlem.bias) == (
        *("Manhattan", trips),
        *(2.0, 1.0),
    )


def test_zones_of_few_trips_and_numbers_that_are_no_zones_are_told_of_no_wrong_zone():
    few = MIN_ZONE_TRIPS - 1
    assert zone_errors(pd.Series([74] * few), np.ones(few)) == []
    (unknown,) = zone_errors(pd.Series([999] * MIN_ZONE_TRIPS), np.ones(MIN_ZONE_TRIPS))
    assert unknown.number == 264
