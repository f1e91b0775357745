"""The drift of a month, from the command line."""

import json
import re

from command_line import SMALL

MONTH = ("ReportDrift", "--year", "2021", "--local-scheduler")


def made(result, task):
    """The line that says what a task made."""
    assert result.returncode == 0, result.stderr
    assert not re.search("Traceback|ERROR", result.stderr)
    (line,) = [
        line
        for line in result.stderr.splitlines()
        if line.startswith(f"INFO: {task} ") and " -> " in line
    ]
    return line


def test_a_month_is_compared_with_those_of_the_champion(finished):
    command, result = finished
    assert result.returncode == 0, result.stderr
    told = made(command(*MONTH, "--month", "3", *SMALL), "ReportDrift")
    record = command.folder / "data/drift/green/2021-03/trip-v1-2021-01-w1/latest/drift.json"
    sentence = json.loads(record.read_text())["sentence"]
    assert sentence.startswith("2021-03 beside 2021-01: ")
    assert f"ReportDrift green 2021-03 trip-v1-2021-01-w1: {sentence}, in " in told
    again = command(*MONTH, "--month", "3", *SMALL)
    assert "Did not run any tasks" in again.stderr


def test_named_months_need_no_model_and_two_workers_may_work(luigi):
    result = luigi(
        *(*MONTH, "--month", "2", "--reference-month", "2021-01", "--workers", "2"), *SMALL
    )
    assert result.returncode == 0, result.stderr
    assert "2021-02 beside 2021-01: " in result.stderr
    assert not (luigi.folder / "data" / "mlflow").exists()


def test_a_month_that_is_not_published_is_one_line(luigi):
    source = "synthetic://?rows=3000&last=2021-01"
    result = luigi(
        *(*MONTH, "--month", "2", "--reference-month", "2021-01", "--source-url", source)
    )
    assert result.returncode == 20
    told = [line for line in result.stderr.splitlines() if "not published" in line]
    assert told[0].startswith("INFO: green 2021-02: not published yet at synthetic://")
    assert not list(luigi.folder.glob("data/drift/**/*.json"))
    assert "Traceback" not in result.stderr


def test_without_a_champion_one_line_says_what_to_do(luigi):
    result = luigi(*MONTH, "--month", "2", *SMALL)
    assert result.returncode != 0
    (line,) = [text for text in result.stderr.splitlines() if "no champion" in text]
    assert "RegisterModel makes the first model champion" in line
    assert "Traceback" not in result.stderr


def test_a_candidate_that_drifted_is_kept_unless_a_reason_is_given(luigi):
    gate = ("ApplyGate", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
    strict = ("--gate-max-drift", "0.0001")
    told = made(luigi(*gate, *strict), "ApplyGate")
    assert "KEPT: 2021-02 drifted from the training window, 2021-01, beyond [gate] max" in told
    told = made(luigi(*gate, *strict, "--gate-accept-drift", "a holiday week"), "ApplyGate")
    assert re.search(r"accepted by \S+@\S+ at 20\S+ \S+ UTC \(a holiday week\)", told)
