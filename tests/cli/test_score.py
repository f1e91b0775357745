"""``score FILE`` writes what a registered model predicts for any file of published rows."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from plan_folders import TRACKING
from processes import python

from taxi_pipeline.cli.main import main

NAME = "nyc-green-taxi-duration-linear"
FILE = "published/green_tripdata_2021-02.parquet"
LINEAR = ("--recipe", "linear")
FIRST = (*LINEAR, "--model-version", "1")


@pytest.fixture
def score(finished, capsys):
    """The exit code of the command, and what it printed."""

    def run(*arguments):
        code = main(["score", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def refused(score):
    """The one line with which the command fails."""

    def run(*arguments):
        code, out, error = score(*arguments)
        assert (code, out) == (1, "")
        assert error.startswith("ERROR: ")
        assert error.count("\n") == 1
        return error

    return run


def test_the_command_scores_a_file_in_a_process_of_its_own(finished):
    command = ("-m", "taxi_pipeline", "score", FILE, "-o", "march.parquet", *FIRST)
    answer = python(finished, *command, "--tracking-uri", TRACKING)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == (
        f"march.parquet: 2,000 rows scored by version 1 of 2021-01 of {NAME}, from the storage"
    )
    table, published = pq.read_table(finished / "march.parquet"), pq.read_table(finished / FILE)
    assert table["row"].to_pylist() == list(range(2000))
    assert table["DOLocationID"].equals(published["DOLocationID"])
    assert table["minutes"].null_count == 0
    assert table.schema.metadata[b"version"] == b"1"
    assert [path.name for path in finished.glob("*.parquet*")] == ["march.parquet"]


def test_csv_gives_the_same_minutes_in_the_current_folder(score, finished):
    pyarrow.csv.write_csv(pq.read_table(FILE), "rows.csv")
    assert score("rows.csv", *FIRST)[0] == 0
    assert score(FILE, *FIRST)[0] == 0
    minutes = [
        pq.read_table(f"{name}.predictions.parquet")["minutes"].to_numpy()
        for name in ("rows.csv", Path(FILE).name)
    ]
    np.testing.assert_array_equal(*minutes)
    assert not list(finished.glob("published/*predictions*"))


def test_what_is_there_is_replaced_only_by_force(score, refused, finished):
    (finished / "out.parquet").write_text("precious")
    error = refused(FILE, "-o", "out.parquet", *FIRST)
    assert "out.parquet is there: --force replaces it, -o names another file" in error
    assert (finished / "out.parquet").read_text() == "precious"
    assert score(FILE, "-o", "out.parquet", *FIRST, "--force")[0] == 0
    assert pq.read_table("out.parquet").num_rows == 2000


def test_without_a_champion_the_line_says_what_to_do(refused):
    assert f"no champion of {NAME} is known: RegisterModel makes" in refused(FILE, *LINEAR)


def test_a_version_that_is_not_there_is_told_with_those_that_are(refused):
    assert "has no such version in the registry, there are 1\n" in refused(
        FILE, *LINEAR, "--model-version", "7"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.parquet",), "nowhere.parquet is no file"),
        (("published",), "published is no file"),
        ((FILE, "-o", "no/folder/out"), "the folder no/folder is not there"),
        ((FILE, "-o", "published"), "published is a folder"),
        ((FILE, "-o", FILE, "--force"), "is the file that is read"),
        ((FILE, "--taxi", "yellow"), "--model-version 1: nyc-yellow-taxi-duration-linear has no"),
    ],
    ids=["missing", "folder", "no folder", "onto a folder", "onto itself", "other taxi"],
)
def test_what_cannot_be_read_or_written_is_one_line(refused, arguments, said):
    assert said in refused(*arguments, *FIRST)


def test_a_recipe_that_is_not_there_is_one_line(refused):
    assert "nothing_like_it" in refused(FILE, "--recipe", "nothing_like_it")


def test_a_file_of_something_else_is_one_line_and_leaves_nothing(refused, finished):
    (finished / "note.txt").write_text("not a table")
    assert "note.txt is no Parquet file; name a whole Parquet file, or a CSV" in refused(
        "note.txt", *FIRST
    )
    assert sorted(path.name for path in finished.iterdir() if "note" in path.name) == ["note.txt"]


@pytest.mark.parametrize(
    "flag", [("--model-version", "0"), ("--champion-at", "yesterday")], ids=str
)
def test_a_value_that_means_nothing_is_refused(score, flag):
    code, _, error = score(FILE, *LINEAR, *flag)
    assert code == 2
    assert flag[1] in error


def test_with_an_interval_low_and_high_are_written(score):
    assert score(FILE, "-o", "plain.parquet", *FIRST)[0] == 0
    assert score(FILE, "-o", "out.parquet", *FIRST, "--interval", "0.9")[0] == 0
    plain, table = pq.read_table("plain.parquet"), pq.read_table("out.parquet")
    assert table.column_names == [*plain.column_names, "low", "high"]
    assert table["minutes"].equals(plain["minutes"])
    assert table.schema.metadata[b"interval"] == b"0.9"


@pytest.mark.parametrize(
    ("interval", "said"),
    [("0.999", "interval is 0.999: give the share"), ("much", "'much' is no number")],
    ids=["out of range", "no number"],
)
def test_an_interval_that_cannot_be_is_told(score, interval, said):
    code, _, error = score(FILE, *FIRST, "--interval", interval)
    assert code == 2
    assert f"Invalid value for '--interval': {said}" in error
