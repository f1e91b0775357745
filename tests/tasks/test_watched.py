"""What a version predicts for a month, and what its evaluation promised."""

import shutil

import pandas as pd
import pytest

from taxi_pipeline import EvaluateModel, MonitorChampion, TransformTrips
from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.tasks import watched
from taxi_pipeline.tasks.base.ledgers import ServingVersion
from taxi_pipeline.tasks.watched import promise_of, watch, window_trips

JANUARY = {"year": 2021, "month": 1, "recipe": "linear"}


@pytest.fixture
def version(pipeline, copy_root):
    """A model of January that is evaluated, and no more than that."""
    task = EvaluateModel(**JANUARY)

    def evaluate():
        assert pipeline.run(task).status.name.startswith("SUCCESS")

    copy_root("linear evaluated", pipeline.root, evaluate)
    return ServingVersion("1", task.key, "2021-01")


@pytest.fixture
def monitor():
    """Asks about a month."""

    def of(month):
        return MonitorChampion(
            year=2021, month=month, recipe="linear", model_version=1, frozen_version=1
        )

    return of


@pytest.fixture
def february():
    return TransformTrips(year=2021, month=2).output().file(TransformTrips.FILE)


def test_a_version_predicts_every_trip_and_has_the_promise_of_its_evaluation(
    version, monitor, february
):
    found = watch(monitor(2), version, february)
    rows = TransformTrips(year=2021, month=2).output().manifest()["rows"]
    assert len(found.minutes) == rows
    assert (found.promise.month, found.promise.source) == ("2021-02", "its evaluation")
    assert set(found.promise.slices["slice"]) >= {"hour", "weekday"}


def test_a_version_that_was_trained_on_the_month_is_not_even_loaded(
    version, monitor, february, monkeypatch
):
    monkeypatch.setattr(watched, "predict_as_champion", pytest.fail)
    found = watch(monitor(1), version, february)
    assert found.minutes is None
    assert found.why_not == "it was trained on 2021-01"


@pytest.fixture
def gone(version, pipeline):
    """The version is nowhere: not under the root, and never was in the registry."""
    for stage in ("train", "evaluate"):
        shutil.rmtree(pipeline.root / stage)
    return version


def test_a_version_that_is_nowhere_is_an_error_where_it_is_required(gone, monitor, february):
    with pytest.raises(InvalidTraining, match=r"name another with --model-version$"):
        watch(monitor(2), gone, february)


def test_a_version_that_is_nowhere_does_not_count_where_it_is_not(gone, monitor, february):
    found = watch(monitor(2), gone, february, required=False)
    assert found.minutes is None
    assert "version 1 of nyc-green-taxi-duration-linear" in found.why_not


def test_a_version_that_is_nowhere_promised_nothing_that_is_known(gone, monitor):
    assert promise_of(monitor(2), gone) is None
    assert window_trips(monitor(2), gone) is None


def test_the_training_window_is_what_the_model_was_trained_on(version, monitor):
    window = pd.concat(window_trips(monitor(2), version))
    rows = TransformTrips(year=2021, month=1).output().manifest()["rows"]
    assert len(window) == rows
    assert {"pickup_zone", "dropoff_zone", "minutes"} <= set(window.columns)


def test_features_that_were_removed_are_no_training_window(version, monitor, pipeline):
    shutil.rmtree(pipeline.root / "features" / "green" / "2021-01")
    assert window_trips(monitor(2), version) is None
