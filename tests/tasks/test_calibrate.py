"""Intervals are learned from the window's last days, measured, and registered with the model."""

import json
import shutil

import mlflow
import pandas as pd
import pytest

from taxi_pipeline import (
    BuildFeatures,
    CalibrateIntervals,
    EvaluateModel,
    IngestTrips,
    RegisterModel,
    ReportCandidate,
    TuneHyperparameters,
)
from taxi_pipeline.evaluation.slices import COLUMNS
from taxi_pipeline.model.features import load_features
from taxi_pipeline.model.intervals import Intervals
from taxi_pipeline.storage import to_json
from taxi_pipeline.tuning import holdout

TRIP = {"year": 2021, "month": 1, "recipe": "trip"}
LINEAR = {"year": 2021, "month": 1, "recipe": "linear"}


def coverage(task):
    return json.loads(task.output().file(task.COVERAGE).read_text())


def forget_late(task):
    """Make an output of TuneHyperparameters as versions of before made it."""
    folder = task.output().storage.local_path(task.output().location)
    manifest = task.output().manifest()
    del manifest["files"][task.LATE]
    (folder / "manifest.json").write_text(to_json(manifest))
    (folder / task.LATE).unlink()


@pytest.fixture
def refits(monkeypatch):
    """The recipes that are fitted on the earlier days beside tuning."""
    fitted, predict = [], holdout.predict_late

    def watched(recipe, *arguments, **options):
        fitted.append(type(recipe).__name__)
        return predict(recipe, *arguments, **options)

    monkeypatch.setattr(holdout, "predict_late", watched)
    return fitted


def test_a_tuned_recipe_is_calibrated_by_what_tuning_kept(pipeline, refits, console):
    task = pipeline.done(CalibrateIntervals(**TRIP))
    assert refits == []
    found = coverage(task)
    manifest = task.output().manifest()
    assert manifest["coverage"] == found["coverage"]
    assert manifest["rows"] == EvaluateModel(**TRIP).output().manifest()["rows"]
    assert 0.8 < found["coverage"] < 0.98
    assert f"90% intervals hold {found['coverage']:.1%} of the trips of 2021-02" in console.text


def test_the_coverage_is_that_of_the_intervals_on_the_evaluation_month(pipeline):
    task = pipeline.done(CalibrateIntervals(**TRIP))
    intervals = Intervals.load(task.output().file(task.FILE))
    later = BuildFeatures(year=2021, month=2).output().file(BuildFeatures.FILE)
    month = load_features([later], COLUMNS)
    evaluation = EvaluateModel(**TRIP).output()
    predictions = pd.read_parquet(evaluation.file(EvaluateModel.PREDICTIONS))
    low, high = intervals.bounds(month, predictions["predicted"].to_numpy("float64"), 0.9)
    held = (low <= month["minutes"]) & (month["minutes"] <= high)
    assert coverage(task)["coverage"] == pytest.approx(held.mean(), abs=1e-3)
    assert coverage(task)["width"] == pytest.approx((high - low).mean(), rel=1e-4)


def test_what_an_earlier_version_tuned_is_fitted_again_and_gives_the_same(pipeline, refits):
    task = pipeline.done(CalibrateIntervals(**TRIP))
    expected = coverage(task)
    shutil.rmtree(pipeline.root / "intervals")
    forget_late(TuneHyperparameters(**TRIP))
    pipeline.done(CalibrateIntervals(**TRIP))
    assert refits == ["Trip"]
    found = coverage(task)
    assert found["coverage"] == pytest.approx(expected["coverage"], abs=0.01)
    assert found["width"] == pytest.approx(expected["width"], rel=0.02)


