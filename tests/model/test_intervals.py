"""Intervals hold the share of trips that they say, and the prediction is always within."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from taxi_pipeline.errors import InvalidParameter, InvalidTraining
from taxi_pipeline.model.intervals import (
    MIN_SPREAD,
    MIN_TRIPS,
    Intervals,
    Spread,
    calibrate,
)
from taxi_pipeline.model.levels import MAX_LEVEL, MIN_LEVEL

levels = st.floats(MIN_LEVEL, MAX_LEVEL)
seeds = st.integers(0, 2**32 - 1)


def trips(generator, number):
    """Trips whose errors are large where distances are unknown, zone 7 is met, or it is five."""
    features = pd.DataFrame(
        {
            "pickup_at": pd.Timestamp("2021-01-25")
            + pd.to_timedelta(generator.integers(0, 7 * 86400, number), unit="s"),
            "pickup_zone": generator.choice([7, 74, 75], number).astype("int16"),
            "dropoff_zone": generator.choice([7, 41, 42, 265], number).astype("int16"),
            "miles": np.where(generator.random(number) < 0.1, np.nan, 3).astype("float32"),
        }
    )
    features["hour"] = features["pickup_at"].dt.hour.astype("float32")
    predicted = generator.uniform(2, 50, number)
    size = 0.5 + 0.1 * predicted
    size *= np.where(features["miles"].isna(), 3, 1) * np.where(features["pickup_zone"] == 7, 2, 1)
    size *= np.where(features["hour"] == 17, 2, 1)
    skewed = generator.gamma(2, 1, number) - 1.7
    return features, predicted, predicted + size * skewed


def calibrated(generator, number=2000, **options):
    features, predicted, actual = trips(generator, number)
    return calibrate(features, predicted, actual, **{"reads_distance": True, **options})


@pytest.fixture(scope="module")
def learned():
    return calibrated(np.random.default_rng(1))


# --- coverage -------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(seed=seeds, level=levels, number=st.integers(MIN_TRIPS, 3000))
def test_intervals_hold_their_share_of_trips_of_the_same_kind(seed, level, number):
    generator = np.random.default_rng(seed)
    intervals = calibrated(generator, number)
    features, predicted, actual = trips(generator, 2000)
    low, high = intervals.bounds(features, predicted, level)
    held = np.mean((low <= actual) & (actual <= high))
    # The share varies with the trips that were learned from (a beta distribution) and with those
    # that are looked at, and cross-fitting adds a little: five standard deviations and 2 %.
    deviation = np.sqrt(level * (1 - level) * (1 / number + 1 / 2000))
    assert abs(held - level) < 5 * deviation + 0.02


def test_intervals_hold_their_share_in_each_part_as_well(learned):
    features, predicted, actual = trips(np.random.default_rng(2), 20_000)
    low, high = learned.bounds(features, predicted, 0.9)
    held = (low <= actual) & (actual <= high)
    for part in (
        features["miles"].isna(),
        features["pickup_zone"] == 7,
        features["hour"] == 17,
        predicted < 10,
        predicted > 40,
    ):
        assert 0.80 < held[part].mean() < 0.97
        assert 0.80 < held[~part].mean() < 0.97


def test_without_the_spread_that_fails(learned):
    features, predicted, actual = trips(np.random.default_rng(2), 20_000)
    calm = trips(np.random.default_rng(1), 2000)
    below, above = np.quantile(calm[2] - calm[1], [0.05, 0.95])
    held = (predicted + below <= actual) & (actual <= predicted + above)
    assert held[features["miles"].isna()].mean() < 0.75


def test_the_trips_below_and_above_are_equally_many(learned):
    features, predicted, actual = trips(np.random.default_rng(3), 20_000)
    low, high = learned.bounds(features, predicted, 0.8)
    assert np.mean(actual < low) == pytest.approx(0.1, abs=0.02)
    assert np.mean(actual > high) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("number", "level", "ranks"),
    [(199, 0.99, (1, 199)), (199, 0.9, (10, 190)), (999, 0.8, (100, 900)), (200, 0.5, (50, 151))],
    ids=str,
)
def test_quantiles_are_the_order_statistics_of_split_conformal_prediction(number, level, ranks):
    scores = np.arange(1.0, number + 1)
    intervals = Intervals(Spread(np.array([0.0]), np.array([1.0]), {}), scores)
    assert intervals.quantiles(level) == ranks
    # So many of the ranks that a further score may have, which are equally likely, are between.
    below, above = ranks
    assert (above - below) / (number + 1) >= level - 1e-9


def test_exchangeable_scores_are_held_at_least_as_often_as_the_level_says():
    generator = np.random.default_rng(4)
    flat = Spread(np.array([0.0]), np.array([1.0]), {})
    held = 0
    for _ in range(4000):
        *scores, new = generator.standard_t(3, 200)
        below, above = Intervals(flat, np.sort(scores)).quantiles(0.9)
        held += below <= new <= above
    assert held >= binom.ppf(1e-4, 4000, 0.9)
    assert held <= binom.ppf(1 - 1e-4, 4000, 0.91)


# --- bounds ---------------------------------------------------------------------------------------


@given(seed=seeds, level=levels, shift=st.floats(-80, 80))
def test_the_prediction_is_within_its_interval_however_biased_the_model_is(seed, level, shift):
    generator = np.random.default_rng(seed)
    features, predicted, actual = trips(generator, 300)
    intervals = calibrate(features, predicted, actual + shift, reads_distance=True)
    others, minutes, _ = trips(generator, 300)
    minutes -= 5
    low, high = intervals.bounds(others, minutes, level)
    assert (low <= minutes).all()
    assert (minutes <= high).all()
    assert (low[minutes >= 0] >= 0).all()
    assert np.isfinite(high - low).all()


@given(one=levels, other=levels)
def test_intervals_of_a_higher_level_hold_those_of_a_lower(learned, one, other):
    features, predicted, _ = trips(np.random.default_rng(5), 200)
    lower, higher = sorted((one, other))
    low, high = learned.bounds(features, predicted, lower)
    wide_low, wide_high = learned.bounds(features, predicted, higher)
    assert (wide_low <= low).all()
    assert (high <= wide_high).all()


def test_what_is_not_known_of_a_trip_has_no_effect(learned):
    features, predicted, _ = trips(np.random.default_rng(6), 50)
    strange = features.assign(hour=np.nan, pickup_zone=264, dropoff_zone=999)
    low, high = learned.bounds(strange, predicted, 0.9)
    assert np.isfinite(low).all()
    assert (high > low).all()


def test_a_model_without_distances_has_intervals_that_do_not_depend_on_them():
    intervals = calibrated(np.random.default_rng(7), reads_distance=False)
    features, predicted, _ = trips(np.random.default_rng(8), 50)
    expected = intervals.bounds(features, predicted, 0.9)
    found = intervals.bounds(features.assign(miles=np.nan), predicted, 0.9)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("level", [0.0, 0.499, 0.991, 1.0, -1.0, 90.0, np.nan, np.inf], ids=str)
def test_a_level_out_of_range_is_refused_in_one_line(learned, level):
    with pytest.raises(InvalidParameter, match=re.escape(f"interval is {level}: ")) as refusal:
        learned.quantiles(level)
    assert "from 0.5 to 0.99" in str(refusal.value)
    assert "\n" not in str(refusal.value)


# --- learning -------------------------------------------------------------------------------------


def test_too_few_trips_are_refused_in_one_line():
    with pytest.raises(InvalidTraining, match="200 trips or more, and there are 199") as refusal:
        calibrated(np.random.default_rng(9), MIN_TRIPS - 1)
    assert "\n" not in str(refusal.value)


def test_a_spread_is_learned_from_what_it_depends_on():
    features, predicted, actual = trips(np.random.default_rng(10), 20_000)
    errors = np.abs(actual - predicted)
    spread = Spread.learn(features, predicted, errors, reads_distance=True)
    expected = spread(features, predicted)
    for part in (features["miles"].isna(), features["pickup_zone"] == 7, predicted > 40):
        assert expected[part].mean() == pytest.approx(errors[part].mean(), rel=0.05)
    assert spread.factors["distance"][0] / spread.factors["distance"][1] == pytest.approx(3, 0.1)


def test_a_model_without_errors_has_the_smallest_spread():
    features, predicted, _ = trips(np.random.default_rng(11), 300)
    intervals = calibrate(features, predicted, predicted, reads_distance=True)
    np.testing.assert_allclose(intervals.spread(features, predicted), MIN_SPREAD)
    low, high = intervals.bounds(features, predicted, 0.9)
    np.testing.assert_array_equal(low, predicted)
    np.testing.assert_array_equal(high, predicted)


def test_the_order_of_the_trips_is_irrelevant():
    features, predicted, actual = trips(np.random.default_rng(12), 1000)
    order = np.random.default_rng(13).permutation(1000)
    expected = calibrate(features, predicted, actual, reads_distance=True)
    found = calibrate(features.iloc[order], predicted[order], actual[order], reads_distance=True)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0.05, atol=0.05)


def test_what_is_saved_and_loaded_gives_the_same_intervals(tmp_path, learned):
    learned.save(tmp_path / "intervals.npz")
    loaded = Intervals.load(tmp_path / "intervals.npz")
    features, predicted, _ = trips(np.random.default_rng(14), 200)
    expected = learned.bounds(features, predicted, 0.9)
    np.testing.assert_allclose(loaded.bounds(features, predicted, 0.9), expected, rtol=1e-5)
    assert loaded.spread.factors.keys() == learned.spread.factors.keys()


def test_the_same_trips_make_the_same_file(tmp_path):
    for name in ("one", "two"):
        calibrated(np.random.default_rng(15)).save(tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
