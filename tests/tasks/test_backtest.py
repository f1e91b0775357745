"""A backtest of a range: what it requires, shares and tells."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from taxi_pipeline import (
    BackfillMonths,
    BacktestRecipe,
    BuildFeatures,
    EvaluateModel,
    ReportCandidate,
    TrainModel,
)
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.month import Month
from taxi_pipeline.runtime import reachable

RANGE = {"start": Month(2021, 1), "stop": Month(2021, 4)}
LINEAR = {"recipe": "linear"}
MONTHS = (1, 2, 3)


def result(task):
    return json.loads(task.output().file(task.RESULT).read_text())


def evaluation(month, **further):
    return EvaluateModel(year=2021, month=month, **{**LINEAR, **further})


def test_figures_are_those_of_the_ordinary_evaluations(pipeline, easy):
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    found = result(task)
    assert found["trained_to"] == ["2021-01", "2021-02", "2021-03"]
    for month, told in zip(MONTHS, found["months"], strict=True):
        manifest = evaluation(month).output().manifest()
        assert told["retrained"]["rmse"] == manifest["rmse"]
        assert told["rows"] == manifest["rows"]
    first, *later = found["months"]
    assert first["frozen"] == first["retrained"]
    assert all(month["frozen"] != month["retrained"] for month in later)
    assert [month["champion"] for month in found["months"]][:2] == [None, "2021-01"]
    assert later[0]["champion_figures"] == later[0]["frozen"]


def test_answer_table_and_page_say_the_same(pipeline, easy, console):
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    found = result(task)
    output = task.output()
    assert found["sentence"].startswith("Monthly retraining ")
    assert f"{task.label}: {found['sentence']} {found['gate_sentence']}" in console.text
    assert found["sentence"] in output.file(task.PAGE).read_text()
    table = pd.read_parquet(output.file(task.TABLE))
    assert list(table["frozen_rmse"]) == [month["frozen"]["rmse"] for month in found["months"]]
    written = pd.read_csv(output.file(task.TABLE_AS_TEXT))
    assert list(written["verdict"]) == [month["verdict"] for month in found["months"]]
    manifest = output.manifest()
    assert manifest["rows"] == found["retraining"]["rows"]
    assert manifest["rmse"] == found["retraining"]["first_rmse"]


def test_nothing_is_registered_and_a_second_run_makes_nothing(pipeline, console):
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert not (pipeline.root / "mlflow").exists()
    assert not (pipeline.root / "champions").exists()
    made = {path: path.stat().st_mtime_ns for path in pipeline.root.rglob("*")}
    console.clear()
    pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert "Did not run any tasks" in console.text
    assert {path: path.stat().st_mtime_ns for path in pipeline.root.rglob("*")} == made
    assert task.complete()


def test_months_are_shared_with_the_ordinary_tasks_before_and_after(pipeline):
    before = pipeline.done(evaluation(1)).output().manifest()
    pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert evaluation(1).output().manifest() == before
    made = pipeline.made("evaluate")
    assert len(made) == len(MONTHS)
    for month in MONTHS:
        assert evaluation(month).complete()
    pipeline.done(ReportCandidate(year=2021, month=3, **LINEAR))
    assert pipeline.made("evaluate") == made


def test_a_longer_range_makes_the_months_that_are_new(pipeline):
    pipeline.done(BacktestRecipe(start=Month(2021, 1), stop=Month(2021, 3), **LINEAR))
    trained = pipeline.made("train")
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert len(pipeline.made("train") - trained) == 1
    assert task.task_dir == "backtest/green/2021-03/linear-w1-from-2021-01"
    assert len(pipeline.made("backtest")) == 2


def test_the_last_model_predicts_no_later_month(pipeline):
    required = BacktestRecipe(**RANGE, **LINEAR).requires()
    assert required["models"] == [
        TrainModel(year=2021, month=month, **LINEAR) for month in MONTHS[:-1]
    ]
    assert required["features"] == [BuildFeatures(year=2021, month=month + 1) for month in MONTHS]
    assert required["evaluations"] == [evaluation(month) for month in MONTHS]


def test_a_tuned_recipe_with_a_window_is_walked_as_well(pipeline):
    task = BacktestRecipe(
        start=Month(2021, 2), stop=Month(2021, 4), recipe="trip", window=2, taxi="yellow"
    )
    found = result(pipeline.done(task))
    assert task.label == "BacktestRecipe yellow 2021-02 to 2021-03 trip-w2"
    assert (found["taxi"], found["window"]) == ("yellow", 2)
    assert found["months"][0]["verdict"] == "PROMOTED"
    assert "windows of 2 months" in task.output().file(task.PAGE).read_text()


def test_the_rules_of_the_gate_are_those_of_now(pipeline, easy):
    lenient = result(pipeline.done(BacktestRecipe(**RANGE, **LINEAR)))
    pipeline.configure("gate", "min_champion_gain", "0.9")
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    strict = result(task)
    assert strict["gate"]["gate.min_champion_gain"] == "0.9"
    assert [month["champion_after"] for month in strict["months"]] == ["2021-01"] * 3
    assert strict["sentence"] == lenient["sentence"]
    assert "[gate] min_champion_gain asks for 90.0% below" in strict["months"][1]["reasons"][0]
    assert task.output().manifest()["since"] == ["gate.min_champion_gain was 0.0, is 0.9"]


def test_other_cleaning_makes_another_backtest_and_the_older_one_stays(pipeline):
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    older = result(task)
    pipeline.configure("cleaning", "max_minutes", "40")
    assert not task.complete()
    newer = result(pipeline.done(BacktestRecipe(**RANGE, **LINEAR)))
    assert newer["retraining"]["rows"] < older["retraining"]["rows"]
    assert "cleaning.max_minutes was 60.0, is 40.0" in task.output().manifest()["since"]
    pipeline.configure("cleaning", "max_minutes", "60")
    assert task.complete()
    assert result(task) == older


def test_damage_in_an_evaluation_is_one_line_and_the_next_run_mends_it(pipeline, console):
    pipeline.done(evaluation(1))
    pipeline.done(evaluation(2))
    path = evaluation(2).output().file(EvaluateModel.PREDICTIONS)
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 255]) + content[-8:])
    task = BacktestRecipe(start=Month(2021, 1), stop=Month(2021, 3), **LINEAR)
    assert pipeline.run(task).status.name == "FAILED"
    (line,) = (text for text in console.messages if "is damaged" in text)
    assert "its predictions.parquet is not what was published; it was set aside as" in line
    assert ": run the same command again, and it is made anew (log " in line
    pipeline.done(task)
    assert evaluation(2).output().file(EvaluateModel.PREDICTIONS).read_bytes() == content


def test_a_month_that_is_not_published_is_named_in_one_line(pipeline, console):
    pipeline.configure("source", "url", "synthetic://?rows=3000&last=2021-03")
    found = pipeline.run(BacktestRecipe(**RANGE, **LINEAR))
    assert found.status.name == "MISSING_EXT"
    (line,) = {text for text in console.messages if "not published yet" in text}
    assert line.startswith("green 2021-04: not published yet at ")
    assert evaluation(2).complete()


@pytest.mark.parametrize("stop", ["2021-02", "2021-01", "2020-12"])
def test_a_range_of_fewer_than_two_months_is_refused_in_one_line(pipeline, stop):
    with pytest.raises(InvalidParameter) as refused:
        BacktestRecipe(start=Month(2021, 1), stop=Month.parse(stop), **LINEAR)
    line = str(refused.value)
    assert line.startswith(f"--start 2021-01 --stop {stop}: a backtest needs two months or more")
    assert "\n" not in line


def test_a_backfill_of_backtests_is_refused(pipeline):
    with pytest.raises(InvalidParameter, match="it has no parameters year and month"):
        BackfillMonths(of=BacktestRecipe, **RANGE)


def test_the_page_is_linked_from_the_schedulers(pipeline, monkeypatch):
    pipeline.configure("storage", "url", "https://files.example/")
    linked = []
    monkeypatch.setattr(BacktestRecipe, "set_tracking_link", lambda _, url: linked.append(url))
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert linked == [f"https://files.example/{task.output().location}/backtest.html"]


def test_progress_is_reported_month_by_month(pipeline, monkeypatch):
    said = []
    monkeypatch.setattr(BacktestRecipe, "report", lambda _, text, *done: said.append((text, done)))
    pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    assert said[:3] == [
        ("judging on 2021-02", (0, 3)),
        ("judging on 2021-03", (1, 3)),
        ("judging on 2021-04", (2, 3)),
    ]


def test_prune_keeps_a_backtest_until_the_configuration_is_another(pipeline):
    task = pipeline.done(BacktestRecipe(**RANGE, **LINEAR))
    later = datetime.now(UTC) + timedelta(days=1)

    def gone():
        found = reachable.survey(task.storage, [], later)
        assert not found.unknown
        return [one.location for one in found.removals if one.location.startswith("backtest/")]

    assert gone() == []
    location = task.output().location
    pipeline.configure("gate", "min_gain", "0.2")
    assert gone() == [location]
