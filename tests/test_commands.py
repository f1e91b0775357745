"""Commands that a person is told to type repeat what the present one was given."""

import shlex

import pytest

from taxi_pipeline import commands
from taxi_pipeline.commands import Given

GIVEN = Given(["my_recipes.ridge"], {"--storage-root": "my data"}, ["--local-scheduler"])


@pytest.fixture
def given():
    before = commands.repeat(lambda: GIVEN)
    yield
    commands.repeat(before)


@pytest.mark.usefixtures("given")
def test_a_command_repeats_modules_and_options():
    assert commands.write("champion", "log") == (
        "taxi-pipeline champion log --module my_recipes.ridge --storage-root 'my data'"
    )


@pytest.mark.usefixtures("given")
def test_a_run_has_its_scheduler_as_well():
    command = commands.write("run", "RegisterModel")
    assert command.endswith("--storage-root 'my data' --local-scheduler")


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("flag", [("--storage-root", "other"), ("--storage-root=other",)])
def test_a_flag_that_is_among_the_words_is_not_repeated(flag):
    assert commands.write("verify", *flag) == (
        f"taxi-pipeline verify {' '.join(flag)} --module my_recipes.ridge"
    )


@pytest.mark.usefixtures("given")
def test_a_run_that_names_its_scheduler_is_given_no_other():
    words = shlex.split(commands.write("run", "RegisterModel", "--scheduler-url", "http://s:1"))
    assert "--local-scheduler" not in words


@pytest.mark.usefixtures("given")
def test_help_needs_the_modules_alone():
    assert commands.write("run", "MyTask", "--help") == (
        "taxi-pipeline run MyTask --help --module my_recipes.ridge"
    )


@pytest.mark.usefixtures("given")
def test_words_are_quoted_for_a_shell():
    words = ("run", "BackfillMonths", "--of-params", '{"recipe": "a b"}', "$HOME")
    assert shlex.split(commands.write(*words))[1:6] == list(words)


def test_what_told_before_is_told_when_it_is_put_back():
    first = commands.repeat(lambda: GIVEN)
    assert commands.repeat(first)() is GIVEN
