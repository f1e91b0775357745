"""The current output of a task is found by a command and by a link."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from processes import python

FLAGS = ("--year", "2021", "--month", "1", "--source-url", "synthetic://?rows=500")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which a month's features are made with two rules of cleaning, then the first."""
    line = CommandLine(tmp_path_factory.mktemp("made"))
    for minutes in ("60", "90", "60"):
        rule = ("--cleaning-max-minutes", minutes)
        assert line("BuildFeatures", *FLAGS, *rule, "--local-scheduler").returncode == 0
    return line.folder


def latest(folder, *arguments):
    return python(folder, "-m", "taxi_pipeline", "latest", *arguments)


@pytest.mark.parametrize("minutes", ["60.0", "90.0"])
def test_the_output_of_the_present_configuration_is_printed(made, minutes):
    answer = latest(made, "BuildFeatures", *FLAGS, "--cleaning-max-minutes", minutes)
    assert answer.returncode == 0, answer.stderr
    (place,) = answer.stdout.splitlines()
    inputs = json.loads((made / place / "manifest.json").read_text())["identity"]["inputs"]
    (trips,) = inputs.values()
    manifest = made / "data/transform/green/2021-01" / trips / "manifest.json"
    config = json.loads(manifest.read_text())["identity"]["config"]
    assert config["cleaning.max_minutes"] == minutes


def test_a_script_reads_the_place_and_the_key_as_json(made):
    answer = latest(made, "BuildFeatures", *FLAGS, "--json")
    found = json.loads(answer.stdout)
    assert found == {
        "task": "BuildFeatures green 2021-01",
        "key": Path(found["location"]).name,
        "location": latest(made, "BuildFeatures", *FLAGS).stdout.strip(),
    }


def test_the_link_leads_to_what_the_last_run_made_or_found_made(made):
    answer = latest(made, "BuildFeatures", *FLAGS)
    link = made / "data/features/green/2021-01/latest"
    assert link.is_symlink()
    assert link.resolve() == (made / answer.stdout.strip()).resolve()
    assert not Path(link.readlink()).is_absolute()


def test_an_output_that_is_not_made_is_told_in_one_line(made):
    answer = latest(made, "BuildFeatures", *FLAGS, "--cleaning-max-minutes", "70")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("ERROR: BuildFeatures green 2021-01 is not made, as the conf")
    assert answer.stderr.count("\n") == 1


def test_a_month_of_another_source_is_told_with_what_names_its_source(made):
    answer = latest(made, "BuildFeatures", "--year", "2021", "--month", "1")
    assert answer.returncode == 1
    assert "is not made: no green 2021-01 is known from [source] url https://" in answer.stderr
    assert "--source-url, or [source] url in luigi.cfg, names another source" in answer.stderr


def test_a_task_without_an_output_is_told_in_one_line(made):
    answer = latest(made, "PublishedTrips", *FLAGS)
    assert answer.returncode == 1
    assert answer.stderr == "ERROR: PublishedTrips has no output of its own\n"
