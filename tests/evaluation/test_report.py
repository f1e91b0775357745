"""Figures of a model, beside what anybody could predict."""

import json

import numpy as np
import pytest
from small_models import JANUARY

from taxi_pipeline.evaluation.gate import best_baseline
from taxi_pipeline.evaluation.metrics import metrics, metrics_with_intervals
from taxi_pipeline.evaluation.report import evaluate


def test_an_evaluation_holds_the_models_and_the_baselines_figures(january, predicted, days, result):
    actual = january["minutes"].to_numpy()
    assert result.rows == len(january)
    assert result.days == 31
    assert result.model == metrics_with_intervals(actual, predicted, days)
    assert set(result.baselines) == {"mean", "zone_pair", "linear"}
    assert result.baselines["mean"]["rmse"] == pytest.approx(actual.std())
    assert result.baselines["mean"]["r2"] == pytest.approx(0)
    assert best_baseline(result.baselines) == "zone_pair"


def test_an_evaluation_is_written_as_plain_json(result):
    content = result.as_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert sum(part["rows"] for part in content["calibration"]) == content["rows"]
    assert content["intervals"]["level"] == 0.95


def test_predictions_are_in_the_order_of_the_trips(january, predicted, result):
    found = result.predictions
    assert (found["pickup_day"] == january["pickup_at"].dt.normalize()).all()
    assert np.allclose(found["actual"], january["minutes"])
    assert np.allclose(found["predicted"], predicted)
    for name, figures in result.baselines.items():
        again = metrics(found["actual"].to_numpy(), found[f"{name}_baseline"].to_numpy())
        assert again["rmse"] == pytest.approx(figures["rmse"], rel=1e-5)


def test_a_month_of_few_days_has_figures_without_intervals(january, predicted):
    first = january["pickup_at"].between("2021-01-01", "2021-01-04").to_numpy()
    content = evaluate(january, january[first], predicted[first], JANUARY).as_dict()
    assert content["days"] == 3
    assert "rmse" in content["model"]
    assert "rmse_low" not in content["model"]
    json.dumps(content, allow_nan=False)
