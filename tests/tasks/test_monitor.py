"""A published month tells whether the champion is as good as promised, and decay is told once."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import mlflow
import pandas as pd
import pytest
from luigi.execution_summary import LuigiStatusCode
from luigi.task_register import Register
from webhooks import webhook

from taxi_pipeline import EvaluateModel, MonitorChampion, RegisterModel, config
from taxi_pipeline.errors import (
    DamagedOutput,
    InvalidParameter,
    InvalidTraining,
    StorageError,
    TrackingError,
)
from taxi_pipeline.runtime.reachable import survey
from taxi_pipeline.storage.local import LocalStorage
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import tracking_server
from taxi_pipeline.tracking.champion import promote_version

LINEAR = {"year": 2021, "recipe": "linear"}
MARCH = {**LINEAR, "month": 3}
NAME = "nyc-green-taxi-duration-linear"
OTHER_CITY = "synthetic://?rows=3000&seed=9"


@pytest.fixture
def later_champion(pipeline, champion):
    """A model of January and February is version 2, and champion."""
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    promote_version(tracking_server(), open_ledger(NAME), "2", "a test")


@pytest.fixture
def elsewhere(pipeline, champion):
    """The months to come are those of another city, which the champion does not know."""
    pipeline.configure("source", "url", OTHER_CITY)


@pytest.fixture
def posts(pipeline):
    """What a webhook is told."""
    with webhook() as server:
        pipeline.configure("alerts", "webhook", f"{server.base_url}/services/T0")
        yield server.texts


@pytest.fixture
def registry_down(monkeypatch):
    """A registry that does not answer."""

    def refuse(*_):
        raise TrackingError("the MLflow server does not answer")

    monkeypatch.setattr("taxi_pipeline.tasks.base.ledgers.look_up", refuse)


def refusal(kind, ask):
    """The one line with which something is refused."""
    with pytest.raises(kind) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is found ----------------------------------------------------------------------------


def test_in_the_month_of_its_evaluation_the_champion_does_what_it_promised(pipeline, champion):
    task = pipeline.done(MonitorChampion(month=2, **LINEAR))
    evaluation = EvaluateModel(month=1, **LINEAR).output()
    promised = json.loads(evaluation.file(EvaluateModel.METRICS).read_text())["model"]
    record = task.record()
    assert record["champion"]["figures"] == pytest.approx(promised, rel=1e-6)
    assert record["champion"]["promise"]["figures"] == promised
    assert record["champion"]["verdict"] == "AS PROMISED"
    assert record["frozen"] is None
    slices = pd.read_parquet(task.output().file(task.SLICES))
    assert slices["rmse"].to_numpy() == pytest.approx(slices["promised_rmse"], rel=1e-6)
    table = pd.read_csv(task.output().file(task.SLICES_AS_TEXT))
    assert list(table.columns) == list(slices.columns)


def test_a_later_month_of_the_same_city_is_as_promised_and_tells_nobody(
    pipeline, champion, posts, console
):
    task = pipeline.done(MonitorChampion(**MARCH))
    manifest = task.output().manifest()
    assert task.output().location == f"monitor/green/2021-03/linear-v1/{task.key}"
    assert (manifest["version"], manifest["verdict"]) == ("1", "AS PROMISED")
    assert manifest["rmse"] == task.record()["champion"]["figures"]["rmse"]
    assert manifest["rows"] == task.record()["rows"] > 2500
    assert "version 1 of 2021-01 in 2021-03: as promised: RMSE " in console.text
    assert task.record()["baselines"]["zone_pair"]["rmse"] > manifest["rmse"] / 2
    assert posts == []


def test_a_decay_is_posted_once_for_a_record_with_version_figures_and_advice(
    pipeline, elsewhere, posts, console
):
    task = pipeline.done(MonitorChampion(**MARCH))
    record = task.record()["champion"]
    assert record["verdict"] == "DECAYED"
    (text,) = posts
    assert text.startswith(f"MonitorChampion green 2021-03 linear-v1: {NAME} version 1 of 2021-01 ")
    assert f"RMSE {record['rmse']['value']:.4f} minutes" in text
    assert "[monitoring] max_rmse_excess allows 10.0%" in text
    assert "RetrainOnDecay --year 2021 --month 3 --taxi green --recipe linear" in text
    assert [one.getMessage() for one in console.records if one.levelname == "WARNING"] == [text]
    Register.clear_instance_cache()
    again = pipeline.run(MonitorChampion(**MARCH))
    assert again.status == LuigiStatusCode.SUCCESS
    assert len(posts) == 1


def test_a_decay_whose_record_could_not_be_kept_is_posted_once_it_is(
    pipeline, elsewhere, posts, monkeypatch
):
    def full(*_):
        raise StorageError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStorage, "publish", full)
        task = MonitorChampion(**MARCH)
        assert pipeline.run(task).status == LuigiStatusCode.FAILED
    assert not any("decayed" in text for text in posts)
    posts.clear()
    pipeline.done(task)
    (text,) = posts
    assert " decayed: " in text


def test_other_thresholds_make_another_record(pipeline, elsewhere, posts):
    decayed = pipeline.done(MonitorChampion(**MARCH)).output().location
    for option in ("max_rmse_excess", "max_slice_excess"):
        pipeline.configure("monitoring", option, "inf")
    config.check.cache_clear()
    task = pipeline.done(MonitorChampion(**MARCH))
    assert task.output().location != decayed
    assert task.record()["champion"]["verdict"] == "AS PROMISED"
    assert len(posts) == 1


# --- which versions ---------------------------------------------------------------------------


def test_who_could_have_served_is_judged_beside_the_first_champion(pipeline, later_champion):
    march, april = (MonitorChampion(month=month, **LINEAR) for month in (3, 4))
    assert (march.model_version, march.frozen_version) == (1, 1)
    assert (april.model_version, april.frozen_version) == (2, 1)
    record = pipeline.done(april).record()
    assert [record[role]["version"] for role in ("champion", "frozen")] == ["2", "1"]
    assert record["champion_is"].startswith("the ledger begins on 20")
    assert record["frozen_is"] == "the first champion of the ledger"
    assert record["difference"]["interval"][0] < record["difference"]["value"]
    slices = pd.read_parquet(april.output().file(april.SLICES))
    assert list(slices["version"].unique()) == ["2", "1"]


def test_versions_can_be_named_and_the_record_says_that_they_were(pipeline, later_champion):
    named = MonitorChampion(month=4, model_version=1, frozen_version=2, **LINEAR)
    record = pipeline.done(named).record()
    assert record["champion_is"].startswith("asked for by its number; version 2 is the ledger beg")
    assert record["frozen_is"] == "asked for by its number"


def test_a_champion_of_the_month_or_a_later_one_is_not_counted_beside_one_that_is(
    pipeline, later_champion, posts
):
    task = pipeline.done(MonitorChampion(month=2, model_version=2, frozen_version=1, **LINEAR))
    record, manifest = task.record(), task.output().manifest()
    assert record["champion"]["verdict"] == "NOT KNOWN"
    assert "version 2 is not counted: it was trained on 2021-02" in manifest["summary"]
    assert "rmse" not in manifest
    assert record["frozen"]["verdict"] == "AS PROMISED"
    assert posts == []


@pytest.mark.parametrize("month", [1, 12], ids=["its own", "an earlier"])
def test_a_month_that_says_nothing_is_one_line_before_anything_runs(pipeline, champion, month):
    task = MonitorChampion(year=2021 if month == 1 else 2020, month=month, recipe="linear")
    line = refusal(InvalidParameter, task.complete)
    assert line.endswith("the first month that does is 2021-02")
    assert pipeline.run(task).status == LuigiStatusCode.SCHEDULING_FAILED
    assert not (pipeline.root / "monitor").exists()


def test_a_month_that_is_not_published_is_waited_for(pipeline, champion):
    pipeline.configure("source", "url", "synthetic://?rows=3000&last=2021-02")
    assert pipeline.run(MonitorChampion(**MARCH)).status == LuigiStatusCode.MISSING_EXT


def test_without_a_champion_one_line_says_what_to_do(pipeline):
    line = refusal(InvalidParameter, lambda: MonitorChampion(**MARCH))
    assert line.startswith(f"no champion of {NAME} is known")


def test_a_damaged_ledger_is_one_line_that_names_the_file(pipeline, champion):
    (pipeline.root / "champions" / NAME / "00001.json").write_text("{")
    line = refusal(DamagedOutput, lambda: MonitorChampion(**MARCH))
    assert f"champions/{NAME}/00001.json" in line
    assert "verify --repair" in line


# --- what is no longer there ------------------------------------------------------------------


def test_with_the_registry_down_the_root_and_the_ledger_are_enough(
    pipeline, champion, registry_down
):
    assert pipeline.done(MonitorChampion(**MARCH)).record()["champion"]["promise"]


def test_a_model_that_is_not_under_the_root_is_judged_by_what_mlflow_holds(pipeline, champion):
    expected = pipeline.done(MonitorChampion(**MARCH)).record()["champion"]
    for stage in ("train", "evaluate", "monitor"):
        shutil.rmtree(pipeline.root / stage)
    record = pipeline.done(MonitorChampion(**MARCH)).record()
    found = record["champion"]
    assert found["figures"]["rmse"] == pytest.approx(expected["figures"]["rmse"], rel=1e-9)
    assert found["promise"]["month"] == "2021-02"
    assert found["promise"]["source"] == "its run in MLflow"
    assert found["rmse"]["promised"] == pytest.approx(expected["rmse"]["promised"])
    assert found["decisive"][-1].startswith("slices are not compared")
    assert record["baselines"] == {}


@pytest.fixture
def deleted(pipeline, later_champion):
    """Removes a version from the root and from the registry."""

    def delete(version):
        shutil.rmtree(pipeline.root / "train")
        mlflow.MlflowClient(config.tracking().server_uri).delete_model_version(NAME, version)

    return delete


def test_a_champion_that_was_deleted_is_one_line_that_says_how_to_name_another(pipeline, deleted):
    task = MonitorChampion(month=4, **LINEAR)
    pipeline.done(task.requires()["features"])
    deleted("2")
    line = refusal(InvalidTraining, task.run)
    assert "version 2" in line
    assert line.endswith("name another with --model-version")


def test_a_frozen_version_that_was_deleted_is_told_and_the_champion_is_judged(pipeline, deleted):
    deleted("1")
    record = pipeline.done(MonitorChampion(month=4, **LINEAR)).record()
    assert record["frozen"]["verdict"] == "NOT KNOWN"
    assert "is not in the registry any more" in record["frozen"]["decisive"][0]
    assert record["champion"]["verdict"] == "AS PROMISED"


def test_where_neither_version_counts_a_line_says_why(pipeline, deleted):
    task = MonitorChampion(month=2, model_version=2, frozen_version=1, **LINEAR)
    deleted("1")
    line = refusal(InvalidTraining, task.run)
    assert line.startswith("version 2: it was trained on 2021-02; version 1: ")


def test_what_was_monitored_is_kept_by_prune_after_another_champion(pipeline, champion, posts):
    pipeline.done(MonitorChampion(**MARCH))
    pipeline.done(RegisterModel(month=2, window=2, **LINEAR))
    promote_version(tracking_server(), open_ledger(NAME), "2", "a test")
    task = pipeline.done(MonitorChampion(month=4, **LINEAR))
    found = survey(task.storage, [], datetime.now(UTC) + timedelta(days=1))
    assert not found.unknown
    assert not [gone for gone in found.removals if gone.location.startswith("monitor/")]
    assert len(pipeline.made("monitor")) == 2
