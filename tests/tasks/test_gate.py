"""The gate is a stage: a candidate is judged once, beside the champion of that moment."""

import json
import shutil
from dataclasses import replace

import pytest

from taxi_pipeline import ApplyGate, EvaluateModel, RegisterModel, TrainModel
from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.local import LocalStorage
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import tracking_server
from taxi_pipeline.tracking.champion import set_pin

LINEAR = {"year": 2021, "recipe": "linear"}
NAME = "nyc-green-taxi-duration-linear"


def record(pipeline, **parameters):
    task = pipeline.done(ApplyGate(**{**LINEAR, **parameters}))
    return json.loads(task.output().file(task.RECORD).read_text())


def pointers(pipeline):
    return sorted(pipeline.root.glob(f"gate/**/{layout.CHAMPION_PREFIX}*.json"))


def test_without_a_champion_the_baselines_decide(pipeline):
    found = record(pipeline, month=1)
    assert found["verdict"] == "REJECTED"
    assert found["compared_with"] is None
    assert set(found["baselines"]) == {"mean", "zone_pair", "linear"}
    assert "[gate] min_gain asks for 0.0% below" in found["decisive"][0]
    assert found["candidate"] == EvaluateModel(month=1, **LINEAR).key


def test_a_later_candidate_is_compared_with_the_champion_from_the_storage(pipeline, champion, easy):
    found = record(pipeline, month=2)
    assert champion.candidate_key == EvaluateModel(month=1, **LINEAR).key
    assert found["compared_with"] == {**champion._asdict(), "loaded": "from the storage"}
    assert len(found["champion"]["rmse"]["interval"]) == 2
    assert "the champion, version 1 of 2021-01, which has" in found["reasons"][1]


def test_a_verdict_says_that_the_champion_was_made_of_other_trips(pipeline, champion, easy):
    assert not any("other trips" in reason for reason in record(pipeline, month=2)["reasons"])
    pipeline.configure("cleaning", "max_minutes", "45")
    for month in (1, 2):
        found = record(pipeline, month=month)
        told = "for version 1 other trips counted: cleaning.max_minutes was 60.0, is 45.0"
        assert told in found["reasons"]
    assert told in ApplyGate(month=2, **LINEAR).output().manifest()["summary"]


def test_a_candidate_is_judged_once_whoever_is_champion_later(pipeline, easy):
    task = pipeline.done(RegisterModel(month=1, **LINEAR))
    gate = ApplyGate(month=1, **LINEAR)
    key, receipt = gate.key, task.key
    assert gate.identity().config["champion"] == "none"
    pipeline.done(RegisterModel(month=2, **LINEAR))
    assert ApplyGate(month=1, **LINEAR).key == key
    assert RegisterModel(month=1, **LINEAR).key == receipt
    assert RegisterModel(month=1, **LINEAR).complete()
    assert len(pointers(pipeline)) == 2


def test_other_options_judge_again_beside_the_champion_of_that_moment(pipeline, champion, easy):
    pipeline.configure("gate", "min_champion_gain", "0.5")
    gate = ApplyGate(month=1, **LINEAR)
    assert gate.identity().config["champion"] == champion.candidate_key
    assert not gate.complete()
    found = record(pipeline, month=1)
    assert found["verdict"] == "PROMOTED"
    assert found["decisive"][1] == "it is the champion itself"


def test_a_gate_that_is_interrupted_compares_with_the_same_champion_again(
    pipeline, champion, monkeypatch
):
    publish = LocalStorage.publish

    def interrupted(storage, folder, location):
        if location.startswith("gate/"):
            raise RuntimeError("interrupted")
        publish(storage, folder, location)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "publish", interrupted)
        assert not pipeline.run(ApplyGate(month=2, **LINEAR)).status.name.startswith("SUCCESS")
    (pipeline.root / "champions").rename(pipeline.root / "elsewhere")
    assert ApplyGate(month=2, **LINEAR).identity().config["champion"] == champion.candidate_key
    assert record(pipeline, month=2)["compared_with"]["version"] == "1"


def test_a_damaged_pointer_is_written_anew(pipeline, console):
    record(pipeline, month=1)
    (pointer,) = pointers(pipeline)
    before = pointer.read_text()
    pointer.write_text('{"champion": 5}')
    shutil.rmtree(ApplyGate(month=1, **LINEAR).storage.local_path("gate/green/2021-01/linear-w1"))
    record(pipeline, month=1)
    assert pointers(pipeline)[0].read_text() == before


def test_a_champion_of_a_newer_month_stays_since_a_comparison_would_not_be_fair(pipeline, easy):
    pipeline.done(RegisterModel(month=3, **LINEAR))
    found = record(pipeline, month=2)
    assert found["verdict"] == "KEPT"
    assert "newer month 2021-03" in found["decisive"][0]
    assert found["champion"] == {}


