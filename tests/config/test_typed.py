"""What was typed is told again, without its secrets."""

import shlex

import pytest

from taxi_pipeline import commands
from taxi_pipeline.config import typed


@pytest.fixture(autouse=True)
def _restore(luigi_config):
    """A configuration of the test's own."""


def told(*words, then=("verify",), has_scheduler=False):
    with typed.noted(words, has_scheduler=has_scheduler):
        return shlex.split(commands.write(*then))[1 + len(then) :]


@pytest.mark.parametrize(
    "given",
    [
        ("status", "--storage-root", "my data", "--tuning-trials", "4"),
        ("status", "--storage-root=my data", "--json", "--tuning-trials=4"),
        ("RegisterModel", "--year", "2021", "--storage-root", "my data", "--tuning-trials", "4"),
    ],
    ids=["apart", "joined", "luigi"],
)
def test_options_of_the_configuration_are_repeated_and_nothing_else(given):
    assert told(*given) == ["--storage-root", "my data", "--tuning-trials", "4"]


def test_modules_are_repeated_but_for_our_own():
    words = ("--module", "taxi_pipeline", "run", "--module=mine.ridge", "--module", "mine.ridge")
    assert told(*words) == ["--module", "mine.ridge"]


@pytest.mark.parametrize(
    ("flag", "value", "secret"),
    [
        ("--source-url", "https://ana:geheimnis@host/{year}-{month}.parquet", "geheimnis"),
        ("--source-url", "https://host/{year}-{month}.parquet?sig=geheimnis12345", "geheimnis"),
        ("--alerts-webhook", "https://hooks.example.org/services/geheimnis", "geheimnis"),
        ("--luigid-password", "geheimnis", "geheimnis"),
        ("--tracking-uri", "postgresql://mlflow:geheimnis@db/mlflow", "geheimnis"),
    ],
)
def test_secrets_are_not_repeated(flag, value, secret):
    words = told("status", flag, value)
    assert words[0] == flag
    assert secret not in words[1]


def test_the_made_up_city_is_repeated_whole():
    url = "synthetic://?rows=3000&last=2021-02"
    assert told("status", "--source-url", url) == ["--source-url", url]


def test_what_luigi_cfg_says_is_not_repeated(luigi_config):
    luigi_config("storage", "root", "elsewhere")
    assert told("status") == []


RUN = ("run", "RegisterModel")


def test_a_run_does_without_a_scheduler_where_none_is_known():
    assert told("status", then=RUN) == ["--local-scheduler"]


@pytest.mark.parametrize(
    "flags",
    [("--local-scheduler",), ("--scheduler-url", "http://s:1"), ("--scheduler-host", "s")],
    ids=["local", "url", "host"],
)
def test_the_scheduler_that_was_given_is_repeated(flags):
    assert told("RegisterModel", *flags, then=RUN, has_scheduler=True) == list(flags)


@pytest.mark.parametrize(
    ("option", "value"),
    [("local_scheduler", "true"), ("default_scheduler_host", "s")],
)
def test_a_scheduler_that_luigi_cfg_names_is_found_by_the_next_run_too(luigi_config, option, value):
    luigi_config("core", option, value)
    assert told("status", then=RUN) == []


def test_the_scheduler_that_a_run_has_found_is_found_by_the_next_run_too():
    assert told("run", "RegisterModel", then=RUN, has_scheduler=True) == []


def test_words_that_no_command_takes_are_not_repeated():
    assert told("status", "--storage-root") == []


def test_a_value_that_is_refused_is_repeated_as_it_was_typed():
    assert told("status", "--tuning-trials", "many") == ["--tuning-trials", "many"]
