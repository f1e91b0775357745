"""Which months say something of a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.evaluation.decay import last_seen, why_not_counted
from taxi_pipeline.month import Month

MONTHS = st.builds(Month, st.integers(2009, 2100), st.integers(1, 12))


@given(MONTHS, MONTHS)
def test_only_later_months_than_those_of_the_training_count(trained, month):
    assert (why_not_counted(str(trained), month) == "") == (month > trained)


def test_the_reason_says_whether_it_was_trained_on_the_month_itself_or_on_later_ones():
    month = Month(2021, 3)
    assert why_not_counted("2021-03", month) == "it was trained on 2021-03"
    assert (
        why_not_counted("2021-04", month)
        == "it was trained to 2021-04, which is later than 2021-03"
    )


@pytest.mark.parametrize("text", ["", "March", "2021-13"])
def test_where_the_training_month_is_not_known_nothing_is_left_out(text):
    assert last_seen(text) is None
    assert why_not_counted(text, Month(2021, 3)) == ""
