"""Two predictions of the same trips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.evaluation.comparison import Difference, compare, compare_sums, paired_sums
from taxi_pipeline.evaluation.metrics import metrics, metrics_with_intervals

minutes = st.floats(1, 60)
rows = st.lists(st.tuples(minutes, minutes, minutes, st.integers(0, 9)), min_size=1, max_size=60)
brief = settings(max_examples=60)


def arrays(trips):
    actual, first, second, days = np.array(trips).T
    return actual, first, second, np.unique(days, return_inverse=True)[1]


@brief
@given(rows)
def test_identical_predictions_differ_by_exactly_nothing(trips):
    actual, predicted, _, days = arrays(trips)
    interval = (0.0, 0.0) if days.max() >= 3 else None
    nothing = Difference(value=0.0, interval=interval, share_better=0.0)
    assert compare(actual, predicted, predicted.copy(), days) == {"rmse": nothing, "mae": nothing}


@brief
@given(rows)
def test_differences_are_those_of_the_metrics(trips):
    actual, first, second, days = arrays(trips)
    for name, found in compare(actual, first, second, days).items():
        expected = metrics(actual, first)[name] - metrics(actual, second)[name]
        assert found.value == pytest.approx(expected, abs=1e-9)
        assert (found.interval is None) == (days.max() < 3)
        assert 0 <= found.share_better <= 1


@brief
@given(rows)
def test_the_other_way_round_the_difference_has_the_other_sign(trips):
    actual, first, second, days = arrays(trips)
    there = compare(actual, first, second, days)
    back = compare(actual, second, first, days)
    for name, found in there.items():
        assert back[name].value == pytest.approx(-found.value)
        assert back[name].share_better <= 1 - found.share_better + 1e-9
        if found.interval:
            low, high = found.interval
            assert back[name].interval == pytest.approx((-high, -low), abs=1e-9)


def test_a_prediction_that_is_better_every_day_is_better_in_every_replicate(simulate):
    actual, first, days = simulate(np.random.default_rng(2))
    second = actual + 1.1 * (first - actual)
    for found in compare(actual, first, second, days).values():
        assert found.share_better == 1
        low, high = found.interval
        assert low <= found.value <= high < 0


def test_what_makes_a_day_hard_for_both_is_no_part_of_the_interval(simulate):
    actual, first, days = simulate(np.random.default_rng(2), of_day=4.0)
    second = first + 0.2
    low, high = compare(actual, first, second, days)["mae"].interval
    alone = metrics_with_intervals(actual, first, days)
    assert high - low < (alone["mae_high"] - alone["mae_low"]) / 3


@pytest.mark.parametrize("number", [4, 28])
def test_noise_is_not_called_better(simulate, number):
    actual, first, days = simulate(np.random.default_rng(4), days=number)
    second = 2 * actual - first
    found = compare(actual, first, second, days)["rmse"]
    assert found.value == pytest.approx(0, abs=1e-9)
    low, high = found.interval
    assert low <= 1e-9
    assert high >= -1e-9


# --- several months ---------------------------------------------------------------------------


@brief
@given(st.lists(rows, min_size=1, max_size=4))
def test_months_together_are_compared_as_one_long_month(months):
    sums = [paired_sums(*arrays(trips)) for trips in months]
    found = compare_sums(sums)
    parts, offset = [], 0
    for trips in months:
        *minutes, days = arrays(trips)
        parts.append((*minutes, days + offset))
        offset += int(days.max()) + 1
    actual, first, second, days = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert {"rmse": found.rmse, "mae": found.mae} == compare(actual, first, second, days)
    assert (found.rows, found.days) == (len(actual), offset)
    assert found.first_rmse == pytest.approx(metrics(actual, first)["rmse"])
    assert found.second_rmse == pytest.approx(metrics(actual, second)["rmse"])


@brief
@given(rows)
def test_words_tell_the_amount_and_the_side_of_a_difference(trips):
    found = compare_sums([paired_sums(*arrays(trips))])
    assert found.amount == f"{abs(found.first_rmse - found.second_rmse):.3f} minutes"
    assert found.side == ("below" if found.rmse.value < 0 else "above")
    assert found.certainty.startswith(f"{100 * abs(found.share):.1f} %, ")
    if found.rmse.interval is None:
        assert not found.rmse.beyond_noise
        assert found.certainty.endswith("of too few days for an interval")


@pytest.mark.parametrize(
    ("value", "interval", "beyond"),
    [
        (-1.0, (-2.0, -0.5), True),
        (1.0, (0.5, 2.0), True),
        (1.0, (-0.5, 2.0), False),
        (0.0, (0.0, 0.0), False),
        (1.0, None, False),
    ],
)
def test_a_difference_is_beyond_noise_if_its_whole_interval_is_on_one_side(value, interval, beyond):
    assert Difference(value, interval, 0.0).beyond_noise == beyond


def test_an_interval_is_told_on_the_side_of_the_amount(simulate):
    actual, first, days = simulate(np.random.default_rng(2))
    second = actual + 1.1 * (first - actual)
    there = compare_sums([paired_sums(actual, first, second, days)])
    low, high = there.rmse.interval
    assert there.certainty.endswith(f"95 % interval {-high:.3f} to {-low:.3f}")
    back = compare_sums([paired_sums(actual, second, first, days)])
    assert "interval -" not in back.certainty
