"""How sure a figure is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.evaluation import bootstrap
from taxi_pipeline.evaluation.bootstrap import (
    MIN_DAYS,
    REPLICATES,
    day_numbers,
    draws,
    intervals,
    sums_by_day,
)
from taxi_pipeline.evaluation.comparison import compare
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.month import Month

brief = settings(max_examples=60)


def test_days_are_numbered_in_order_and_without_gaps():
    pickups = ["2021-02-03T10:00", "2021-02-02T23:59", "2021-02-27T00:00", "2021-02-03T00:00"]
    assert day_numbers(np.array(pickups, "datetime64[us]"), Month(2021, 2)).tolist() == [1, 0, 2, 1]


def test_stray_pickups_count_to_a_day_of_the_same_weekday_in_the_nearest_week():
    of_the_month = [f"2021-02-{day:02d}" for day in range(1, 29)]
    strays = ["2008-12-31", "2021-01-31", "2021-03-01", "2021-03-14"]
    pickups = np.array([*of_the_month, *strays], "datetime64[us]")
    assert day_numbers(pickups, Month(2021, 2)).tolist()[28:] == [2, 6, 21, 27]


def test_sums_by_day_are_those_of_the_days_trips():
    sums = sums_by_day(np.array([1, 0, 1]), None, np.array([2.0, 3.0, 5.0]))
    assert sums.tolist() == [[1, 2], [3, 7]]


@pytest.mark.parametrize("days", [1, 4, 31])
def test_a_replicate_draws_as_many_days_as_there_are_and_each_equally_often(days):
    counts = draws(days)
    assert counts.shape == (days, REPLICATES)
    assert (counts.sum(axis=0) == days).all()
    assert counts.mean(axis=1) == pytest.approx(np.ones(days), abs=0.1)


def test_the_same_days_are_drawn_every_time():
    first = draws(28)
    bootstrap.draws.cache_clear()
    assert (draws(28) == first).all()


def test_the_ends_of_an_interval_are_percentiles_further_out_the_fewer_days_there_are():
    values = np.arange(2000.0)
    (many,), (few,) = (np.array(intervals(values[None], days)).T for days in (10_000, 8))
    assert many == pytest.approx([0.025 * 1999, 0.975 * 1999], abs=2)
    # Student's t for 7 degrees of freedom is 2.365; times sqrt(8 / 7) it is 2.528: 0.57 %.
    assert few == pytest.approx([0.0057 * 1999, 0.9943 * 1999], abs=2)


def test_too_few_days_have_no_interval():
    low, high = intervals(np.ones((2, 10)), np.array([MIN_DAYS - 1, MIN_DAYS]))
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == (1, 1)


def test_replicates_without_trips_are_left_out():
    low, high = intervals(np.array([[np.nan, 3.0, 3.0], [np.nan] * 3]), np.array([9, 9]))
    assert (low[0], high[0]) == (3, 3)
    assert np.isnan([low[1], high[1]]).all()


@brief
@given(st.lists(st.floats(-30, 30), min_size=MIN_DAYS, max_size=31))
def test_the_interval_of_a_mean_holds_the_mean_of_the_month(of_days):
    days = np.arange(len(of_days))
    trips, total = sums_by_day(days, None, np.array(of_days)) @ draws(len(days))
    (low,), (high,) = intervals((total / trips)[None], len(days))
    assert low - 1e-9 <= np.mean(of_days) <= high + 1e-9


def test_days_that_differ_make_a_wider_interval_than_trips_alone_would(simulate):
    actual, predicted, days = simulate(np.random.default_rng(1), of_day=3.0)
    every_trip_by_itself = np.arange(len(days))
    width = {
        name: figures["bias_high"] - figures["bias_low"]
        for name, figures in {
            "days": metrics_with_intervals(actual, predicted, days),
            "trips": metrics_with_intervals(actual, predicted, every_trip_by_itself),
        }.items()
    }
    assert width["days"] > 2 * width["trips"]


MONTHS = 200


@pytest.mark.slow
@pytest.mark.parametrize("days", [28, 8])
def test_about_95_of_100_months_have_intervals_that_hold_the_true_figure(simulate, days):
    truth = {
        "rmse": np.sqrt(2.0**2 + 4.0**2),
        "mae": np.sqrt((2.0**2 + 4.0**2) * 2 / np.pi),
        "median_abs_error": 0.67449 * np.sqrt(2.0**2 + 4.0**2),
        "p90_abs_error": 1.64485 * np.sqrt(2.0**2 + 4.0**2),
        "bias": 0.0,
    }
    generator = np.random.default_rng(5)
    held = dict.fromkeys(truth, 0)
    for _ in range(MONTHS):
        figures = metrics_with_intervals(*simulate(generator, days=days))
        for name, value in truth.items():
            held[name] += figures[f"{name}_low"] <= value <= figures[f"{name}_high"]
    for name, number in held.items():
        assert 0.85 <= number / MONTHS <= 0.99, (name, number / MONTHS)


@pytest.mark.slow
def test_equal_predictors_are_told_apart_in_about_5_of_100_months(simulate):
    generator = np.random.default_rng(7)
    told_apart = 0
    for _ in range(MONTHS):
        actual, first, days = simulate(generator)
        second = 2 * actual - first + generator.normal(0, 0.5, len(days))
        first = first + generator.normal(0, 0.5, len(days))
        low, high = compare(actual, first, second, days)["rmse"].interval
        told_apart += not low <= 0 <= high
    assert 0.01 <= told_apart / MONTHS <= 0.15