@pytest.mark.parametrize("recipe", ["linear", "course"])
def test_a_recipe_that_is_not_tuned_is_fitted_on_the_earlier_days(pipeline, refits, recipe):
    task = pipeline.done(CalibrateIntervals(year=2021, month=1, recipe=recipe))
    assert refits == [recipe.capitalize()]
    assert 0.8 < coverage(task)["coverage"] < 0.98
    assert ("distance" in Intervals.load(task.output().file(task.FILE)).spread.factors) == (
        recipe == "course"
    )


def test_of_a_window_of_months_the_last_days_of_the_last_are_learned_from(pipeline):
    window = {"year": 2021, "month": 2, "window": 2}
    task = pipeline.done(CalibrateIntervals(recipe="trip", **window))
    late = pd.read_parquet(TuneHyperparameters(**window).output().file(TuneHyperparameters.LATE))
    january = BuildFeatures(year=2021, month=1).output().manifest()["rows"]
    assert late["row"].min() >= january
    assert 0.8 < coverage(task)["coverage"] < 0.98


def test_too_few_trips_make_no_intervals_and_it_is_told_why(pipeline, console):
    pipeline.configure("source", "url", "synthetic://?rows=400")
    task = pipeline.done(RegisterModel(**LINEAR))
    calibrated = CalibrateIntervals(**LINEAR)
    why = coverage(calibrated)["why_not"]
    assert why.startswith("intervals are learned from 200 trips or more, and there are ")
    assert f"CalibrateIntervals green 2021-01 linear-w1: no intervals: {why}" in console.text
    page = ReportCandidate(**LINEAR).output().file(ReportCandidate.PAGE).read_text()
    assert f"The model has none: {why}." in page
    client = mlflow.MlflowClient(f"sqlite:///{pipeline.root}/mlflow/mlflow.db")
    data = client.get_run(task.receipt()["run_id"]).data
    assert "interval_coverage" not in data.metrics
    assert why in data.tags["mlflow.note.content"]


def test_days_without_trips_name_the_option(pipeline):
    pipeline.configure("source", "url", "synthetic://?rows=20")
    pipeline.configure("tuning", "holdout_days", "1")
    task = CalibrateIntervals(**LINEAR)
    pipeline.run(task)
    if task.complete() and "tuning needs both" in coverage(task)["why_not"]:
        assert "[tuning] holdout_days" in coverage(task)["why_not"]
    else:
        assert "intervals are learned from 200" in coverage(task)["why_not"]


def test_a_registered_model_has_them_and_its_run_has_coverage_and_width(pipeline):
    task = pipeline.done(RegisterModel(**TRIP))
    expected = coverage(CalibrateIntervals(**TRIP))
    uri = f"sqlite:///{pipeline.root}/mlflow/mlflow.db"
    client = mlflow.MlflowClient(uri)
    metrics = client.get_run(task.receipt()["run_id"]).data.metrics
    assert metrics["interval_coverage"] == pytest.approx(expected["coverage"])
    assert metrics["interval_width"] == pytest.approx(expected["width"])
    folder = mlflow.artifacts.download_artifacts(
        artifact_uri=client.get_model_version_download_uri(task.model_name, "1"), tracking_uri=uri
    )
    model = mlflow.pyfunc.load_model(folder, suppress_warnings=True)
    published = IngestTrips(year=2021, month=2).output().file(IngestTrips.FILE)
    rows = pd.read_parquet(published)
    found = model.predict(rows, params={"interval": 0.9})
    minutes = (rows["lpep_dropoff_datetime"] - rows["lpep_pickup_datetime"]).dt.total_seconds() / 60
    kept = (minutes >= 1) & (minutes <= 60)
    held = ((found["low"] <= minutes) & (minutes <= found["high"]))[kept].mean()
    assert held == pytest.approx(expected["coverage"], abs=0.01)


def test_intervals_are_no_part_of_the_identity_of_a_registered_model(pipeline):
    task = pipeline.done(RegisterModel(**LINEAR))
    assert CalibrateIntervals(**LINEAR).label not in task.identity().inputs
    shutil.rmtree(pipeline.root / "intervals")
    assert task.complete()
