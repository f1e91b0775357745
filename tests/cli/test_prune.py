"""What nothing needs is shown, and removed when that is asked for; all else stays as it is."""

import json
import re
import shutil

import pytest
from command_line import COMMAND, STEPS, CommandLine
from plan_folders import untouched
from processes import python, run

FLAGS = ("--source-url", "synthetic://?rows=500", "--tuning-trials", "2")
MONTH = ("--year", "2021", "--month", "1", *FLAGS)
RUN = ("RegisterModel", *MONTH, "--local-scheduler")
OLD = ("--cleaning-max-minutes", "90")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which a model was evaluated with one rule, and registered with another."""
    line = CommandLine(tmp_path_factory.mktemp("made"))
    assert line("EvaluateModel", *MONTH, *OLD, "--local-scheduler").returncode == 0
    line.old = outputs(line.folder)
    assert line(*RUN).returncode == 0
    return line


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it."""
    return shutil.copytree(made.folder, tmp_path / "copy", symlinks=True)


def outputs(folder):
    """The outputs under the root."""
    found = (folder / "data").rglob("manifest.json")
    return {
        str(path.parent.relative_to(folder / "data"))
        for path in found
        if "mlflow" not in path.parts
    }


def prune(folder, *arguments, days="0"):
    return python(folder, "-m", "taxi_pipeline", "prune", *FLAGS, "--keep-days", days, *arguments)


def test_nothing_is_removed_unless_that_is_asked_for(folder, made):
    with untouched(folder):
        answer = prune(folder)
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[-1] == "Nothing was removed: the same command with --yes removes this."
    (train,) = (line for line in lines if line.startswith("train "))
    assert "cleaning.max_minutes was 90.0, is 60.0" in train
    total = next(line for line in lines if line.startswith("total "))
    assert total.split()[1] == "8"


def test_exactly_what_the_old_configuration_made_is_removed(folder, made):
    before = outputs(folder)
    answer = prune(folder, "--yes")
    assert answer.returncode == 0, answer.stderr
    *_, total, last = answer.stdout.splitlines()
    size = re.search(r"8 +(\d+\.\d [KM]B) ", total)[1]
    assert last == f"8 things removed, {size} freed."
    left = outputs(folder)
    ingested = {place for place in made.old if place.startswith("ingest/")}
    assert before - left == made.old - ingested
    trials = [path.name for path in (folder / "data/tune").rglob("trials-*")]
    assert len(trials) == 1
    logs = {str(path.relative_to(folder / "data")) for path in (folder / "data").rglob("*.log")}
    manifests = [
        json.loads((folder / "data" / place / "manifest.json").read_text()) for place in left
    ]
    assert logs == {manifest["log"] for manifest in manifests}
    links = [path for path in (folder / "data").rglob("latest") if path.is_symlink()]
    assert len(links) == STEPS
    assert all((link / "manifest.json").exists() for link in links)

    result = CommandLine(folder)(*RUN)
    assert result.returncode == 0
    assert "Did not run any tasks" in result.stderr
    verified = python(folder, "-m", "taxi_pipeline", "verify")
    assert verified.returncode == 0, verified.stdout
    again = prune(folder)
    assert again.stdout == "There is nothing to remove under data.\n"


def test_what_the_version_in_the_registry_was_made_of_stays_whatever_is_current(folder, made):
    before = outputs(folder)
    answer = prune(folder, "--yes", "--cleaning-max-minutes", "45")
    assert answer.returncode == 0, answer.stderr
    kept = "11 outputs not as made now, but kept: of versions in the registry, or champions"
    assert kept in answer.stdout.splitlines()
    left = outputs(folder)
    assert before - left == {place for place in made.old if not place.startswith("ingest/")}
    assert "Did not run any tasks" in CommandLine(folder)(*RUN).stderr
    assert outputs(folder) == left


def test_what_is_younger_than_a_week_is_kept_by_default(folder):
    answer = python(folder, "-m", "taxi_pipeline", "prune", "--yes", *FLAGS)
    assert answer.stdout.splitlines() == [
        "7 outputs not needed, but kept: made in the last 7 days, see --keep-days",
        "There is nothing to remove under data.",
    ]


def test_without_an_answer_of_the_registry_nothing_is_removed(folder):
    before = outputs(folder)
    answer = prune(folder, "--yes", "--tracking-uri", "http://127.0.0.1:9")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("ERROR: the MLflow server http://127.0.0.1:9 does not answer")
    assert answer.stderr.count("\n") == 1
    assert outputs(folder) == before
    assert list((folder / "data/.running").iterdir()) == []


def test_the_result_is_printed_as_json(folder, made):
    result = json.loads(prune(folder, "--json").stdout)
    assert result["removed"] is False
    assert result["outputs"] == len(outputs(folder))
    places = {removal["location"] for removal in result["not_needed"]}
    assert {place for place in made.old if not place.startswith("ingest/")} < places
    assert result["bytes"] == sum(removal["size"] for removal in result["not_needed"]) > 0


OWN = """
from taxi_pipeline import TransformTrips
from taxi_pipeline.tasks.base import Stage

class CountTrips(Stage):
    stage = "count"
    version = {version}

    def requires(self):
        return [self.clone(TransformTrips)]

    def make(self, folder):
        (folder / "count.txt").write_text("many")
        return {{"summary": "many"}}
"""


def test_a_stage_of_ones_own_is_judged_once_its_module_is_named(folder):
    (folder / "mine.py").write_text(OWN.format(version=1))
    command = [COMMAND[0], "--module", "mine", "CountTrips", *MONTH, "--local-scheduler"]
    result = run(command, folder, path=[folder], timeout=120)
    assert result.returncode == 0, result.stderr
    count = {place for place in outputs(folder) if place.startswith("count/")}
    assert len(count) == 1

    (folder / "mine.py").write_text(OWN.format(version=2))
    unknown = prune(folder, "--yes").stdout
    assert "count/green/2021-01: no task CountTrips is known here: name its module" in unknown
    assert count < outputs(folder)

    answer = prune(folder, "--yes", "--module", "mine")
    assert "its version was 1, is 2" in answer.stdout, answer.stderr
    assert not count & outputs(folder)


def test_a_module_that_cannot_be_imported_is_told_in_one_line(folder):
    answer = prune(folder, "--module", "nowhere")
    assert answer.returncode == 1
    assert answer.stderr == (
        "ERROR: --module nowhere cannot be imported: ModuleNotFoundError: No module named "
        "'nowhere': be in the folder that holds nowhere, or name that folder in the variable "
        "PYTHONPATH\n"
    )


@pytest.mark.parametrize("days", ["-1", "soon", "nan"])
def test_days_that_are_none_are_refused(tmp_path, days):
    answer = prune(tmp_path, days=days)
    assert answer.returncode == 2
    assert "--keep-days" in answer.stderr


def test_a_root_that_is_not_there_is_told_in_one_line(tmp_path):
    answer = prune(tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"ERROR: [storage] root {tmp_path}/data is not there: check ")
    assert answer.stderr.count("\n") == 1
