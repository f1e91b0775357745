"""Commands that a person is told to run are ones that Luigi takes."""

import json
import shlex

import pytest

from taxi_pipeline import EvaluateModel, Month
from taxi_pipeline.cli.luigi_commands import luigi_command
from taxi_pipeline.runtime.plan import parse_task

JANUARY, MARCH = Month(2021, 1), Month(2021, 3)


def test_values_that_are_the_default_need_not_be_typed():
    assert luigi_command("EvaluateModel", [JANUARY], taxi="green", recipe="trip", window=1) == (
        "luigi --module taxi_pipeline EvaluateModel --year 2021 --month 1"
    )


@pytest.mark.usefixtures("luigi_config")
def test_the_command_for_a_month_is_that_of_its_task():
    further = {"taxi": "yellow", "recipe": "linear", "window": 3}
    _, _, _, *words = shlex.split(luigi_command("EvaluateModel", [JANUARY], **further))
    with parse_task(words) as task:
        assert task == EvaluateModel(year=2021, month=1, **further)


@pytest.mark.usefixtures("luigi_config")
def test_the_command_for_several_months_is_a_backfill_from_the_first_to_the_last():
    command = luigi_command("EvaluateModel", {MARCH, JANUARY}, recipe="linear", window=2)
    words = shlex.split(command)
    assert json.loads(words[-1]) == {"recipe": "linear", "window": 2}
    with parse_task(words[3:]) as task:
        assert [str(one.calendar_month) for one in task.tasks()] == [
            *("2021-01", "2021-02", "2021-03")
        ]
        assert {(one.recipe, one.window) for one in task.tasks()} == {("linear", 2)}
