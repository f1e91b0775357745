"""Runs that a person is told to begin are ones that Luigi takes."""

import json
import shlex

import pytest

from taxi_pipeline import EvaluateModel, Month
from taxi_pipeline.cli.run_commands import run_command
from taxi_pipeline.config import typed
from taxi_pipeline.runtime.plan import parse_task

JANUARY, MARCH = Month(2021, 1), Month(2021, 3)


def test_values_that_are_the_default_need_not_be_typed():
    assert run_command("EvaluateModel", [JANUARY], taxi="green", recipe="trip", window=1) == (
        "taxi-pipeline run EvaluateModel --year 2021 --month 1 --local-scheduler"
    )


@pytest.mark.usefixtures("luigi_config")
def test_the_command_for_a_month_is_that_of_its_task():
    further = {"taxi": "yellow", "recipe": "linear", "window": 3}
    _, _, *words = shlex.split(run_command("EvaluateModel", [JANUARY], **further))
    with parse_task(words) as task:
        assert task == EvaluateModel(year=2021, month=1, **further)


@pytest.mark.usefixtures("luigi_config")
def test_the_command_for_several_months_is_a_backfill_from_the_first_to_the_last():
    command = run_command("EvaluateModel", {MARCH, JANUARY}, recipe="linear", window=2)
    words = shlex.split(command)
    params = words[words.index("--of-params") + 1]
    assert json.loads(params) == {"recipe": "linear", "window": 2}
    with parse_task(words[2:]) as task:
        assert [str(one.calendar_month) for one in task.tasks()] == [
            *("2021-01", "2021-02", "2021-03")
        ]
        assert {(one.recipe, one.window) for one in task.tasks()} == {("linear", 2)}


def test_flags_stand_in_place_of_those_that_the_present_command_was_given():
    with typed.noted(["--training-seed", "3", "--source-url", "a"], has_scheduler=True):
        command = run_command("EvaluateModel", [JANUARY], flags=["--training-seed", "4"])
    assert command == (
        "taxi-pipeline run EvaluateModel --year 2021 --month 1 --training-seed 4 --source-url a"
    )
