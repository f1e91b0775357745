"""A candidate's page tells the verdict that decided, and is no part of the model's identity."""

import json
import shlex

import mlflow
import pytest

from taxi_pipeline import (
    ApplyGate,
    EvaluateModel,
    IngestTrips,
    RegisterModel,
    ReportCandidate,
    TrainModel,
    config,
)
from taxi_pipeline.storage import layout

LINEAR = {"year": 2021, "recipe": "linear"}
TRIP = {"year": 2021, "month": 1, "recipe": "trip"}


def text(task):
    return task.output().file(task.PAGE).read_text()


def test_the_page_tells_verdict_keys_and_content(pipeline):
    task = pipeline.done(ReportCandidate(**TRIP))
    page = text(task)
    for stage in (EvaluateModel, TrainModel, ApplyGate):
        assert stage(**TRIP).key in page
    for month in (1, 2):
        ingested = IngestTrips(year=2021, month=month)
        assert ingested.output().manifest()["files"][IngestTrips.FILE]["sha256"] in page
    assert '2021-01</td><td class="words">training' in page
    assert '2021-02</td><td class="words">evaluation' in page
    assert "Learning curves of the final fits" in page
    assert task.output().manifest()["rmse"] == EvaluateModel(**TRIP).output().manifest()["rmse"]


@pytest.mark.parametrize("recipe", ["linear", "course"])
def test_a_recipe_that_is_not_tuned_has_a_page_as_well(pipeline, recipe):
    page = text(pipeline.done(ReportCandidate(year=2021, month=1, recipe=recipe)))
    assert "nothing was searched" in page
    assert "permutation importance" in page
    assert ("The course chose these parameters" in page) == (recipe == "course")


def test_a_window_of_months_is_told_month_by_month(pipeline):
    page = text(pipeline.done(ReportCandidate(month=2, window=2, **LINEAR)))
    for month, role in (
        ("2021-01", "training"),
        ("2021-02", "training"),
        ("2021-03", "evaluation"),
    ):
        assert f'<td>{month}</td><td class="words">{role}' in page
    assert "trained on 2021-01 to 2021-02" in page


def test_the_command_that_makes_it_again_has_every_option_that_is_not_the_default(pipeline):
    pipeline.configure("cleaning", "max_minutes", "50")
    task = ReportCandidate(**TRIP)
    *_, command = task._commands("abc")
    words = shlex.split(command)
    assert words[:3] == ["taxi-pipeline", "run", "RegisterModel"]
    flags = dict(zip(words[4::2], words[5::2], strict=True))
    assert flags["--cleaning-max-minutes"] == "50.0"
    assert flags["--tuning-trials"] == "1"
    assert (flags["--year"], flags["--month"], flags["--recipe"]) == ("2021", "1", "trip")
    assert not {name for name in flags if name.startswith("--gate")}
    assert next(task._commands("abc")) == "git checkout abc"
    assert len(list(task._commands(None))) == 1


def test_options_that_are_not_the_default_are_known(luigi_config):
    assert config.tuning.changed_values() == {}
    luigi_config("tuning", "trials", "3")
    assert config.tuning.changed_values() == {"tuning.trials": "3"}


def test_a_model_that_is_registered_needs_no_page_again(pipeline):
    task = pipeline.done(RegisterModel(month=1, **LINEAR))
    report = ReportCandidate(month=1, **LINEAR)
    assert report.label not in task.identity().inputs
    for page in pipeline.root.rglob("report/**/report.html"):
        page.unlink()
    assert not report.complete()
    assert RegisterModel(month=1, **LINEAR).complete()


def test_run_and_version_in_mlflow_have_the_page_and_the_gates_record(pipeline):
    task = pipeline.done(RegisterModel(month=1, **LINEAR))
    client = mlflow.MlflowClient(config.tracking().server_uri)
    receipt = task.receipt()
    held = {
        file.path
        for folder in ("report", "gate")
        for file in client.list_artifacts(receipt["run_id"], folder)
    }
    assert held == {"report/report.html", "gate/gate.json"}
    version = client.get_model_version(receipt["model"], receipt["version"])
    assert f"runs/{receipt['run_id']}/artifacts/report/report.html)" in version.description
    assert (pipeline.root / receipt["report"]).exists()
    assert receipt["verdict"] == "REJECTED"


def test_a_page_of_a_verdict_that_was_repeated_tells_the_later_one(pipeline, easy, monkeypatch):
    january = pipeline.done(RegisterModel(month=1, **LINEAR))
    nobody = "taxi_pipeline.tasks.gate.serving_version"
    with monkeypatch.context() as before:
        # As in a backfill of both months at once: nobody was champion when February was judged.
        before.setattr(nobody, lambda _: None)
        first = pipeline.done(ReportCandidate(month=2, **LINEAR))
        assert "there is no champion to compare it with" in text(first)
    task = pipeline.done(RegisterModel(month=2, **LINEAR))
    page = (pipeline.root / task.receipt()["report"]).read_text()
    assert "there is no champion to compare it with" not in page
    assert "the champion, version 1 of 2021-01, which has" in page
    assert january.receipt()["verdict"] == "PROMOTED"
    assert len(pipeline.made("report/green/2021-02")) == 2


def test_who_asks_for_a_page_before_there_is_a_candidate_is_told_so(pipeline):
    task = ReportCandidate(month=1, **LINEAR)
    with pytest.raises(RuntimeError, match="is asked for a page before it ran"):
        task.page_on(None)


def test_the_champion_that_is_compared_is_on_the_page_with_its_figures(pipeline, easy):
    pipeline.done(RegisterModel(month=1, **LINEAR))
    page = text(pipeline.done(ReportCandidate(month=2, **LINEAR)))
    assert "champion, version 1 of 2021-01" in page
    record = json.loads(ApplyGate(month=2, **LINEAR).output().file(ApplyGate.RECORD).read_text())
    figures = record["champion_figures"]
    told = f"{figures['rmse']:.2f}<small>{figures['rmse_low']:.2f} to {figures['rmse_high']:.2f}"
    assert told in page


def test_the_location_of_the_page_is_that_of_its_stage(pipeline):
    task = pipeline.done(ReportCandidate(month=1, **LINEAR))
    assert task.task_dir == layout.task_dir("report", "green", "2021-01", "linear-w1")
