"""A model is measured on the month after its window."""

import json

import numpy as np
import pandas as pd
import pytest

from taxi_pipeline import BuildFeatures, EvaluateModel


@pytest.mark.parametrize(
    "recipe",
    [
        "trip",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("pretrip", "course")),
        "linear",
    ],
)
def test_every_recipe_trains_a_model_that_predicts_and_is_measured(pipeline, recipe):
    task = EvaluateModel(year=2023, month=1, recipe=recipe)
    pipeline.run(task)
    figures = json.loads(task.output().file(task.METRICS).read_text())
    assert figures["evaluation_month"] == "2023-02"
    assert figures["rows"] == task.requires()["evaluation"].output().manifest()["rows"]
    assert 0 < figures["model"]["mae"] <= figures["model"]["rmse"] < 30
    assert task.output().file(task.PLOT).read_bytes().startswith(b"\x89PNG")
    assert bool(figures["caveat"]) == (recipe == "course")


def test_an_evaluation_holds_intervals_slices_and_predictions(pipeline):
    task = EvaluateModel(year=2023, month=1, recipe="linear")
    pipeline.run(task)
    figures = json.loads(task.output().file(task.METRICS).read_text())
    assert figures["days"] == 28
    for measured in (figures["model"], *figures["baselines"].values()):
        assert measured["rmse_low"] < measured["rmse"] < measured["rmse_high"]
    slices = pd.read_parquet(task.output().file(task.SLICES))
    assert set(slices["slice"]) == {"hour", "weekday", "borough_pair", "miles", "origin"}
    as_text = pd.read_csv(task.output().file(task.SLICES_AS_TEXT), keep_default_na=False)
    assert as_text["value"].tolist() == slices["value"].tolist()
    features = pd.read_parquet(task.requires()["evaluation"].output().file(BuildFeatures.FILE))
    predictions = pd.read_parquet(task.output().file(task.PREDICTIONS))
    assert np.allclose(predictions["actual"], features["minutes"])
    error = predictions["predicted"] - predictions["actual"]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(figures["model"]["rmse"], rel=1e-5)
    assert predictions["predicted"].dtype == np.float32


def test_the_baseline_of_least_squares_is_what_the_recipe_linear_has(pipeline):
    task = EvaluateModel(year=2023, month=1, recipe="linear")
    pipeline.run(task)
    figures = json.loads(task.output().file(task.METRICS).read_text())
    assert figures["baselines"]["linear"]["rmse"] == pytest.approx(figures["model"]["rmse"], 1e-3)


def test_the_evaluation_month_has_no_part_in_the_model(pipeline):
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    pipeline.run(task)
    trained = task.requires()["model"].output().location
    tuned = task.requires()["model"].requires()["tuning"].output().location
    february = BuildFeatures(year=2021, month=2)
    ancestors = {trained, tuned}
    assert february.key not in json.dumps(
        [pipeline_manifest(pipeline, location) for location in ancestors]
    )


def pipeline_manifest(pipeline, location):
    return json.loads((pipeline.root / location / "manifest.json").read_text())
