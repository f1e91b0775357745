"""``status`` as a person and as a script reads it."""

import json

import pytest
from command_line import CommandLine
from processes import python

from taxi_pipeline.cli.status import as_text
from taxi_pipeline.config import typed
from taxi_pipeline.runtime.status import ChampionStatus, ModelStatus, Status


def model(month="2021-01", state="current", reason="", **further):
    facts = {
        "taxi": "green",
        "recipe": "trip",
        "window": 1,
        "month": month,
        "rows": 73908,
        "rmse": 5.0908,
        "version": "1",
        "aliases": ("challenger", "champion"),
        "made": "2026-11-25T23:14:01+00:00",
        "state": state,
        "reason": reason,
    }
    return ModelStatus(**{**facts, **further})


def text(*models, registry=""):
    return as_text(Status("/somewhere/data", registry, {"green": ["2021-01", "2021-02"]}, models))


def test_each_model_is_a_row_of_a_table():
    place, ingested, header, row, last = text(model()).splitlines()
    assert place == "settings: defaults (there is no luigi.cfg here); root: /somewhere/data"
    assert ingested == "green: 2 months ingested, 2021-01 to 2021-02"
    assert header.split() == [
        *("taxi", "recipe", "month", "rows", "RMSE", "version", "aliases", "made", "status")
    ]
    assert row.split() == [
        *("green", "trip", "2021-01", "73,908", "5.0908", "1", "challenger,", "champion"),
        *("2026-11-25", "23:14", "current"),
    ]
    assert last == "1 model, nothing to run."


def test_the_last_line_names_the_command_that_makes_what_is_stale():
    stale = {"state": "stale", "reason": "cleaning.max_minutes was 60.0, is 90.0"}
    one = text(model(**stale)).splitlines()[-1]
    assert one == (
        "1 of 1 model not current. To make those of green trip: taxi-pipeline run "
        "RegisterModel --year 2021 --month 1 --local-scheduler"
    )
    several = [model(month, **stale, recipe="linear", window=3) for month in ("2021-01", "2021-03")]
    assert text(*several, model("2021-02")).splitlines()[-1] == (
        "2 of 3 models not current. To make those of green linear: taxi-pipeline run "
        "BackfillMonths --of RegisterModel --start 2021-01 --stop 2021-04 --of-params "
        """'{"recipe": "linear", "window": 3}' --local-scheduler"""
    )


def test_a_registry_that_was_not_asked_is_told():
    assert "Which version serves is not known: it is down" in text(model(), registry="it is down")


@pytest.mark.parametrize(
    ("champion", "line"),
    [
        (
            ("3", "2021-03", "2021-06-01T12:00:00+00:00", "it is pinned", ""),
            "model: version 3, trained to 2021-03, serves since 2021-06-01; it is pinned",
        ),
        (
            ("3", "", "2021-06-01T12:00:00+00:00", "", ""),
            "model: version 3 serves since 2021-06-01",
        ),
        (("", "", "", "", "it differs"), "model: no version serves; it differs"),
        ((None, "", "", "", "it is damaged"), "model: which version serves is not known: it is d"),
    ],
    ids=["pinned", "no-month", "differs", "damaged"],
)
def test_the_champion_of_each_ledger_is_a_line(champion, line):
    champions = [ChampionStatus("model", *champion)]
    found = Status("data", "", {"green": ["2021-01", "2021-02"]}, [model()], champions)
    assert as_text(found).splitlines()[-2].startswith(line)


def test_the_command_that_comes_next_repeats_the_flags_that_were_given():
    found = Status("data", "", {}, [model(state="stale", reason="it changed")])
    given = ("status", "--module", "mine", "--storage-root", "my data")
    with typed.noted(given, has_scheduler=False):
        last = as_text(found).splitlines()[-1]
    assert last.endswith(
        "taxi-pipeline run RegisterModel --year 2021 --month 1 --module mine "
        "--storage-root 'my data' --local-scheduler"
    )


def test_models_of_which_nothing_can_be_said_are_counted():
    last = text(model(state="unknown", reason="no recipe is named"), model()).splitlines()[-1]
    assert last == "2 models, of 1 it is not known whether they are current."


def test_what_serves_with_other_settings_is_a_row_and_not_counted():
    reason = "cleaning.max_minutes was 45.0, is 60.0"
    *_, row, last = text(model(), model(version="2", state="other", reason=reason)).splitlines()
    assert row.endswith(f"serves, with other settings: {reason}")
    assert last == "1 model, nothing to run."


def test_the_files_of_settings_and_another_source_are_told():
    found = Status(
        "data", "", {}, [model(state="unknown")], settings=["/a/luigi.cfg"], elsewhere="no"
    )
    first, *_, source, _ = as_text(found).splitlines()
    assert first == "settings: /a/luigi.cfg; root: data"
    assert source == "No."


def test_figures_that_are_not_there_are_empty():
    unfinished = model(state="unfinished", rows=None, rmse=None, version="", aliases=(), made="")
    assert "None" not in text(unfinished)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    made = CommandLine(tmp_path_factory.mktemp("status"))
    run = made(
        *("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear"),
        *("--source-url", "synthetic://?rows=300", "--local-scheduler"),
    )
    assert run.returncode == 0, run.stderr
    return made


def status(line, *flags):
    return python(line.folder, "-m", "taxi_pipeline", "status", *flags)


def test_the_command_prints_a_table_and_json(line):
    source = ("--source-url", "synthetic://?rows=300")
    answer = status(line, *source)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "1 model, nothing to run."
    parsed = json.loads(status(line, *source, "--json").stdout)
    assert parsed["models"][0]["state"] == "current"
    assert parsed["models"][0]["recipe"] == "linear"


def test_the_command_imports_nothing_heavy(line):
    code = (
        "import sys; from taxi_pipeline.cli.main import main; main(['status']); "
        "print(sorted({'pandas', 'mlflow', 'xgboost', 'sklearn'} & set(sys.modules)))"
    )
    answer = python(line.folder, "-c", code)
    assert answer.stdout.splitlines()[-1] == "[]", answer.stderr


def test_another_source_is_told_with_the_one_that_the_months_came_from(line):
    answer = status(line)
    assert "unknown: 2021-01 is from another source" in answer.stdout
    assert "No green 2021-01, green 2021-02 is known from [source] url https://" in answer.stdout
    assert (
        "came from synthetic://green_tripdata_2021-01.parquet?rows=300: --source" in answer.stdout
    )


def test_a_root_without_models_says_how_to_make_the_first(tmp_path):
    answer = status(CommandLine(tmp_path))
    assert answer.returncode == 0
    assert answer.stdout.startswith("settings: defaults (there is no luigi.cfg here); root: ")
    line = answer.stdout.splitlines()[-1]
    assert line.startswith(
        f"There are no models under {tmp_path / 'data'} yet: taxi-pipeline run R"
    )
    assert "a luigi.cfg counts in its own folder alone" in line
    assert list(tmp_path.iterdir()) == []
