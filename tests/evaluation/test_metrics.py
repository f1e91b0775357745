"""The errors of predictions."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    mean_absolute_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from taxi_pipeline.evaluation.bootstrap import MIN_DAYS
from taxi_pipeline.evaluation.metrics import metrics, metrics_with_intervals

NAMES = {
    *("rmse", "mae", "r2", "median_abs_error", "p90_abs_error", "bias"),
    *("within_2_minutes", "within_5_minutes"),
}
MINUTES = NAMES - {"r2", "within_2_minutes", "within_5_minutes"}
minutes = st.floats(1, 60)
trips = st.tuples(minutes, minutes, st.integers(0, 9))
brief = settings(max_examples=60)


def arrays(rows):
    actual, predicted, days = np.array(rows).T
    return actual, predicted, np.unique(days, return_inverse=True)[1]


@brief
@given(st.lists(st.tuples(minutes, minutes), min_size=2, max_size=50))
def test_metrics_are_those_of_scikit_learn(pairs):
    actual, predicted = np.array(pairs).T
    assume(np.ptp(actual) > 0.01)
    figures = metrics(actual, predicted)
    assert set(figures) == NAMES
    assert figures["rmse"] == pytest.approx(root_mean_squared_error(actual, predicted))
    assert figures["mae"] == pytest.approx(mean_absolute_error(actual, predicted))
    median = median_absolute_error(actual, predicted)
    assert figures["median_abs_error"] == pytest.approx(median)
    assert figures["r2"] == pytest.approx(r2_score(actual, predicted), rel=1e-6, abs=1e-6)


def test_bias_is_positive_where_predictions_are_too_long():
    figures = metrics(np.array([10.0, 20.0]), np.array([11.0, 22.0]))
    assert figures["bias"] == 1.5


def test_nine_of_ten_predictions_keep_below_p90():
    errors = np.arange(11.0) * np.array([1, -1] * 5 + [1])
    assert metrics(np.full(11, 30.0), 30 + errors)["p90_abs_error"] == 9


def test_shares_count_the_trips_whose_error_is_that_or_less():
    figures = metrics(np.full(5, 30.0), 30 + np.array([0, -2, 2.5, 5, -5.5]))
    assert figures["within_2_minutes"] == 2 / 5
    assert figures["within_5_minutes"] == 4 / 5


@pytest.mark.parametrize("minutes", [5.0, 0.1, 58.3])
def test_r2_is_0_where_the_actual_minutes_do_not_vary(minutes):
    assert metrics(np.full(7, minutes), np.arange(7.0))["r2"] == 0


# --- intervals --------------------------------------------------------------------------------


@brief
@given(st.lists(trips, min_size=1, max_size=60))
def test_figures_with_intervals_are_the_same_figures(rows):
    actual, predicted, days = arrays(rows)
    figures = metrics_with_intervals(actual, predicted, days)
    assert {name: figures[name] for name in NAMES} == pytest.approx(metrics(actual, predicted))
    enough = days.max() + 1 >= MIN_DAYS
    ends = {f"{name}_{end}" for name in NAMES for end in ("low", "high")}
    assert set(figures) == NAMES | (ends if enough else set())
    assert np.isfinite(list(figures.values())).all()
    if enough:
        assert all(figures[f"{name}_low"] <= figures[f"{name}_high"] for name in NAMES)


@brief
@given(st.lists(st.floats(-20, 20), min_size=MIN_DAYS, max_size=31))
def test_intervals_hold_their_figure_where_each_day_weighs_the_same(of_days):
    """Each day's trips err by as much upwards as downwards."""
    errors = np.concatenate([of_days, -np.array(of_days)])
    days = np.tile(np.arange(len(of_days)), 2)
    figures = metrics_with_intervals(np.full(len(errors), 30.0), 30 + errors, days)
    assert figures["bias_low"] == pytest.approx(0, abs=1e-9)
    assert figures["bias_high"] == pytest.approx(0, abs=1e-9)
    for name in ("rmse", "mae", "within_2_minutes", "within_5_minutes"):
        assert figures[f"{name}_low"] <= figures[name] + 1e-9
        assert figures[f"{name}_high"] >= figures[name] - 1e-9


@brief
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30), st.integers(MIN_DAYS, 31))
def test_days_that_are_all_alike_leave_no_doubt(errors, number):
    every = np.tile(errors, number)
    days = np.repeat(np.arange(number), len(errors))
    figures = metrics_with_intervals(np.full(len(every), 30.0), 30 + every, days)
    for name in NAMES - {"r2"}:
        assert figures[f"{name}_low"] == pytest.approx(figures[name], abs=1e-6)
        assert figures[f"{name}_high"] == pytest.approx(figures[name], abs=1e-6)


@brief
@given(st.lists(trips, min_size=5, max_size=60), st.integers(0, 99))
def test_the_order_of_the_trips_does_not_matter(rows, seed):
    shuffled = np.random.default_rng(seed).permutation(rows)
    expected = metrics_with_intervals(*arrays(rows))
    assert metrics_with_intervals(*arrays(shuffled)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@brief
@given(st.lists(trips, min_size=5, max_size=60), st.sampled_from([0.25, 0.5, 2, 8]))
def test_minutes_in_another_unit_give_the_same_figures_in_that_unit(rows, factor):
    actual, predicted, days = arrays(rows)
    figures = metrics_with_intervals(actual, predicted, days)
    scaled = metrics_with_intervals(factor * actual, factor * predicted, days)
    for name, value in figures.items():
        if name.removesuffix("_low").removesuffix("_high") in MINUTES:
            assert scaled[name] == pytest.approx(factor * value, rel=1e-6, abs=1e-6)


def test_the_quantiles_of_replicates_are_near_those_of_the_trips_drawn(january, predicted, days):
    """Against quantiles of the trips themselves, for which the bootstrap needs no histograms."""
    actual = january["minutes"].to_numpy()
    errors = np.abs(predicted - actual)
    generator = np.random.default_rng(3)
    of_day = [errors[days == day] for day in range(days.max() + 1)]
    drawn = [
        np.quantile(np.concatenate([of_day[day] for day in chosen]), [0.5, 0.9])
        for chosen in generator.integers(0, len(of_day), (1000, len(of_day)))
    ]
    figures = metrics_with_intervals(actual, predicted, days)
    for name, values in zip(
        ("median_abs_error", "p90_abs_error"), np.transpose(drawn), strict=True
    ):
        low, high = np.quantile(values, [0.02, 0.98])
        spread = high - low
        assert figures[f"{name}_low"] == pytest.approx(low, abs=0.2 * spread)
        assert figures[f"{name}_high"] == pytest.approx(high, abs=0.2 * spread)
