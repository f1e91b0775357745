"""Each stage, run by a real worker on small files of both eras."""

import json

import luigi
import pandas as pd
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import (
    BuildFeatures,
    EvaluateModel,
    IngestTrips,
    TrainModel,
    TransformTrips,
    TuneHyperparameters,
)
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.features import FEATURES
from taxi_pipeline.storage import sha256
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.synthetic.published_schema import columns

ERAS = [(2021, 1), (2023, 1), (2025, 1)]  # from 2023-01 to 02 the published types change


@pytest.mark.parametrize(("year", "month"), ERAS)
@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_ingesting_keeps_the_published_file_as_it_is_under_its_content(pipeline, taxi, year, month):
    task = IngestTrips(year=year, month=month, taxi=taxi)
    assert not task.complete()
    assert pipeline.run(task).scheduling_succeeded
    assert task.complete()
    file = task.output().file(task.FILE)
    assert pq.read_schema(file).names == columns(taxi, task.calendar_month).names
    assert sha256(file).startswith(file.parent.name)


@pytest.mark.parametrize(("year", "month"), ERAS)
@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_transforming_writes_canonical_trips_and_counts_every_row_in_the_report(
    pipeline, taxi, year, month
):
    task = TransformTrips(year=year, month=month, taxi=taxi)
    pipeline.run(task)
    trips = pq.read_table(task.output().file(task.FILE))
    report = json.loads(task.output().file(task.QUALITY).read_text())
    assert trips.schema.equals(schema.TRIP)
    assert report["rows_read"] == 3000
    assert trips.num_rows == report["rows_kept"]
    assert report["rows_kept"] + sum(report["rows_dropped"].values()) == report["rows_read"]


def test_a_stricter_rule_is_taken_from_the_configuration(pipeline):
    pipeline.configure("cleaning", "max_minutes", "20")
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)
    minutes = pq.read_table(task.output().file(task.FILE))["minutes"].to_numpy()
    assert minutes.max() <= 20


def test_a_failure_names_the_options_that_its_cause_comes_from(pipeline, tmp_path, console):
    (tmp_path / "2021-01.parquet").write_text("<html></html>")
    pipeline.configure("source", "url", f"{tmp_path}/{{year}}-{{month:02d}}.parquet")
    assert pipeline.run(IngestTrips(year=2021, month=1)).status == luigi.LuigiStatusCode.FAILED
    (error,) = [record.getMessage() for record in console.records if record.levelname == "ERROR"]
    assert "; check [source] url, and whether it wants a login" in error


def test_rules_that_no_trip_passes_are_named_by_their_section(pipeline, console):
    pipeline.configure("cleaning", "min_minutes", "59.99")
    pipeline.configure("cleaning", "max_minutes", "59.99")
    pipeline.configure("cleaning", "min_miles", "1e9")
    assert pipeline.run(TransformTrips(year=2021, month=1)).status == luigi.LuigiStatusCode.FAILED
    (error,) = [record.getMessage() for record in console.records if record.levelname == "ERROR"]
    assert "; widen them, as by [cleaning] min_minutes or [cleaning] max_minutes" in error


def test_features_are_one_row_a_trip_in_the_order_of_the_trips(pipeline):
    task = BuildFeatures(year=2021, month=1)
    pipeline.run(task)
    features = pd.read_parquet(task.output().file(task.FILE))
    trips = pd.read_parquet(task.requires().output().file(TransformTrips.FILE))
    assert list(features.columns) == ["pickup_at", "minutes", *FEATURES]
    pd.testing.assert_series_equal(features["minutes"], trips["minutes"])


def test_tuning_writes_one_row_a_trial_and_chooses_the_best_or_the_recipes_own(pipeline):
    pipeline.configure("tuning", "trials", "3")
    task = TuneHyperparameters(year=2021, month=1)
    pipeline.run(task)
    trials = pd.read_csv(task.output().file(task.TRIALS))
    choice = json.loads(task.output().file(task.CHOICE).read_text())
    assert len(trials) == 3
    finalists = trials.loc[[0, trials["rmse"].idxmin()], "reg_lambda"].to_numpy()
    assert abs(finalists - choice["parameters"]["reg_lambda"]).min() < 1e-9


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


def test_a_window_trains_on_all_its_months(pipeline):
    task = TrainModel(year=2023, month=2, recipe="linear", window=3)
    pipeline.run(task)
    months = [required.output().manifest() for required in task.requires()["window"]]
    assert [manifest["label"] for manifest in months] == [
        "BuildFeatures green 2022-12",
        "BuildFeatures green 2023-01",
        "BuildFeatures green 2023-02",
    ]
    rows = sum(manifest["rows"] for manifest in months)
    assert task.output().manifest()["rows"] == rows
    DurationModel.load(task.output().file(task.MODEL))


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
