"""Figures of a model, beside what anybody could predict."""

import json

import pytest

from taxi_pipeline.evaluation.gate import best_baseline
from taxi_pipeline.evaluation.metrics import metrics


def test_an_evaluation_holds_the_models_and_the_baselines_figures(january, predicted, result):
    actual = january["minutes"].to_numpy()
    assert result.rows == len(january)
    assert result.model == metrics(actual, predicted)
    assert set(result.baselines) == {"mean", "zone_pair"}
    assert result.baselines["mean"]["rmse"] == pytest.approx(actual.std())
    assert result.baselines["mean"]["r2"] == pytest.approx(0)
    assert best_baseline(result.baselines) == "zone_pair"
    assert json.loads(json.dumps(result.as_dict())) == result.as_dict()
