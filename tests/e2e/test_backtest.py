"""A backtest and a comparison as real processes, by several workers."""

import json
import re
import sqlite3
import subprocess

import pytest
from command_line import SMALL
from processes import python

RANGE = ("--start", "2021-01", "--stop", "2021-03")
PRETRIP = ("BacktestRecipe", *RANGE, "--recipe", "pretrip", "--local-scheduler", *SMALL)


@pytest.mark.slow
def test_a_range_is_walked_by_two_workers_and_a_second_run_makes_nothing(luigi):
    first = luigi(*PRETRIP, "--workers", "2")
    assert first.returncode == 0, first.stderr
    found = re.findall(r"INFO: (BacktestRecipe green 2021-01 to 2021-02 .*)", first.stderr)
    line, last = found  # that of the step, and that of the run's end
    assert "; it is in " in last
    assert "Monthly retraining " in line
    assert "The gate would let " in line
    (page,) = luigi.folder.glob("data/backtest/green/2021-02/*/[0-9a-f]*/backtest.html")
    assert "is monthly retraining worth it?" in page.read_text()
    # The search of a tuned recipe shows its trials in MLflow; no model is registered.
    with sqlite3.connect(luigi.folder / "data" / "mlflow" / "mlflow.db") as database:
        assert database.execute("SELECT count(*) FROM registered_models").fetchone() == (0,)

    made = {path: path.stat().st_mtime_ns for path in luigi.folder.rglob("*.*")}
    second = luigi(*PRETRIP)
    assert second.returncode == 0
    assert "Did not run any tasks" in second.stderr
    assert {path: path.stat().st_mtime_ns for path in luigi.folder.rglob("*.*")} == made

    window = luigi(*PRETRIP, "--window", "2")
    assert window.returncode == 0, window.stderr
    answer = python(
        *(luigi.folder, "-m", "taxi_pipeline", "compare", "pretrip", "pretrip-w2", "--json"),
        *SMALL,
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [month["month"] for month in found["months"]] == ["2021-02", "2021-03"]
    told = json.loads((page.parent / "backtest.json").read_text())
    assert found["months"][1]["first_rmse"] == pytest.approx(
        told["months"][1]["retrained"]["rmse"], rel=1e-6
    )


def refused(luigi, *arguments) -> subprocess.CompletedProcess:
    answer = luigi("BacktestRecipe", *arguments, "--local-scheduler", "--recipe", "linear")
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    return answer


def test_a_range_of_one_month_is_one_line(luigi):
    answer = refused(luigi, "--start", "2021-01", "--stop", "2021-02", *SMALL)
    (line,) = answer.stderr.splitlines()
    assert line.startswith("ERROR: --start 2021-01 --stop 2021-02: a backtest needs two months")


def test_a_month_that_is_not_published_is_named(luigi):
    source = "synthetic://?rows=2000&last=2021-02"
    answer = refused(luigi, *RANGE, "--source-url", source)
    # As it is met, and as the last line.
    assert answer.stderr.count("green 2021-03: not published yet") == 2
    assert "not made: green 2021-03: not published yet" in answer.stderr.splitlines()[-1]
    assert len(list(luigi.folder.glob("data/evaluate/green/2021-01/*/*/manifest.json"))) >= 1
