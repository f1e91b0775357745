"""Summaries that are added up batch by batch."""

import json
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.month import Month
from taxi_pipeline.trips import cleaning
from taxi_pipeline.trips.quality import QUANTILES, HistogramSummary, QualityReport

EDGES = np.linspace(0, 60, 121)
BIN = EDGES[1] - EDGES[0]

brief = settings(max_examples=60)
inside = st.floats(0, 59.99)
anywhere = st.none() | st.floats(-1e6, 1e6)


def summary(*parts):
    distribution = HistogramSummary(EDGES)
    for part in parts:
        distribution.add(pa.array(part, pa.float64()))
    return distribution.summary()


def report():
    trip = {
        "lpep_pickup_datetime": datetime(2021, 1, 4, 15),  # a Monday
        "lpep_dropoff_datetime": datetime(2021, 1, 4, 15, 12),
        "PULocationID": 74,
        "DOLocationID": 75,
        "trip_distance": 2.5,
        "passenger_count": 1.0,
    }
    dark = {**trip, "passenger_count": None}
    short = {**trip, "lpep_dropoff_datetime": datetime(2021, 1, 4, 15)}
    made = QualityReport()
    for rows in ([trip, dark], [short, dark]):
        table = pa.Table.from_pylist(rows)
        made.add_trips(cleaning.clean(table, "green", Month(2021, 1), cleaning.Rules(), made))
    return made


@brief
@given(st.lists(st.lists(anywhere, max_size=20), max_size=6))
def test_numbers_in_parts_have_the_summary_of_all_at_once(parts):
    whole = summary([value for part in parts for value in part])
    apart = summary(*parts)
    for name, value in whole.items():
        if name in {"mean", "std"}:
            assert apart[name] == pytest.approx(value, rel=1e-6, abs=1e-3)
        else:
            assert apart[name] == value


@brief
@given(st.lists(inside, min_size=1, max_size=200))
def test_count_mean_spread_and_extremes_are_those_of_the_numbers(values):
    figures = summary(values)
    assert figures["count"] == len(values)
    assert figures["mean"] == pytest.approx(np.mean(values), abs=1e-4)
    assert figures["std"] == pytest.approx(np.std(values), abs=1e-3)
    assert (figures["min"], figures["max"]) == (min(values), max(values))


@brief
@given(st.lists(inside, min_size=1, max_size=300))
def test_quantiles_are_within_a_bin_of_the_numbers_around_them(values):
    quantiles = summary(values)["quantiles"]
    for share in QUANTILES:
        below = np.quantile(values, share, method="lower")
        above = np.quantile(values, share, method="higher")
        assert below - BIN - 1e-3 <= quantiles[f"{share:g}"] <= above + BIN + 1e-3


def test_quantiles_of_many_numbers_are_within_a_bin_of_numpys():
    values = np.random.default_rng(0).gamma(3, 5, 20_000).clip(max=59.9)
    quantiles = summary(values)["quantiles"]
    for share in QUANTILES:
        assert quantiles[f"{share:g}"] == pytest.approx(np.quantile(values, share), abs=BIN)


def test_numbers_beyond_the_edges_are_counted_in_the_outermost_bins():
    figures = summary([-5.0, 0.0, 60.0, 1e6])
    assert figures["histogram"]["counts"][0] == 2
    assert figures["histogram"]["counts"][-1] == 2
    assert (figures["min"], figures["max"]) == (-5.0, 1e6)


def test_nulls_are_counted_apart():
    figures = summary([None, 3.0], [None, None])
    assert (figures["count"], figures["nulls"], figures["mean"]) == (1, 3, 3.0)


@pytest.mark.parametrize("parts", [[], [[]], [[None, None]]], ids=["never", "no rows", "nulls"])
def test_nothing_at_all_has_a_summary(parts):
    nulls = sum(len(part) for part in parts)
    assert summary(*parts) == {"count": 0, "nulls": nulls}


@pytest.mark.parametrize("made", [QualityReport(), report()], ids=["empty", "some trips"])
def test_a_report_is_plain_json(made):
    figures = made.as_dict()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_a_report_counts_rows_nulls_and_what_each_rule_dropped():
    figures = report().as_dict()
    assert (figures["rows_read"], figures["rows_kept"]) == (4, 3)
    assert figures["rows_dropped"] == {"incomplete": 0, "duration": 1}
    assert figures["null_shares"]["passenger_count"] == 0.5
    assert figures["null_shares"]["trip_distance"] == 0


def test_a_report_describes_the_trips_that_were_kept():
    distributions = report().as_dict()["distributions"]
    assert {name: figures["count"] for name, figures in distributions.items()} == {
        "minutes": 3,
        "metered_miles": 3,
        "passengers": 1,
        "hour": 3,
        "weekday": 3,
        "pickup_zone": 3,
        "dropoff_zone": 3,
    }
    assert distributions["passengers"]["nulls"] == 2
    assert distributions["hour"]["histogram"]["counts"][15] == 3
    assert distributions["weekday"]["histogram"]["counts"][0] == 3
    assert distributions["pickup_zone"]["histogram"]["counts"][74 - 1] == 3
    assert distributions["minutes"]["mean"] == 12
