"""The last line of a run says what there is now, and where."""

import types

import luigi
import pytest

from taxi_pipeline import BuildFeatures, PublishedTrips, RegisterModel
from taxi_pipeline.runtime.run_end import last_line

MONTH = {"year": 2021, "month": 1}


def ended(**sets):
    """How a run ended: sets of tasks."""
    names = ("completed", "done", "failed", "missing_external", "running_elsewhere")
    return types.SimpleNamespace(**{name: sets.get(name, ()) for name in names})


class Plain(luigi.Task):
    """A task without a label."""


class Reporting(luigi.Task):
    """A task that reports on its run."""

    def on_run_end(self, summary):
        return f"{len(summary.failed)} failed"


def test_a_task_that_reports_has_its_own_line():
    assert last_line(Reporting(), ended(failed=[Plain()])) == "1 failed"


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ({"failed": [BuildFeatures(**MONTH)]}, "BuildFeatures green 2021-01 failed"),
        (
            {"missing_external": {PublishedTrips(**MONTH), PublishedTrips(year=2021, month=2)}},
            PublishedTrips(**MONTH).waiting + " (and so PublishedTrips green 2021-02)",
        ),
        ({"running_elsewhere": {Plain()}}, "another worker runs Plain()"),
        ({}, "the scheduler did not let it run"),
    ],
    ids=["failed", "not published", "elsewhere", "not run"],
)
def test_of_what_is_not_made_the_reason_is_told(sets, told):
    task = BuildFeatures(**MONTH)
    assert last_line(task, ended(**sets)) == f"BuildFeatures green 2021-01: not made: {told}"


def test_a_task_without_an_output_is_done():
    assert last_line(Plain(), ended(done={Plain()})) == "nothing to run: Plain(): done"
    assert last_line(Plain(), ended(done={Plain()}, completed={Plain()})) == "Plain(): done"


@pytest.fixture
def registered(finished):
    """The linear model of a folder in which it is registered."""
    return RegisterModel(**MONTH, recipe="linear")


def test_of_a_registered_model_version_error_and_places_are_told(registered):
    name = "nyc-green-taxi-duration-linear"
    line = last_line(registered, ended(done={registered}, completed={registered}))
    rmse = registered.output().manifest()["rmse"]
    report = f"data/{registered.receipt()['report']}"
    assert line == (
        f"{name} version 1 is not champion, RMSE {rmse:.4f} minutes on 2021-02; "
        f"models:/{name}/1, report {report}"
    )


def test_of_another_stage_the_output_is_told(registered):
    task = BuildFeatures(**MONTH)
    line = last_line(task, ended(done={task}))
    assert line.startswith("nothing to run: BuildFeatures green 2021-01: ")
    assert line.endswith(f" trips described; it is in {task.output()}")
