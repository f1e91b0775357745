"""The steps of a run, and why each is taken."""

import re
import shutil

import luigi
import pytest
from hypothesis import given
from plan_folders import model, publish, untouched
from task_graphs import graphs, planned

from taxi_pipeline import (
    BackfillMonths,
    EvaluateModel,
    IngestTrips,
    Month,
    PublishedTrips,
    RefreshTrips,
    RegisterModel,
    TransformTrips,
)
from taxi_pipeline.cli.plan import as_text
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step

JUDGED = ("EvaluateModel", "CalibrateIntervals", "ApplyGate", "ReportCandidate", "RegisterModel")


def by_label(steps):
    assert len({step.label for step in steps}) == len(steps)
    return {step.label: step for step in steps}


def labels(steps, state):
    return {step.label for step in steps if step.state == state}


def assert_in_order(steps):
    known = set()
    for step in steps:
        assert known.issuperset(step.requires)
        known.add(step.label)


def test_all_of_what_was_never_run_is_to_be_made(empty):
    with untouched(empty):
        steps = plan.plan(model())
    assert_in_order(steps)
    assert labels(steps, "done") == {"PublishedTrips green 2021-01", "PublishedTrips green 2021-02"}
    assert len(labels(steps, "runs")) == len(steps) - 2 == 13
    found = by_label(steps)
    assert found["IngestTrips green 2021-01"].reason == "not made yet"
    assert found["TransformTrips green 2021-01"] == Step(
        "TransformTrips green 2021-01",
        "runs",
        "after IngestTrips green 2021-01",
        ("IngestTrips green 2021-01",),
    )
    assert steps[-1].label == "RegisterModel green 2021-01 linear-w1"


def test_of_what_is_there_nothing_is_to_be_run(finished):
    with untouched(finished):
        steps = plan.plan(model())
    assert steps == [Step("RegisterModel green 2021-01 linear-w1", "done", "", ())]
    assert as_text(steps).splitlines() == [
        "done   RegisterModel green 2021-01 linear-w1",
        "1 done. There is nothing to run.",
    ]


def test_what_is_missing_of_what_was_made_is_made_from_the_rest(finished):
    shutil.rmtree("data/evaluate")
    shutil.rmtree("data/register")
    steps = plan.plan(model())
    made = {f"{task} green 2021-01 linear-w1" for task in ("EvaluateModel", "RegisterModel")}
    assert labels(steps, "runs") == made
    assert {step.reason for step in steps if step.state == "runs"} == {"not made yet"}
    assert "TrainModel green 2021-01 linear-w1" in labels(steps, "done")


def test_after_a_change_of_configuration_each_step_says_what_changed(finished, luigi_config):
    luigi_config("cleaning", "max_minutes", "90")
    with untouched(finished):
        steps = plan.plan(model())
    assert_in_order(steps)
    assert labels(steps, "done") == {"IngestTrips green 2021-01", "IngestTrips green 2021-02"}
    found = by_label(steps)
    for month in ("2021-01", "2021-02"):
        reason = found[f"TransformTrips green {month}"].reason
        assert reason == "cleaning.max_minutes was 60.0, is 90.0"
        reason = found[f"BuildFeatures green {month}"].reason
        assert reason == "cleaning.max_minutes was 60.0, is 90.0"
    # A change is traced to what caused it, and told once.
    assert steps[-1].reason == "cleaning.max_minutes was 60.0, is 90.0"


def test_a_change_that_few_steps_read_touches_no_others(finished, luigi_config):
    luigi_config("gate", "min_gain", "0.5")
    steps = plan.plan(model())
    assert labels(steps, "runs") == {
        f"{task} green 2021-01 linear-w1"
        for task in ("ApplyGate", "ReportCandidate", "RegisterModel")
    }
    assert steps[-1].reason == "gate.min_gain was 0.0, is 0.5"


def test_what_a_run_makes_again_is_what_the_plan_said(finished, luigi_config):
    luigi_config("cleaning", "max_minutes", "90")
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    said = labels(plan.plan(task), "runs")
    before = set(finished.rglob("manifest.json"))
    assert luigi.build([task], local_scheduler=True)
    made = set(finished.rglob("manifest.json")) - before
    assert {re.search(r'"label": "(.+)"', path.read_text())[1] for path in made} == said


def test_a_republished_source_is_named(finished):
    publish(finished / "published", Month(2021, 2), seed=99)
    shutil.rmtree("data/ingest/green/2021-02")
    february = IngestTrips(year=2021, month=2)
    found = by_label(plan.plan(model()))
    # What it holds is not known before it is there.
    transform = found["TransformTrips green 2021-02"]
    assert (transform.state, transform.reason) == ("runs", f"after {february.label}")

    assert luigi.build([february], local_scheduler=True)
    with untouched(finished):
        found = by_label(plan.plan(model()))
    assert found[february.label].state == "done"
    reason = "source republished (green 2021-02)"
    assert found["TransformTrips green 2021-02"].reason == reason
    assert reason in found["RegisterModel green 2021-01 linear-w1"].reason.split("; ")
    assert found["TrainModel green 2021-01 linear-w1"].state == "done"


def test_a_source_that_has_changed_is_told_before_it_is_fetched(finished, luigi_config):
    luigi_config("source", "check", "always")
    publish(finished / "published", Month(2021, 2), seed=99)
    with untouched(finished):
        steps = plan.plan(model())
    assert_in_order(steps)
    found = by_label(steps)
    february = found["IngestTrips green 2021-02"]
    assert february.state == "runs"
    begin = "the source has changed since it was ingested (mtime_ns"
    assert february.reason in {f"{begin})", f"{begin}, size)"}
    assert labels(steps, "runs") == {
        *(f"{task} green 2021-02" for task in ("IngestTrips", "TransformTrips", "BuildFeatures")),
        *(f"{task} green 2021-01 linear-w1" for task in JUDGED),
    }
    assert found["TransformTrips green 2021-02"].reason == f"after {february.label}"


