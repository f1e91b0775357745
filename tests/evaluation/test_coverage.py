"""How many trips lie within their intervals, and how long these are."""

import numpy as np
import pytest

from taxi_pipeline.evaluation.coverage import (
    LEVEL,
    LEVELS,
    MIN_SLICE_TRIPS,
    judged_slices,
    measure_coverage,
)
from taxi_pipeline.evaluation.slices import slice_trips
from taxi_pipeline.model.intervals import Intervals, Spread


@pytest.fixture(scope="module")
def intervals():
    """Of 90 %: from 9 minutes below the prediction to 18 above."""
    scores = np.concatenate([np.linspace(-10, 0, 100), np.linspace(0.2, 20, 99)])
    return Intervals(Spread(np.array([0.0]), np.array([1.0]), {}), scores)


@pytest.fixture(scope="module")
def actual(january):
    return january["minutes"].to_numpy()


@pytest.fixture(scope="module")
def found(intervals, january, predicted, actual):
    return measure_coverage(intervals, january, predicted, actual, learned_bias=0.5)


def test_shares_within_below_and_above_make_a_whole(found, intervals, predicted, actual):
    below, above = intervals.quantiles(LEVEL)
    error = actual - predicted
    assert found["coverage"] == pytest.approx(np.mean((below <= error) & (error <= above)))
    assert found["below"] == pytest.approx(np.mean(error < below))
    assert found["coverage"] + found["below"] + found["above"] == pytest.approx(1)
    assert found["rows"] == len(actual)


def test_the_width_is_the_mean_length_in_minutes(found, intervals, predicted):
    below, above = intervals.quantiles(LEVEL)
    low = np.maximum(predicted + below, np.minimum(predicted, 0))
    assert found["width"] == pytest.approx(np.mean(predicted + above - low))


def test_higher_levels_hold_more_trips_with_longer_intervals(found):
    assert [one["level"] for one in found["levels"]] == list(LEVELS)
    for name in ("coverage", "width"):
        values = [one[name] for one in found["levels"]]
        assert values == sorted(values)
    at_level = next(one for one in found["levels"] if one["level"] == LEVEL)
    assert (at_level["coverage"], at_level["width"]) == (found["coverage"], found["width"])


def test_each_way_to_cut_the_month_adds_up_to_the_whole(found, january):
    for name in slice_trips(january):
        parts = [one for one in found["slices"] if one["slice"] == name]
        assert sum(one["rows"] for one in parts) == found["rows"]
        for figure in ("coverage", "width"):
            whole = sum(one["rows"] * one[figure] for one in parts) / found["rows"]
            assert whole == pytest.approx(found[figure])


def test_the_shift_is_the_move_of_the_bias_in_expected_errors(found, predicted, actual):
    bias = np.mean(predicted - actual)
    assert found["bias"] == pytest.approx(bias)
    assert found["shift"] == pytest.approx(bias - 0.5)  # an error of a minute is expected


@pytest.mark.parametrize(
    ("rows", "coverage", "judged"),
    [
        (MIN_SLICE_TRIPS, 0.5, []),
        (MIN_SLICE_TRIPS + 1, 0.5, [False]),
        (MIN_SLICE_TRIPS + 1, 0.80, [True]),
        (MIN_SLICE_TRIPS + 1, 0.97, [True]),
        (MIN_SLICE_TRIPS + 1, 0.971, [False]),
    ],
    ids=str,
)
def test_parts_with_enough_trips_are_judged(rows, coverage, judged):
    part = {"slice": "hour", "value": "7", "rows": rows, "coverage": coverage, "width": 9.0}
    assert [one["good"] for one in judged_slices({"slices": [part]})] == judged