def test_a_champion_of_other_features_is_loaded_as_mlflow_packaged_it(
    pipeline, champion, easy, monkeypatch
):
    expected = record(pipeline, month=2)
    for folder in pipeline.root.glob("gate/green/2021-02"):
        shutil.rmtree(folder)

    def refuses(*_):
        raise InvalidTraining("its features mean something else")

    monkeypatch.setattr(DurationModel, "load", refuses)
    found = record(pipeline, month=2)
    assert found["compared_with"]["loaded"] == "as MLflow packaged it"
    assert found["champion"]["rmse"]["value"] == pytest.approx(
        expected["champion"]["rmse"]["value"], abs=1e-6
    )


def test_a_champion_that_is_nowhere_stays_and_the_reason_is_said(pipeline, easy):
    # Of a copied root the files of MLflow would be found where it was copied from.
    pipeline.done(RegisterModel(month=1, **LINEAR))
    pipeline.done(EvaluateModel(month=2, **LINEAR))
    shutil.rmtree(pipeline.root / "train" / "green" / "2021-01")
    shutil.rmtree(pipeline.root / "mlflow" / "artifacts")
    task = ApplyGate(month=2, **LINEAR)
    assert not TrainModel(month=1, **LINEAR).complete()
    pipeline.done(task)
    found = json.loads(task.output().file(task.RECORD).read_text())
    assert found["verdict"] == "KEPT"
    assert "the champion, version 1, is not compared and stays" in found["decisive"][0]
    assert "PromoteModel replaces it" in found["decisive"][0]


@pytest.fixture
def pinned(champion):
    """A person has pinned January's model; what the record is to say of that."""
    set_pin(tracking_server(), open_ledger(NAME), pinned=True, reason="holidays")
    pin = open_ledger(NAME).read().changes[-1]
    return (
        f"as of {pin.when:%Y-%m-%d}, version 1 is pinned since {pin.when:%Y-%m-%d} by {pin.by} "
        "(holidays): no candidate becomes champion until that is lifted"
    )


def test_record_and_log_say_that_the_champion_is_pinned_beside_the_verdict(pipeline, pinned, easy):
    task = pipeline.done(ApplyGate(month=2, **LINEAR))
    found = json.loads(task.output().file(task.RECORD).read_text())
    assert found["reasons"][-1] == pinned
    assert pinned not in found["decisive"]
    log = (pipeline.root / task.output().manifest()["log"]).read_text()
    assert f"{found['verdict']}: {'; '.join([*found['decisive'], pinned])}" in log.splitlines()[-1]
    # A pin that is lifted makes nothing stale, and has no part in what is decided then.
    key = task.key
    set_pin(tracking_server(), open_ledger(NAME), pinned=False, reason="")
    assert (task.key, task.complete()) == (key, True)
    verdict, _ = task.verdict()
    assert verdict.reason == "; ".join(found["decisive"])


def test_the_registry_ledger_and_receipt_say_what_the_gate_said(pipeline, champion):
    gate = ApplyGate(month=1, **LINEAR)
    change = pipeline.root / "champions" / NAME / "00001.json"
    location = json.loads(change.read_text())["gate_record"]
    assert pipeline.root / location == gate.output().file(gate.RECORD)


def test_a_champion_that_no_ledger_knows_is_told_by_its_key(pipeline, champion):
    gate = ApplyGate(month=2, **LINEAR)
    now = gate.identity_of({})
    for name, told in ((champion.candidate_key, "version 1"), ("f" * 16, "f" * 16), ("none",) * 2):
        older = replace(now, config={**now.config, "champion": name})
        later = replace(now, config={**now.config, "champion": "0" * 16})
        assert gate._changes(older, later) == [f"champion was {told}, is {'0' * 16}"]


def test_a_champion_that_came_between_gate_and_registration_is_compared_with_first(pipeline, easy):
    gate = pipeline.done(ApplyGate(month=2, **LINEAR))
    judged_before = gate.key
    pipeline.done(RegisterModel(month=1, **LINEAR))
    task = pipeline.done(RegisterModel(month=2, **LINEAR))
    assert gate.key != judged_before
    assert gate.identity().config["champion"] == EvaluateModel(month=1, **LINEAR).key
    assert task.complete()
    assert task.output().manifest()["identity"]["inputs"][gate.label] == gate.key
    assert len(pipeline.made("register")) == 2
    # The repeated gate has a log of its own, as the first has.
    log = gate.output().manifest()["log"]
    assert log in gate.storage.file_sizes("").keys() - {gate.manifest_of(judged_before)["log"]}
    lines = (pipeline.root / log).read_text().splitlines()
    assert lines[0].endswith(f"{gate.label}: starts, since champion was none, is version 1")
    assert f"{gate.label}: {gate.output().manifest()['summary']}" in lines[-1]
