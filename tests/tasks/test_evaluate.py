"""A model is measured on the month after its window."""

import json

import pytest

from taxi_pipeline import BuildFeatures, EvaluateModel


@pytest.mark.parametrize("recipe", ["trip", "pretrip", "course", "linear"])
def test_every_recipe_trains_a_model_that_predicts_and_is_measured(pipeline, recipe):
    task = EvaluateModel(year=2023, month=1, recipe=recipe)
    pipeline.run(task)
    figures = json.loads(task.output().file(task.METRICS).read_text())
    assert figures["evaluation_month"] == "2023-02"
    assert figures["rows"] == task.requires()["evaluation"].output().manifest()["rows"]
    assert 0 < figures["model"]["mae"] <= figures["model"]["rmse"] < 30
    assert task.output().file(task.PLOT).read_bytes().startswith(b"\x89PNG")
    assert bool(figures["caveat"]) == (recipe == "course")


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
