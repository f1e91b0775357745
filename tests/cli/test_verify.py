"""Damage of a finished root is found, told, set aside, and made again by the same run."""

import json
import shutil
import sqlite3
import tarfile

import pytest
from command_line import STEPS, CommandLine
from places import REPOSITORY
from processes import python

from taxi_pipeline.storage import open_storage, verify

FLAGS = ("--source-url", "synthetic://?rows=500", "--tuning-trials", "2")
RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *FLAGS)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A folder in which a model was registered; its tests leave it without damage."""
    line = CommandLine(tmp_path_factory.mktemp("made"))
    assert line(*RUN).returncode == 0
    return line


def verified(line, *arguments):
    return python(line.folder, "-m", "taxi_pipeline", "verify", *arguments)


def published(line):
    """The files of outputs, the pointers and the trials, without what was set aside."""
    data = line.folder / "data"
    files = [path.parent.rglob("*") for path in data.rglob("manifest.json") if path.parents[2]]
    found = {path for inner in files for path in inner if path.is_file()}
    found |= set(data.rglob("source-*.json")) | set(data.rglob("trials-*/*.json"))
    return sorted(path for path in found if not {"mlflow", ".damaged"} & set(path.parts))


def flip(path, place=None):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 0xFF
    path.write_bytes(content)


def test_a_finished_root_has_no_damage(line):
    answer = verified(line)
    assert answer.returncode == 0, answer.stderr
    counts, last = answer.stdout.splitlines()
    assert counts.startswith(f"{STEPS} outputs, 3 pointers, 2 trials; ")
    assert last == "No damage under data."


def test_a_flipped_byte_in_any_published_file_is_found(line):
    storage = open_storage(str(line.folder / "data"))
    files = published(line)
    assert len(files) > 30
    for path in files:
        content = path.read_bytes()
        flip(path)
        found = verify.run(storage, verify.checks(storage))
        path.write_bytes(content)
        assert [finding.kind for finding in found] == ["damaged"], path
        assert str(path).startswith(str(line.folder / "data" / found[0].location))
    assert verify.run(storage, verify.checks(storage)) == []


def test_damage_is_told_in_one_line_each_set_aside_and_made_again(line):
    for path in published(line):
        if path.name != "manifest.json":
            flip(path)
    answer = verified(line)
    assert answer.returncode == 1
    *lines, _, last = answer.stdout.splitlines()
    assert len(lines) == STEPS + 2 + 2
    assert lines == sorted(lines)
    assert all(text.startswith("damaged     ") for text in lines)
    assert "choice.json is not what was published; late.parquet is not" in answer.stdout
    assert last.startswith("17 things damaged. taxi-pipeline verify --repair sets 17 aside, ")

    answer = verified(line, "--repair")
    assert answer.returncode == 1
    assert "set aside under .damaged: run taxi-pipeline run for these months" in answer.stdout
    assert verified(line).returncode == 0

    assert line(*RUN).returncode == 0
    answer = verified(line)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.startswith(f"{STEPS} outputs, 3 pointers, 2 trials; ")
    with sqlite3.connect(line.folder / "data/mlflow/mlflow.db") as database:
        assert database.execute("SELECT version FROM model_versions").fetchall() == [(1,)]


def test_a_version_whose_files_are_lost_gets_them_back(line):
    shutil.rmtree(line.folder / "data/mlflow/artifacts/models")
    answer = verified(line, "--repair")
    assert answer.returncode == 1
    assert "version 1 of nyc-green-taxi-duration-trip is damaged: its files" in answer.stdout
    assert "1 thing damaged. 1 set aside under .damaged: run taxi-pipeline run" in answer.stdout
    assert line(*RUN).returncode == 0
    assert verified(line).returncode == 0
    with sqlite3.connect(line.folder / "data/mlflow/mlflow.db") as database:
        assert database.execute("SELECT version FROM model_versions").fetchall() == [(1,)]


def test_findings_are_told_although_they_cannot_be_set_aside(line):
    (line.folder / "data/.damaged").mkdir(exist_ok=True)
    (line.folder / "data/.damaged").rename(line.folder / "elsewhere")
    (line.folder / "data/.damaged").write_text("no folder")
    path = next((line.folder / "data/train").rglob("importance.json"))
    content = path.read_bytes()
    flip(path)
    answer = verified(line, "--repair")
    path.write_bytes(content)
    (line.folder / "data/.damaged").unlink()
    assert answer.returncode == 1
    assert "importance.json is not what was published" in answer.stdout
    assert answer.stderr.startswith("ERROR: ")
    assert "Traceback" not in answer.stderr


def test_the_result_is_printed_as_json(line):
    answer = verified(line, "--json")
    result = json.loads(answer.stdout)
    assert result["checked"] == {"outputs": STEPS, "pointers": 3, "trials": 2}
    assert result["findings"] == result["set_aside"] == []
    assert result["bytes"] > 100_000


def test_what_version_0_1_0_made_has_no_damage_and_is_needed(tmp_path):
    with tarfile.open(REPOSITORY / "tests/fixtures/made_by_0.1.0.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    flags = ("--storage-root", "root", "--source-url", "synthetic://?rows=150")
    flags = (*flags, "--tuning-trials", "2")
    answer = python(tmp_path, "-m", "taxi_pipeline", "verify", *flags)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.startswith("21 outputs, 3 pointers, 4 trials; ")
    answer = python(tmp_path, "-m", "taxi_pipeline", "prune", *flags, "--keep-days", "0")
    assert answer.stdout.splitlines() == [
        "10 outputs not as made now, but kept: of versions in the registry, or champions",
        "There is nothing to remove under root.",
    ]


def test_a_root_that_is_not_there_is_told_in_one_line(line):
    answer = verified(line, "--storage-root", "nowhere")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"ERROR: [storage] root {line.folder}/nowhere is not there: ")
    assert answer.stderr.count("\n") == 1
    assert not (line.folder / "nowhere").exists()


def test_a_damaged_change_of_the_champion_is_set_aside_and_said_not_to_be_made_again(line):
    place = "champions/nyc-green-taxi-duration-trip/00001.json"
    change = line.folder / "data" / place
    content = change.read_bytes()
    flip(change)
    try:
        answer = verified(line)
        assert answer.returncode == 1
        assert answer.stdout.startswith(f"damaged     {place}: it is ")
        sentence = "A change of a ledger is not made again: once it is set aside, MLflow's alias"
        assert sentence in answer.stdout.splitlines()[-1]
        answer = verified(line, "--repair")
        assert sentence in answer.stdout.splitlines()[-1]
        assert not change.exists()
        answer = verified(line)
        assert answer.returncode == 0, answer.stdout
        assert f"differs     {place}: this change is missing" in answer.stdout
    finally:
        change.write_bytes(content)
        shutil.rmtree(line.folder / "data" / ".damaged" / "champions", ignore_errors=True)
    assert verified(line).returncode == 0
