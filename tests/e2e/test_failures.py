"""What a user can get wrong is told in one line, with the documented exit code."""

import json
import re
import shutil

import pytest
from command_line import SMALL

WRONG_VALUES = {
    "--month": ["--year", "2021", "--month", "13"],
    "--year": ["--year", "last", "--month", "1"],
    "RegisterModel needs --month (": ["--year", "2021"],
    "--taxi": ["--year", "2021", "--month", "1", "--taxi", "blue"],
    "--recipe": ["--year", "2021", "--month", "1", "--recipe", "soup"],
    "--window": ["--year", "2021", "--month", "1", "--window", "0"],
    "[cleaning] max_minutes": ["--year", "2021", "--month", "1", "--cleaning-max-minutes", "x"],
    "[source] url": ["--year", "2021", "--month", "1", "--source-url", "file:///a/{city}"],
    "[gate] min_gain": ["--year", "2021", "--month", "1", "--gate-min-gain", "2"],
}


JOB = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler")

FEW = {"--month", "[cleaning] max_minutes", "[source] url"}
"""Those of them that are tried in the short run as well."""


@pytest.mark.parametrize(
    "named",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in WRONG_VALUES],
)
def test_a_wrong_value_is_one_line_that_names_it(luigi, named):
    result = luigi("RegisterModel", *WRONG_VALUES[named], "--local-scheduler")
    assert result.returncode == 40
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("ERROR: ")
    assert named in lines[0]
    assert not (luigi.folder / "data").exists()


def test_a_misspelt_option_in_luigi_cfg_is_one_line_that_names_the_right_one(luigi):
    (luigi.folder / "luigi.cfg").write_text("[cleaning]\nmax_minute = 90\n")
    result = luigi("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler")
    assert result.returncode == 40
    assert "did you mean max_minutes?" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("place", ["file", "file/data"])
def test_a_root_that_is_no_folder_is_one_line_before_anything_runs(luigi, place):
    (luigi.folder / "file").touch()
    result = luigi(*JOB, "--storage-root", place)
    assert result.returncode == 40
    *_, line = result.stderr.strip().splitlines()
    assert f"ERROR: [storage] root {place} " in line
    assert "is a file: name a folder that can be written, by --storage-root" in line
    assert "Traceback" not in result.stderr


def test_a_misspelt_task_is_one_line_that_names_the_right_one(luigi):
    result = luigi("RegistrModel", "--year", "2021", "--month", "1", "--local-scheduler")
    assert result.returncode == 1
    assert result.stderr.strip() == "ERROR: No task RegistrModel: did you mean RegisterModel?"


def test_without_a_scheduler_the_way_to_do_without_is_told_within_seconds(luigi):
    arguments = ("--scheduler-port", "9", "--scheduler-host", "127.0.0.1")
    result = luigi("IngestTrips", "--year", "2021", "--month", "1", *arguments, timeout=30)
    assert result.returncode == 40
    assert "--local-scheduler" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_month_that_is_not_published_is_waited_for_with_20_and_leaves_nothing(luigi):
    source = ("--source-url", "synthetic://?last=2020-12")
    arguments = ("IngestTrips", "--year", "2021", "--month", "1", "--local-scheduler", *source)
    result = luigi(*arguments)
    assert result.returncode == 20
    told = [line for line in result.stderr.splitlines() if "not published" in line]
    assert len(told) == 2
    assert told[0].startswith("INFO: green 2021-01: not published yet at synthetic://")
    label = "IngestTrips green 2021-01: not made: "
    assert (
        told[1] == told[0].replace("INFO: ", f"INFO: {label}", 1) == result.stderr.splitlines()[-1]
    )
    assert "ERROR" not in result.stderr
    assert "Traceback" not in result.stderr
    assert [path for path in luigi.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"<html><body>Service unavailable</body></html>", "HTML"), (b"PAR1 cut off", "truncated")],
)
def test_what_is_no_whole_parquet_file_fails_in_one_line(luigi, content, told):
    (luigi.folder / "green_2021_1.parquet").write_bytes(content)
    template = f"file://{luigi.folder}/{{taxi}}_{{year}}_{{month}}.parquet"
    arguments = ("IngestTrips", "--year", "2021", "--month", "1", "--local-scheduler")
    result = luigi(*arguments, "--source-url", template)
    assert result.returncode == 30
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
    assert told in line
    assert "2021-01" in line
    assert "Traceback" not in result.stderr


def test_a_changed_configuration_runs_what_it_touches_and_says_why(finished):
    command, _ = finished
    shutil.copytree(command.folder / "data", command.folder / "copy")
    arguments = ("TransformTrips", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
    changed = ("--cleaning-max-minutes", "90", "--storage-root", "copy")
    result = command(*arguments, *changed)
    assert result.returncode == 0
    (line,) = [line for line in result.stderr.splitlines() if "max_minutes" in line]
    assert re.search(
        r" in \d+\.\d s, since cleaning\.max_minutes was 60\.0, is 90\.0 -> copy/transform/", line
    )
    manifests = (command.folder / "copy" / "transform").rglob("manifest.json")
    keys = {json.loads(manifest.read_text())["key"] for manifest in manifests}
    assert len(keys) == 3  # two months, and January once more
