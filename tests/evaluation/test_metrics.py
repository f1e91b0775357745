"""The errors of predictions."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from taxi_pipeline.evaluation.metrics import metrics

minutes = st.floats(1, 60)


brief = settings(deadline=None, max_examples=60)


@brief
@given(st.lists(st.tuples(minutes, minutes), min_size=2, max_size=50))
def test_metrics_are_those_of_scikit_learn(pairs):
    actual, predicted = np.array(pairs).T
    assume(np.ptp(actual) > 0.01)
    figures = metrics(actual, predicted)
    assert figures["rmse"] == pytest.approx(root_mean_squared_error(actual, predicted))
    assert figures["mae"] == pytest.approx(mean_absolute_error(actual, predicted))
    assert figures["r2"] == pytest.approx(r2_score(actual, predicted), rel=1e-6, abs=1e-6)


def test_bias_is_positive_where_predictions_are_too_long():
    figures = metrics(np.array([10.0, 20.0]), np.array([11.0, 22.0]))
    assert figures["bias"] == 1.5


def test_nine_of_ten_predictions_keep_below_p90():
    errors = np.arange(11.0) * np.array([1, -1] * 5 + [1])
    assert metrics(np.full(11, 30.0), 30 + errors)["p90_abs_error"] == 9


def test_r2_is_0_where_the_actual_minutes_do_not_vary():
    assert metrics(np.array([5.0, 5.0]), np.array([5.0, 6.0]))["r2"] == 0
