"""Whether a model may become champion."""

import pytest

from taxi_pipeline.evaluation import evaluation


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
