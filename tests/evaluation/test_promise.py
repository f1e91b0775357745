"""A promise is broken where figures are above it by more than is allowed, beyond noise."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.evaluation.promise import (
    Excess,
    Promise,
    Thresholds,
    compare_with_promise,
    slices_beside_promise,
)

THRESHOLDS = Thresholds(max_rmse_excess=0.1, max_slice_excess=0.25, min_slice_trips=100)
PROMISED = {"rmse": 5.0, "rmse_low": 4.8, "rmse_high": 5.2, "r2": 0.84}
minutes = st.floats(0.01, 100)
shares = st.floats(0, 5)


def by_slice(*rmse, rows=500, width=0.1):
    """Errors of hours 0, 1, ... with their intervals."""
    values = np.array(rmse, dtype=float)
    return pd.DataFrame(
        {
            "slice": "hour",
            "value": [str(number) for number in range(len(rmse))],
            "rows": rows,
            "rmse": values,
            "rmse_low": values * (1 - width),
        }
    )


def promise(figures=PROMISED, slices=None):
    return Promise("2021-02", figures, slices, "a test")


def kept(figures, slices=None, promised=None, **thresholds):
    allowed = Thresholds(**{**vars(THRESHOLDS), **thresholds})
    promised = promised or promise()
    found = by_slice(5.0) if slices is None else slices
    return compare_with_promise(
        figures, slices_beside_promise(found, promised, allowed), promised, allowed
    )


def month(rmse, low=None, **more):
    ends = {} if low is None else {"rmse_low": low, "rmse_high": 2 * rmse - low}
    return {"rmse": rmse, **ends, "r2": 0.84, "r2_low": 0.83, "r2_high": 0.85, **more}


def test_what_was_promised_is_kept_and_says_so():
    found = kept(month(5.0, 4.9))
    assert found.broken == ()
    assert found.kept[0].startswith(
        "RMSE 5.0000 minutes, 0.0% above the 5.0000 that its evaluation"
    )
    assert found.kept[1].startswith(
        "RMSE 5.0000 minutes is 40.0% of the standard deviation of the month"
    )


def test_more_than_is_allowed_beyond_noise_breaks_it():
    (broken,) = kept(month(6.0, 5.6)).broken
    assert broken == (
        "RMSE 6.0000 minutes, 20.0% above the 5.0000 that its evaluation on 2021-02 promised: "
        "`max_rmse_excess` allows 10.0%, and the interval begins above that"
    )


def test_what_may_be_noise_breaks_nothing_and_says_so():
    found = kept(month(6.0, 5.4))
    assert found.broken == ()
    assert found.kept[0].endswith("but the interval begins below that: it may be noise")


def test_with_too_few_days_for_an_interval_nothing_is_broken():
    found = kept({"rmse": 50.0, "r2": 0.1})
    assert found.broken == ()
    assert all(text.endswith("too few days for an interval") for text in found.kept)


def test_an_easier_month_hides_no_decay():
    found = kept(month(4.6, 4.5, r2=0.75, r2_low=0.74, r2_high=0.76))
    (broken,) = found.broken
    assert broken.startswith(
        "RMSE 4.6000 minutes is 50.0% of the standard deviation of the month's durations, 25.0%"
    )
    assert found.kept[0].startswith("RMSE 4.6000 minutes, 8.0% below")


def test_a_promise_of_before_that_holds_no_r2_is_compared_in_minutes_alone():
    found = kept(month(5.0, 4.9), promised=promise({"rmse": 5.0}))
    assert found.spread is None
    assert len(found.kept) == 1


def test_any_rmse_may_be_allowed():
    assert kept(month(500.0, 499.0), max_rmse_excess=math.inf).broken == ()


def test_a_promise_whose_month_is_not_known_names_none():
    told = kept(month(5.0, 4.9), promised=Promise("", PROMISED, None, "")).kept[0]
    assert "that its evaluation promised" in told


@given(minutes, minutes, shares, st.floats(0, 1))
def test_more_is_never_forgiven_where_less_is_not(value, promised, allowed, width):
    excess = Excess(value, value * (1 - width), promised)
    worse = Excess(2 * value, 2 * value * (1 - width), promised)
    assert not excess.is_beyond(allowed) or worse.is_beyond(allowed)
    assert not excess.is_beyond(allowed) or excess.is_beyond(allowed / 2)
    assert not excess.is_beyond(allowed) or excess.share > allowed * (1 - 1e-9)


@given(minutes, shares)
def test_what_is_as_promised_is_never_beyond_whatever_is_allowed(value, allowed):
    assert not Excess(value, value, value).is_beyond(allowed)


def test_the_share_above_a_promise_of_nothing_is_none():
    assert Excess(1.0, 1.0, 0.0).share == 0.0


# --- slices -----------------------------------------------------------------------------------


def test_slices_are_named_worst_first_and_the_others_counted():
    slices = by_slice(4.0, 8.0, 9.0, 7.0, 10.0)
    found = kept(month(5.0, 4.9), slices, promise(slices=by_slice(*[4.0] * 5)))
    (broken,) = found.broken
    assert broken == (
        "RMSE above the promise by more than `max_slice_excess` (25.0%) beyond noise in "
        "hour 4 (150.0% above, 500 trips), hour 2 (125.0% above, 500 trips), "
        "hour 1 (100.0% above, 500 trips) and 1 more"
    )


@pytest.mark.parametrize(
    ("now", "then"), [(99, 500), (500, 99)], ids=["in the month", "in the evaluation"]
)
def test_a_slice_with_few_trips_in_either_month_is_not_compared(now, then):
    promised = promise(slices=by_slice(4.0, rows=then))
    assert kept(month(5.0, 4.9), by_slice(40.0, rows=now), promised).broken == ()
    assert kept(month(5.0, 4.9), by_slice(40.0, rows=now), promised, min_slice_trips=99).broken


@pytest.mark.parametrize(("width", "broken"), [(0.1, True), (0.2, False)], ids=["sure", "noise"])
def test_a_slice_whose_excess_may_be_noise_is_not_named(width, broken):
    slices = by_slice(6.0, width=width)
    found = kept(month(5.0, 4.9), slices, promise(slices=by_slice(4.0)))
    assert bool(found.broken) == broken


def test_a_slice_that_the_evaluation_did_not_have_is_not_compared():
    slices = by_slice(4.0, 40.0)
    found = slices_beside_promise(slices, promise(slices=by_slice(4.0)), THRESHOLDS)
    assert list(found["decayed"]) == [False, False]
    assert np.isnan(found["promised_rmse"][1])
    assert list(found["value"]) == ["0", "1"]


@pytest.mark.parametrize("promised", [None, promise()], ids=["no promise", "none by slice"])
def test_without_promised_slices_there_is_nothing_beside_them(promised):
    found = slices_beside_promise(by_slice(4.0, 40.0), promised, THRESHOLDS)
    assert not found["decayed"].any()
    assert found["excess"].isna().all()
    assert list(found["rmse"]) == [4.0, 40.0]


@given(st.lists(st.tuples(minutes, minutes), min_size=1, max_size=8), shares)
def test_no_slice_has_decayed_that_is_not_above_its_promise(pairs, allowed):
    now, then = zip(*pairs, strict=True)
    thresholds = Thresholds(0.1, allowed, 1)
    found = slices_beside_promise(by_slice(*now), promise(slices=by_slice(*then)), thresholds)
    assert (found.loc[found["decayed"], "excess"] > allowed * (1 - 1e-9)).all()
    assert len(found) == len(pairs)