def test_a_source_that_was_only_touched_is_done(finished, luigi_config):
    luigi_config("source", "check", "always")
    (finished / "published" / "green_tripdata_2021-02.parquet").touch()
    with untouched(finished):
        steps = plan.plan(model())
    assert [step.state for step in steps] == ["done"]


def test_a_source_that_became_a_folder_is_told_as_changed(finished, luigi_config):
    luigi_config("source", "check", "always")
    path = finished / "published" / "green_tripdata_2021-02.parquet"
    path.unlink()
    path.mkdir()
    found = by_label(plan.plan(model()))
    assert found["IngestTrips green 2021-02"].state == "runs"


@pytest.mark.parametrize("check", ["1 day", "never"])
def test_a_source_is_asked_only_where_a_run_would(finished, luigi_config, check):
    luigi_config("source", "check", check)
    publish(finished / "published", Month(2021, 2), seed=99)
    assert [step.state for step in plan.plan(model())] == ["done"]


def test_a_source_that_does_not_answer_leaves_what_is_ingested_done(runs):
    runs.source.shutdown()
    runs.source.server_close()
    (step,) = plan.plan(TransformTrips(year=2021, month=1))
    assert step.state == "done"
    (warning,) = runs.lines("WARNING")
    assert "(the connection failed); the ingested file is used" in warning


def test_a_source_that_nobody_reached_is_unknown(nothing_run):
    nothing_run.source.shutdown()
    nothing_run.source.server_close()
    steps = plan.plan(TransformTrips(year=2021, month=1))
    assert [step.state for step in steps] == ["unknown", "runs", "runs"]
    assert steps[0].label == "PublishedTrips green 2021-01"
    assert steps[0].reason == (
        f"{nothing_run.source.base_url}/green_tripdata_2021-01.parquet does not say "
        "(the connection failed); a run tries again"
    )
    assert "\n2 runs, 1 unknown. Nothing was run" in as_text(steps)


def test_what_asks_the_source_itself_says_so(runs):
    runs.source.asked.clear()
    *_, step = plan.plan(RefreshTrips(year=2021, month=1))
    assert (step.state, step.reason) == ("runs", "it asks the source")
    assert runs.source.asked == []


def test_what_needs_an_unpublished_month_waits_and_the_rest_runs(empty):
    steps = plan.plan(model(month=2))
    assert_in_order(steps)
    source = "PublishedTrips green 2021-03"
    assert labels(steps, "waits") == {
        source,
        *(f"{task} green 2021-03" for task in ("IngestTrips", "TransformTrips", "BuildFeatures")),
        *(f"{task} green 2021-02 linear-w1" for task in JUDGED),
    }
    assert "TrainModel green 2021-02 linear-w1" in labels(steps, "runs")
    found = by_label(steps)
    assert found[source].reason == PublishedTrips(year=2021, month=3).waiting
    assert {found[label].reason for label in labels(steps, "waits") - {source}} == {f"for {source}"}


def test_a_plan_in_which_all_waits_says_so(empty):
    steps = plan.plan(TransformTrips(year=2021, month=3))
    assert labels(steps, "waits") == {step.label for step in steps}
    assert as_text(steps).endswith("\n3 waits. There is nothing to run now.")


def test_of_a_range_the_months_that_are_missing_are_planned(finished):
    arguments = {"of": RegisterModel, "of_params": {"recipe": "linear"}}
    backfill = BackfillMonths(**arguments, start=Month(2020, 12), stop=Month(2021, 3))
    publish(finished / "published", Month(2020, 12))
    with untouched(finished):
        steps = plan.plan(backfill)
    assert_in_order(steps)
    assert steps[-1] == Step(
        "BackfillMonths of RegisterModel 2020-12 to 2021-02",
        "waits",
        "for PublishedTrips green 2021-03",
        ("RegisterModel green 2020-12 linear-w1", "RegisterModel green 2021-02 linear-w1"),
    )
    assert "RegisterModel green 2021-01 linear-w1" not in by_label(steps)
    assert "BuildFeatures green 2021-01" in labels(steps, "done")


def test_of_a_range_that_is_there_nothing_is_to_be_run(finished):
    arguments = {"of": RegisterModel, "of_params": {"recipe": "linear"}}
    steps = plan.plan(BackfillMonths(**arguments, start=Month(2021, 1), stop=Month(2021, 2)))
    assert [step.state for step in steps] == ["done"]


@given(graphs())
def test_steps_come_in_an_order_in_which_they_could_be_taken(graph):
    steps = planned(graph)
    assert_in_order(steps)
    assert steps[-1].label == list(graph[0])[-1]
    by_label(steps)


@given(graphs())
def test_a_step_runs_unless_it_is_done_or_needs_what_waits(graph):
    needed, done = graph
    found = by_label(planned(graph))
    for label, step in found.items():
        if label in done:
            assert (step.state, step.reason, step.requires) == ("done", "", ())
            continue
        assert step.requires == tuple(needed[label])
        waits = label.startswith("outside") or any(
            found[name].state == "waits" for name in needed[label]
        )
        assert step.state == ("waits" if waits else "runs")


def test_a_task_of_another_kind_counts_what_is_to_run():
    steps = planned(
        ({"node 1.": [], "node 2.": [], "node 3.": ["node 1.", "node 2."]}, {"node 1."})
    )
    assert steps[-1].reason == "1 task to run"
