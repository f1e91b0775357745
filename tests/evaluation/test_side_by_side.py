"""Two candidates on the same trips of several months."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_months import FIRST, judged

from taxi_pipeline.evaluation.side_by_side import (
    SLICES_SHOWN,
    JudgedTwice,
    same_trips,
    side_by_side,
)

pairs = st.lists(st.tuples(st.floats(1, 8), st.floats(1, 8)), min_size=1, max_size=3)
brief = settings(deadline=None, max_examples=10)


def twice(errors, other_noise=False, features=True, **further):
    """Months on which both candidates were judged, by the sizes of their errors."""
    found = []
    for place, (first, second) in enumerate(errors):
        month = FIRST + place
        one = judged(month, first, **further)
        other = one.predictions.copy()
        noise = one.features["noise"].to_numpy()
        noise = noise[::-1] if other_noise else noise
        other["predicted"] = (other["actual"] + second * noise).astype(np.float32)
        found.append(JudgedTwice(month, one.predictions, other, one.features if features else None))
    return found


def compared(errors, min_slice_trips=40, **further):
    return side_by_side("A", "B", twice(errors, **further), min_slice_trips)


def rmse(months, side):
    errors = [getattr(one, side)["predicted"] - getattr(one, side)["actual"] for one in months]
    return float(np.sqrt(np.mean(np.square(np.concatenate(errors).astype(float)))))


@brief
@given(pairs)
def test_the_figures_are_those_of_all_trips_together(errors):
    months = twice(errors)
    found = side_by_side("A", "B", months, 150)
    assert found.overall.first_rmse == pytest.approx(rmse(months, "first"), rel=1e-5)
    assert found.overall.second_rmse == pytest.approx(rmse(months, "second"), rel=1e-5)
    assert found.overall.rows == sum(one.rows for _, one in found.months)
    assert [month for month, _ in found.months] == [one.month for one in months]
    by_origin = [one for one in found.slices if one.slice == "origin"]
    assert sum(one.comparison.rows for one in by_origin) == found.overall.rows


@brief
@given(pairs)
def test_the_other_way_round_gains_are_losses(errors):
    months = twice(errors)
    there = side_by_side("A", "B", months, 150)
    swapped = [JudgedTwice(one.month, one.second, one.first, one.features) for one in months]
    back = side_by_side("B", "A", swapped, 150)
    assert back.overall.rmse.value == pytest.approx(-there.overall.rmse.value)
    assert [(one.slice, one.value) for one in there.gains] == [
        (one.slice, one.value) for one in back.losses
    ]
    assert [(one.slice, one.value) for one in there.losses] == [
        (one.slice, one.value) for one in back.gains
    ]


@brief
@given(pairs)
def test_a_comparison_is_plain_json(errors):
    found = compared(errors, 150)
    content = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert content["sentence"] == found.sentence
    assert len(content["months"]) == len(errors)
    assert len(content["slices"]) == len(found.slices)


def test_the_same_candidate_does_not_differ_from_itself():
    found = compared([(4, 4), (5, 5)])
    assert found.overall.rmse.value == 0.0
    assert (found.gains, found.losses) == ([], [])
    assert found.sentence.startswith("A and B do not differ beyond noise on 2021-02 to 2021-03: ")


@pytest.mark.parametrize(("errors", "word"), [((4, 6), "better"), ((6, 4), "worse")])
def test_the_sentence_says_which_is_better_and_by_how_much(errors, word):
    found = compared([errors])
    amount = abs(found.overall.rmse.value)
    assert found.sentence.startswith(f"A is {word} than B by {amount:.3f} minutes of RMSE (")
    assert " on 2021-02: RMSE " in found.sentence
    assert "interval -" not in found.sentence


def test_errors_of_the_same_size_in_other_trips_are_noise():
    found = compared([(4, 4), (4, 4)], other_noise=True)
    assert "do not differ beyond noise" in found.sentence
    listed = [*found.gains, *found.losses]
    assert all(one.comparison.rmse.beyond_noise for one in listed)
    assert len(listed) < len(found.slices) / 2


def test_gains_and_losses_are_those_beyond_noise_the_largest_first():
    found = compared([(4, 6), (4, 6)])
    assert found.losses == []
    values = [one.comparison.rmse.value for one in found.gains]
    assert values == sorted(values)
    assert len(values) == SLICES_SHOWN
    assert all(one.comparison.rmse.interval[1] < 0 for one in found.gains)


def test_parts_of_few_trips_are_not_compared_though_they_count_over_all_months():
    alone, together = compared([(4, 6)], 55), compared([(4, 6), (4, 6)], 55)
    assert all(one.comparison.rows >= 55 for one in together.slices)
    assert {one.value for one in alone.slices} < {one.value for one in together.slices}
    assert compared([(4, 6)], 10**6).slices == ()


def test_without_features_there_are_no_parts():
    assert compared([(4, 6)], features=False).slices == ()


def test_trips_are_the_same_if_days_and_minutes_are():
    predictions = judged(FIRST, 4).predictions
    assert same_trips(predictions, predictions.copy())
    assert same_trips(predictions, predictions.assign(predicted=0.0))
    assert not same_trips(predictions, predictions.iloc[:-1])
    assert not same_trips(predictions, predictions.iloc[::-1])
    assert not same_trips(predictions, predictions.assign(actual=predictions["actual"] + 1))
