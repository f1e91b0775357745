"""A model is trained anew where the champion has decayed, and a second run does nothing."""

import luigi
import pytest
from luigi.execution_summary import LuigiStatusCode
from luigi.task_register import Register

from taxi_pipeline import BackfillMonths, MonitorChampion, Month, RegisterModel, RetrainOnDecay
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.plan import plan
from taxi_pipeline.tasks.base.ledgers import open_ledger, serving_version
from taxi_pipeline.trips.synthetic.month import write_month

LINEAR = {"year": 2021, "recipe": "linear"}
MARCH = {**LINEAR, "month": 3}
NAME = "nyc-green-taxi-duration-linear"
OTHER_CITY = "synthetic://?rows=3000&seed=9"


@pytest.fixture(autouse=True)
def easy(monkeypatch):
    """A linear model is no better than the baseline of that name: let it pass nevertheless."""
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)
    for library in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")


@pytest.fixture
def retrain(pipeline, champion, console):
    """Runs it as a new process would; the status and the last line."""

    def run(**parameters):
        Register.clear_instance_cache()
        console.clear()
        result = luigi.build(
            [RetrainOnDecay(**{**MARCH, **parameters})],
            local_scheduler=True,
            detailed_summary=True,
            worker_scheduler_factory=Factory(),
        )
        return result.status, console.messages[-1]

    return run


def test_without_decay_nothing_is_retrained(pipeline, retrain):
    status, line = retrain()
    assert status == LuigiStatusCode.SUCCESS
    assert line.startswith(
        "RetrainOnDecay green 2021-03 linear-w1: nothing is retrained: version 1"
    )
    assert "as promised" in line
    assert RetrainOnDecay(**MARCH).complete()
    assert not RegisterModel(month=2, **LINEAR).complete()
    assert len(pipeline.made("register")) == 1


def test_after_a_decay_the_month_before_is_registered_and_a_second_run_does_nothing(
    pipeline, retrain
):
    pipeline.configure("source", "url", OTHER_CITY)
    status, line = retrain()
    assert status == LuigiStatusCode.SUCCESS
    assert line.startswith(
        "RetrainOnDecay green 2021-03 linear-w1: the model of 2021-02 is version 2"
    )
    assert "since version 1 of 2021-01 in 2021-03: decayed: " in line
    assert serving_version(NAME).version == "2"
    assert RetrainOnDecay(**MARCH).complete()
    made = pipeline.made("monitor") | pipeline.made("register")
    assert retrain() == (LuigiStatusCode.SUCCESS, line)
    assert pipeline.made("monitor") | pipeline.made("register") == made


def test_a_decay_that_is_known_already_is_planned_with_its_retraining(pipeline, retrain):
    pipeline.configure("source", "url", OTHER_CITY)
    assert pipeline.run(MonitorChampion(**MARCH)).status == LuigiStatusCode.SUCCESS
    Register.clear_instance_cache()
    steps = {step.label: step for step in plan(RetrainOnDecay(**MARCH))}
    needed = steps["RetrainOnDecay green 2021-03 linear-w1"].requires
    assert needed == (
        "MonitorChampion green 2021-03 linear-v1",
        "RegisterModel green 2021-02 linear-w1",
    )
    assert steps["MonitorChampion green 2021-03 linear-v1"].state == "done"
    assert retrain()[0] == LuigiStatusCode.SUCCESS
    assert serving_version(NAME).version == "2"


def test_a_pinned_champion_stays_and_the_line_says_so(pipeline, retrain):
    ledger = open_ledger(NAME)
    ledger.append(ledger.read(), "pinned", "1", pinned=True, why="it is known to be good")
    pipeline.configure("source", "url", OTHER_CITY)
    status, line = retrain()
    assert status == LuigiStatusCode.SUCCESS
    assert serving_version(NAME).version == "1"
    assert "is version 2 (" in line
    assert "pinned" in line


def test_a_month_that_is_not_published_decides_nothing(pipeline, retrain):
    pipeline.configure("source", "url", "synthetic://?rows=3000&last=2021-02")
    status, line = retrain()
    assert status == LuigiStatusCode.MISSING_EXT
    assert line.endswith("nothing is decided: waiting for publication")


def test_a_training_month_that_is_not_published_is_waited_for(pipeline, retrain, tmp_path):
    file = tmp_path / "green_tripdata_2021-03.parquet"
    write_month(file, "green", Month(2021, 3), rows=3000, seed=9)
    template = "{taxi}_tripdata_{year}-{month:02d}.parquet"
    pipeline.configure("source", "url", f"file://{tmp_path}/{template}")
    status, line = retrain()
    assert status == LuigiStatusCode.MISSING_EXT
    assert "the model of 2021-02 is not registered yet, since version 1" in line


def test_a_backfill_says_of_each_month_what_was_decided(pipeline, champion, console):
    pipeline.configure("source", "url", f"{OTHER_CITY}&last=2021-04")
    Register.clear_instance_cache()
    months = BackfillMonths(
        of=RetrainOnDecay, of_params={"recipe": "linear"}, start="2021-03", stop="2021-06"
    )
    luigi.build([months], local_scheduler=True, worker_scheduler_factory=Factory())
    march, april, may = [
        line for line in console.messages[-1].splitlines() if line.startswith("RetrainOnDecay")
    ]
    assert "the model of 2021-02 is version 2" in march
    assert "nothing is retrained: version 2 of 2021-02 in 2021-04" in april
    assert may.endswith("nothing is decided: waiting for publication")


def test_a_window_is_that_of_the_new_model(champion):
    task = RetrainOnDecay(**MARCH, window=3)
    assert task.retraining is RegisterModel(month=2, window=3, **LINEAR)
    assert task.monitor is MonitorChampion(**MARCH)


def test_the_month_before_january_is_that_of_the_year_before(champion):
    retraining = RetrainOnDecay(year=2022, month=1, recipe="linear").retraining
    assert (retraining.year, retraining.month) == (2021, 12)


def test_without_a_champion_nothing_is_decided_and_a_line_says_why(pipeline, console):
    result = luigi.build(
        [RetrainOnDecay(**MARCH)],
        local_scheduler=True,
        detailed_summary=True,
        worker_scheduler_factory=Factory(),
    )
    assert result.status == LuigiStatusCode.SCHEDULING_FAILED
    assert "nothing is decided: no champion of" in console.messages[-1]
