"""A month is scored by the champion of the moment, or by whichever version is asked for."""

import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import EvaluateModel, IngestTrips, RegisterModel, ScoreTrips
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime.reachable import survey
from taxi_pipeline.tasks.base.ledgers import open_ledger, serving_version
from taxi_pipeline.tasks.base.recipe import tracking_server
from taxi_pipeline.tracking.champion import promote_version

LINEAR = {"year": 2021, "recipe": "linear"}
MARCH = {**LINEAR, "month": 3}
NAME = "nyc-green-taxi-duration-linear"


@pytest.fixture
def later_champion(pipeline, champion):
    """Makes a model of two months version 2, and champion."""

    def register():
        pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
        promote_version(tracking_server(), open_ledger(NAME), "2", "a test")

    return register


def predictions(task):
    return pq.read_table(task.output().file(task.FILE))


def refusal(**parameters):
    with pytest.raises(InvalidParameter) as caught:
        ScoreTrips(**parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_published_row_is_scored_by_the_champion(pipeline, champion, console):
    task = pipeline.done(ScoreTrips(**MARCH))
    table = predictions(task)
    published = pq.read_table(IngestTrips(year=2021, month=3).output().file(IngestTrips.FILE))
    assert table.num_rows == published.num_rows == task.output().manifest()["rows"] == 3000
    assert table["PULocationID"].equals(published["PULocationID"])
    assert table["minutes"].null_count == 0
    assert table.schema.metadata[b"model"].decode() == NAME
    assert table.schema.metadata[b"version"] == b"1"
    assert table.schema.metadata[b"candidate_key"].decode() == champion.candidate_key
    assert task.output().location == f"score/green/2021-03/linear-v1/{task.key}"
    assert f"3,000 rows scored by version 1 of {NAME}, loaded from the storage" in console.text


def test_a_later_champion_makes_a_new_output_and_the_old_one_stays(
    pipeline, champion, later_champion
):
    older = pipeline.done(ScoreTrips(**MARCH))
    before = predictions(older)
    later_champion()
    newer = ScoreTrips(**MARCH)
    assert (older.model_version, newer.model_version) == (1, 2)
    assert newer.task_id != older.task_id
    assert not newer.complete()
    pipeline.done(newer)
    assert not predictions(newer)["minutes"].equals(before["minutes"])
    assert older.complete()
    assert predictions(older).equals(before)
    assert len(pipeline.made("score")) == 2
    found = survey(older.storage, [], datetime.now(UTC) + timedelta(days=1))
    assert not found.unknown
    assert not [gone for gone in found.removals if gone.location.startswith("score/")]


def test_a_version_by_its_number_or_by_when_it_served_is_the_same_task(
    pipeline, champion, later_champion
):
    first = open_ledger(NAME).read().champion.since.when
    older = pipeline.done(ScoreTrips(**MARCH))
    later_champion()
    assert ScoreTrips(**MARCH, model_version=1) is older
    assert ScoreTrips(**MARCH, champion_at=first.isoformat()) is older
    assert ScoreTrips(**MARCH, champion_at=datetime.now(UTC).date().isoformat()).model_version == 2
    assert ScoreTrips(**MARCH, model_version=2) is ScoreTrips(**MARCH)


def test_a_version_that_never_served_is_known_by_the_registry(pipeline, champion):
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    if serving_version(NAME).version == "2":
        promote_version(tracking_server(), open_ledger(NAME), "1", "a test")
    task = pipeline.done(ScoreTrips(**MARCH, model_version=2))
    key = EvaluateModel(month=2, window=2, **LINEAR).key
    assert task.output().manifest()["candidate_key"] == key


def test_a_model_that_is_not_under_the_root_predicts_as_mlflow_packaged_it(pipeline, champion):
    from_storage = predictions(pipeline.done(ScoreTrips(**MARCH)))
    shutil.rmtree(pipeline.root / "train")
    shutil.rmtree(pipeline.root / "score")
    pipeline.configure("source", "batch_rows", "1000")
    task = pipeline.done(ScoreTrips(**MARCH))
    assert task.output().manifest()["loaded"] == "as MLflow packaged it"
    minutes = predictions(task)["minutes"].to_numpy()
    np.testing.assert_allclose(minutes, from_storage["minutes"].to_numpy(), rtol=1e-12)


def test_without_a_champion_one_line_says_what_to_do(pipeline):
    line = refusal(**MARCH)
    assert line.startswith(f"no champion of {NAME} is known: RegisterModel makes the first model")
    assert line.endswith("or name one with --model-version")


def test_a_version_and_a_time_are_too_much(pipeline):
    assert "give one" in refusal(**MARCH, model_version=1, champion_at="2021-01-01")


def test_what_is_no_time_is_told(pipeline):
    assert "such as 2021-06-15 or 2021-06-15T12:00" in refusal(**MARCH, champion_at="yesterday")


@pytest.mark.parametrize(
    ("at", "said"),
    [("2021-01-01", "the ledger begins at"), ("2199-01-01", "is in the future")],
    ids=["before", "future"],
)
def test_a_time_at_which_no_champion_is_known_is_told(pipeline, champion, at, said):
    assert said in refusal(**MARCH, champion_at=at)


def test_a_version_that_is_not_there_is_told_once_it_is_looked_for(pipeline, champion):
    pipeline.done(IngestTrips(year=2021, month=3))
    with pytest.raises(InvalidParameter, match=r"has no such version .*, there are 1$"):
        ScoreTrips(**MARCH, model_version=9).identity()


# --- intervals ------------------------------------------------------------------------------------


def without(pipeline, *stages):
    """Scores March with intervals, once the outputs of some stages are gone."""
    for stage in stages:
        shutil.rmtree(pipeline.root / stage)
    return pipeline.done(ScoreTrips(**MARCH, interval=0.8))


def test_with_an_interval_low_and_high_stand_beside_the_minutes(pipeline, champion):
    plain = pipeline.done(ScoreTrips(**MARCH))
    task = pipeline.done(ScoreTrips(**MARCH, interval=0.8))
    table = predictions(task)
    assert table.column_names == [*predictions(plain).column_names, "low", "high"]
    assert table["minutes"].equals(predictions(plain)["minutes"])
    assert table.schema.metadata[b"interval"] == b"0.8"
    found = table.to_pandas()
    assert (found["low"] <= found["minutes"]).all()
    assert (found["minutes"] <= found["high"]).all()
    actual = (found["lpep_dropoff_datetime"] - found["lpep_pickup_datetime"]).dt.total_seconds()
    kept = actual.between(60, 3600)
    held = actual.between(found["low"] * 60, found["high"] * 60)[kept].mean()
    assert held == pytest.approx(0.8, abs=0.06)
    assert task.output().manifest()["loaded"] == "from the storage"


def test_as_mlflow_packaged_it_a_version_has_the_same_intervals(pipeline, champion):
    expected = predictions(pipeline.done(ScoreTrips(**MARCH, interval=0.8)))
    for stages in (("score", "train"), ("score", "intervals")):
        task = without(pipeline, *stages)
        assert task.output().manifest()["loaded"] == "as MLflow packaged it"
        for name in ("minutes", "low", "high"):
            found, wanted = (table[name].to_numpy() for table in (predictions(task), expected))
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_version_without_intervals_is_one_line_and_predicts_without(
    pipeline, champion, console, monkeypatch
):
    monkeypatch.setattr("taxi_pipeline.tracking.packaged._has_intervals", lambda _: False)
    shutil.rmtree(pipeline.root / "intervals")
    task = ScoreTrips(**MARCH, interval=0.8)
    assert not pipeline.run(task).status.name.startswith("SUCCESS")
    assert f"version 1 of {NAME} has no intervals: an earlier version of the pipeline" in (
        console.text
    )
    pipeline.done(ScoreTrips(**MARCH))


def test_without_an_interval_the_identity_is_what_it_was(pipeline, champion):
    pipeline.done(IngestTrips(year=2021, month=3))
    plain, level = ScoreTrips(**MARCH), ScoreTrips(**MARCH, interval=0.9)
    assert "interval" not in plain.identity().parameters
    assert level.identity().parameters["interval"] == "0.9"
    assert plain.key != level.key
    assert ScoreTrips(**MARCH, interval="0") is plain


@pytest.mark.parametrize("interval", [0.3, 1, "much", True, -0.9, float("nan")], ids=str)
def test_an_interval_that_cannot_be_is_told(pipeline, champion, interval):
    line = refusal(**MARCH, interval=interval)
    assert line.startswith("--interval is ")
    assert line.endswith("a share of trips from 0.5 to 0.99, such as 0.9, or 0 for none")
