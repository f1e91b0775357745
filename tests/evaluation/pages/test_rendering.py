"""Figures as a page writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.evaluation.pages.rendering import METRICS, as_text, percent, signed, words


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5.0908, "minutes", "5.09"),
        (-0.98, "minutes", "-0.98"),
        (-0.001, "minutes", "0.00"),
        (0.8264, "number", "0.826"),
        (0.4123, "share", "41.2 %"),
    ],
)
def test_a_metric_is_written_in_its_unit(value, unit, text):
    assert as_text(value, unit) == text


def test_every_metric_of_an_evaluation_has_a_name_for_people():
    import numpy as np

    assert {metric.name for metric in METRICS} == set(metrics(np.array([1.0, 2]), np.ones(2)))


def test_differences_have_a_sign_and_names_have_blanks():
    assert (signed(0.1234), signed(-2), percent(1), words("zone_pair")) == (
        *("+0.123", "-2.000"),
        *("100.0 %", "zone pair"),
    )


@given(st.floats(-1e6, 1e6))
def test_no_figure_is_minus_nothing(value):
    assert not as_text(value, "minutes").startswith("-0.00")
