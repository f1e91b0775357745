"""Where the model of a champion is."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import BuildFeatures, EvaluateModel, TrainModel, TransformTrips
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.tasks.base.ledgers import ServingVersion
from taxi_pipeline.tasks.opponents import (
    evaluated_output,
    inputs_of,
    load_version,
    predict_as_champion,
    trained_output,
    window_months,
)

JANUARY = {"year": 2021, "month": 1, "recipe": "linear"}
FEBRUARY = {"year": 2021, "month": 2, "recipe": "linear", "window": 2}


@pytest.fixture
def champion(pipeline, copy_root):
    task = EvaluateModel(**JANUARY)

    def evaluate():
        assert pipeline.run(task).status.name.startswith("SUCCESS")

    copy_root("linear evaluated", pipeline.root, evaluate)
    return ServingVersion("1", task.key, "2021-01")


def test_a_champion_is_found_under_the_root_whatever_the_window_of_who_asks(champion):
    found = trained_output(EvaluateModel(**FEBRUARY), champion)
    assert found.location == TrainModel(**JANUARY).output().location


def test_a_version_has_the_window_of_its_evaluation_even_if_its_model_is_gone(pipeline, champion):
    shutil.rmtree(pipeline.root / "train")
    assert window_months("green", champion) == 1
    assert window_months("green", champion._replace(candidate_key="")) is None
    shutil.rmtree(pipeline.root / "evaluate")
    assert window_months("green", champion) is None


@pytest.mark.parametrize("key", ["0123456789abcdef", ""], ids=["another", "none"])
def test_a_candidate_that_is_not_under_the_root_has_no_model_there(champion, key):
    assert trained_output(EvaluateModel(**FEBRUARY), champion._replace(candidate_key=key)) is None


def test_a_model_that_was_removed_is_not_there(pipeline, champion):
    shutil.rmtree(pipeline.root / "train")
    assert trained_output(EvaluateModel(**FEBRUARY), champion) is None


def test_the_evaluation_of_a_version_leads_to_what_it_was_made_from(pipeline, champion):
    task = EvaluateModel(**JANUARY)
    evaluated = evaluated_output(task.storage, "green", champion)
    assert evaluated.location == task.output().location
    months = [BuildFeatures(year=2021, month=month).output().location for month in (1, 2)]
    assert [output.location for output in inputs_of(evaluated, BuildFeatures)] == months
    assert [output.location for output in inputs_of(evaluated, TrainModel)] == [
        TrainModel(**JANUARY).output().location
    ]
    assert inputs_of(evaluated, EvaluateModel) == []


def test_a_champion_predicts_a_month_batch_by_batch_as_it_does_the_whole(champion, monkeypatch):
    trips = TransformTrips(year=2021, month=2).output().file(TransformTrips.FILE)
    month = pq.read_table(trips)
    task, batches = EvaluateModel(**FEBRUARY), []

    def counting(model, batch):
        batches.append(batch.num_rows)
        return predict(model, batch)

    predict = DurationModel.predict_trips
    monkeypatch.setattr(DurationModel, "predict_trips", counting)
    monkeypatch.setattr("taxi_pipeline.model.features.PART_ROWS", 1000)
    minutes, loaded = predict_as_champion(task, champion, trips)
    assert loaded == "from the storage"
    assert max(batches) == 1000
    assert sum(batches) == month.num_rows
    with load_version("green", "linear", champion, 1) as (of_all, _):
        np.testing.assert_array_equal(minutes, of_all(month))
