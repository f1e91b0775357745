from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taxi_pipeline.month import Month

months = st.builds(Month, st.integers(1, 9999), st.integers(1, 12))
inner_months = st.builds(Month, st.integers(1001, 8999), st.integers(1, 12))
distances = st.integers(-12_000, 12_000)


def test_the_month_after_december_is_january_of_the_next_year():
    assert Month(2020, 12) + 1 == Month(2021, 1)


def test_the_month_before_january_is_december_of_the_year_before():
    assert Month(2021, 1) - 1 == Month(2020, 12)


@given(inner_months, distances)
def test_subtraction_undoes_addition(month, distance):
    assert month + distance - distance == month


@given(inner_months, st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_two_steps_lead_where_one_of_their_length_leads(month, first, second):
    assert month + first + second == month + (first + second)


@given(inner_months, distances)
def test_twelve_months_are_a_year(month, distance):
    assert month + 12 * (distance // 12) == Month(month.year + distance // 12, month.month)


@given(inner_months, st.integers(1, 12_000))
def test_a_later_month_is_greater(month, distance):
    assert month - distance < month < month + distance


@given(months, months)
def test_months_are_ordered_as_their_texts_and_their_starts(one, other):
    assert (one < other) == (str(one) < str(other)) == (one.start < other.start)


@given(months)
def test_a_month_is_read_back_from_its_text(month):
    assert Month.parse(str(month)) == month


def test_the_text_has_four_and_two_digits():
    assert str(Month(987, 6)) == "0987-06"


@given(inner_months)
def test_the_next_month_starts_where_a_month_ends(month):
    assert month.end == (month + 1).start
    assert timedelta(28) <= month.end - month.start <= timedelta(31)


def test_a_month_spans_its_days_without_a_time_zone():
    assert Month(2024, 2).start == datetime(2024, 2, 1)
    assert Month(2024, 2).end == datetime(2024, 3, 1)


@given(inner_months, st.integers(0, 120))
def test_a_window_holds_as_many_months_as_asked_oldest_first_and_ends_with_its_month(month, length):
    window = list(month.window(length))
    assert len(window) == length
    assert window == sorted(set(window))
    assert window[-1:] == ([month] if length else [])
    assert window[:1] == ([month - (length - 1)] if length else [])


@given(months, months)
def test_equal_months_are_one_element_of_a_set(one, other):
    assert len({one, other}) == (1 if str(one) == str(other) else 2)


def test_a_month_cannot_be_changed():
    with pytest.raises(AttributeError):
        Month(2021, 1).month = 2


@given(st.integers(), st.integers())
def test_only_months_of_the_calendar_can_be_made(year, month):
    assume(not (1 <= year <= 9999 and 1 <= month <= 12))
    with pytest.raises(ValueError, match=r"^(year|month) must be from 1 to \d+, not -?\d+$"):
        Month(year, month)


@pytest.mark.parametrize("month", [0, 13, -1])
def test_the_error_names_a_month_that_does_not_exist(month):
    with pytest.raises(ValueError, match=f"^month must be from 1 to 12, not {month}$"):
        Month(2021, month)


def test_the_error_names_a_year_that_the_calendar_does_not_have():
    with pytest.raises(ValueError, match=r"^year must be from 1 to 9999, not 10000$"):
        Month(9999, 12) + 1


@pytest.mark.parametrize(
    "text",
    ["", "2021", "2021-1", "21-01", "202101", "2021-01-01", " 2021-01", "2021-01\n", "2021/01"],
)
def test_another_form_of_text_is_refused_with_the_text(text):
    with pytest.raises(ValueError, match=r"^a month is written YYYY-MM, not '") as raised:
        Month.parse(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize("text", ["2021-00", "2021-13", "0000-01"])
def test_a_text_that_names_no_month_is_refused(text):
    with pytest.raises(ValueError, match="must be from 1 to"):
        Month.parse(text)


@given(st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1)))
def test_an_instant_belongs_to_exactly_one_month(instant):
    month = Month(instant.year, instant.month)
    assert month.start <= instant < month.end
