"""Figures of a model, beside what anybody could predict."""

import json
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from taxi_pipeline.evaluation import evaluation

minutes = st.floats(1, 60)
brief = settings(deadline=None, max_examples=60)


def trips(*rows):
    return pd.DataFrame(rows, columns=["pickup_zone", "dropoff_zone", "minutes"])


@pytest.fixture(scope="module")
def predicted(january, models):
    return models["trip"].predict(january)


@pytest.fixture(scope="module")
def result(january, predicted):
    return evaluation.evaluate(january, january, predicted)


@brief
@given(st.lists(st.tuples(minutes, minutes), min_size=2, max_size=50))
def test_metrics_are_those_of_scikit_learn(pairs):
    actual, predicted = np.array(pairs).T
    assume(np.ptp(actual) > 0.01)
    figures = evaluation.metrics(actual, predicted)
    assert figures["rmse"] == pytest.approx(root_mean_squared_error(actual, predicted))
    assert figures["mae"] == pytest.approx(mean_absolute_error(actual, predicted))
    assert figures["r2"] == pytest.approx(r2_score(actual, predicted), rel=1e-6, abs=1e-6)


def test_bias_is_positive_where_predictions_are_too_long():
    figures = evaluation.metrics(np.array([10.0, 20.0]), np.array([11.0, 22.0]))
    assert figures["bias"] == 1.5


def test_nine_of_ten_predictions_keep_below_p90():
    errors = np.arange(11.0) * np.array([1, -1] * 5 + [1])
    assert evaluation.metrics(np.full(11, 30.0), 30 + errors)["p90_abs_error"] == 9


def test_r2_is_0_where_the_actual_minutes_do_not_vary():
    assert evaluation.metrics(np.array([5.0, 5.0]), np.array([5.0, 6.0]))["r2"] == 0


def test_the_zone_pair_falls_back_to_the_pickup_zone_and_then_to_the_overall_mean():
    training = trips((1, 2, 10), (1, 2, 20), (1, 3, 45), (4, 2, 5))
    month = trips((1, 2, 1), (4, 2, 1), (1, 9, 1), (9, 2, 1), (2, 1, 1))
    simple = evaluation.baselines(training, month)
    assert simple["zone_pair"].tolist() == [15, 5, 25, 20, 20]
    assert simple["mean"].tolist() == [20] * 5


def test_baselines_learn_nothing_from_the_evaluation_month():
    training = trips((1, 2, 10), (1, 3, 20))
    short, long = (evaluation.baselines(training, trips((1, 2, m), (5, 5, m))) for m in (1, 60))
    for name in ("mean", "zone_pair"):
        assert short[name].tolist() == long[name].tolist()


def test_the_gain_is_measured_against_the_best_baseline():
    measured = {"mean": {"rmse": 12.0}, "zone_pair": {"rmse": 8.0}}
    assert evaluation.best_baseline(measured) == "zone_pair"
    assert evaluation.gain({"rmse": 6.0}, measured) == 0.25
    assert evaluation.gain({"rmse": 10.0}, measured) == -0.25


@pytest.mark.parametrize(
    ("rmse", "min_gain", "passes"),
    [(6.0, 0.0, True), (6.0, 0.25, True), (6.0, 0.26, False), (8.0, 0.0, False), (9.0, 0, False)],
)
def test_a_champion_is_below_the_best_baseline_by_what_the_gate_asks(rmse, min_gain, passes):
    measured = {"mean": {"rmse": 12.0}, "zone_pair": {"rmse": 8.0}}
    passed, reason = evaluation.verdict({"rmse": rmse}, measured, min_gain)
    assert passed is passes
    assert "baseline zone_pair" in reason


def test_an_evaluation_holds_the_models_and_the_baselines_figures(january, predicted, result):
    actual = january["minutes"].to_numpy()
    assert result.rows == len(january)
    assert result.model == evaluation.metrics(actual, predicted)
    assert set(result.baselines) == {"mean", "zone_pair"}
    assert result.baselines["mean"]["rmse"] == pytest.approx(actual.std())
    assert result.baselines["mean"]["r2"] == pytest.approx(0)
    assert evaluation.best_baseline(result.baselines) == "zone_pair"
    assert json.loads(json.dumps(result.as_dict())) == result.as_dict()


@pytest.mark.parametrize("name", ["hour", "weekday", "origin"])
def test_the_parts_of_a_slice_add_up_to_the_month(january, result, name):
    parts = result.slices[result.slices["slice"] == name]
    assert len(parts) > 1
    assert parts["value"].is_unique
    assert parts["rows"].sum() == len(january)
    square = (parts["rows"] * parts["rmse"] ** 2).sum() / len(january)
    assert square**0.5 == pytest.approx(result.model["rmse"])
    bias = (parts["rows"] * parts["bias"]).sum() / len(january)
    assert bias == pytest.approx(result.model["bias"])


def test_a_slice_has_the_figures_of_its_trips(january, predicted, result):
    parts = result.slices.set_index(["slice", "value"])
    for name, value, column, marker in [
        ("hour", 15.0, "hour", 15),
        ("weekday", 6.0, "weekday", 6),
        ("origin", "partial record", "partial", 1),
    ]:
        mine = (january[column] == marker).to_numpy()
        expected = evaluation.metrics(january["minutes"].to_numpy()[mine], predicted[mine])
        assert parts.loc[(name, value), "rows"] == mine.sum() > 0
        assert parts.loc[(name, value), "mae"] == pytest.approx(expected["mae"])


def test_the_plot_is_a_png_image(january, predicted, result, tmp_path):
    path = tmp_path / "plot.png"
    evaluation.plot(result, january["minutes"].to_numpy(), predicted, path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (1210, 462)


def test_the_bands_of_distance_are_in_order_and_hold_every_trip(result, january):
    bands = result.slices[result.slices["slice"] == "miles"]
    assert bands["rows"].sum() == len(january)
    assert list(bands["value"])[:3] == ["0 to 1", "1 to 2", "2 to 3"]
    assert list(bands["value"])[-1] == "unknown"
