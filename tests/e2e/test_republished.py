"""A month that is republished, from the command line: by runs, workers and a central scheduler."""

import json
import re

import pytest
from http_servers import serving
from month_server import MonthServer

from taxi_pipeline import Month

JANUARY, FEBRUARY = Month(2021, 1), Month(2021, 2)
MODEL = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear")
MONTHS = ("--of", "RefreshTrips", "--start", "2021-01", "--stop", "2021-03")
HIDDEN = "hunter2hunter2"


@pytest.fixture
def source(tmp_path):
    (tmp_path / "published").mkdir()
    server = MonthServer(tmp_path / "published")
    for month in (JANUARY, FEBRUARY):
        server.publish(month, rows=2000)
    with serving(server):
        yield server


def outputs(folder):
    """The manifest of each output, by its place; without the copies that MLflow has."""
    places = {path: path.parent.relative_to(folder / "data") for path in manifests(folder)}
    return {place: json.loads(path.read_text()) for path, place in places.items()}


def manifests(folder):
    return folder.glob("data/*/green/**/manifest.json")


def assert_succeeded(result):
    assert result.returncode == 0, result.stderr
    assert not re.search("Traceback|ERROR", result.stderr)


@pytest.mark.parametrize("place", ["server", pytest.param("folder", marks=pytest.mark.slow)])
def test_a_republished_month_makes_exactly_its_descendants_with_two_workers(luigi, source, place):
    template = source.secret_template(HIDDEN)
    if place == "folder":
        template = f"{source.folder}/{{taxi}}_tripdata_{{year}}-{{month:02d}}.parquet"
    flags = ("--source-url", template, "--source-check", "always", "--workers", "2")
    command = (*MODEL, *flags, "--local-scheduler")
    assert_succeeded(luigi(*command))
    before = outputs(luigi.folder)

    source.path(JANUARY).touch()
    source.etags = {"2021-01": '"another"'}
    result = luigi(*command)
    assert_succeeded(result)
    assert "Did not run any tasks" in result.stderr
    assert outputs(luigi.folder) == before

    source.publish(FEBRUARY, rows=1999)
    result = luigi(*command)
    assert_succeeded(result)
    told = "INFO: IngestTrips green 2021-02: source republished: 2,000 -> 1,999 rows\n"
    assert told in result.stderr
    made = {path: facts for path, facts in outputs(luigi.folder).items() if path not in before}
    assert sorted((facts["task"], path.parts[2]) for path, facts in made.items()) == [
        ("ApplyGate", "2021-01"),
        ("BuildFeatures", "2021-02"),
        ("CalibrateIntervals", "2021-01"),
        ("EvaluateModel", "2021-01"),
        ("IngestTrips", "2021-02"),
        ("RegisterModel", "2021-01"),
        ("ReportCandidate", "2021-01"),
        ("TransformTrips", "2021-02"),
    ]
    reason = "source republished (green 2021-02): 2,000 -> 1,999 rows"
    assert result.stderr.count(f", since {reason} -> ") == 7
    assert [facts["since"] for facts in made.values() if facts["since"]] == [[reason]] * 7
    assert HIDDEN not in result.stderr

    result = luigi(*command)
    assert_succeeded(result)
    assert "Did not run any tasks" in result.stderr


def test_a_source_that_is_gone_is_a_warning(luigi, source):
    month = ("TransformTrips", "--year", "2021", "--month", "1", "--local-scheduler")
    flags = ("--source-url", source.secret_template(HIDDEN), "--source-check", "always")
    assert_succeeded(luigi(*month, *flags))
    source.shutdown()
    source.server_close()
    result = luigi(*month, *flags)
    assert_succeeded(result)
    (warning,) = [line for line in result.stderr.splitlines() if line.startswith("WARNING")]
    assert warning.startswith("WARNING: green 2021-01: http://***@127.0.0.1:")
    assert "Did not run any tasks" in result.stderr
    assert HIDDEN not in result.stderr


def test_a_wrong_age_is_one_line(luigi):
    result = luigi(*MODEL, "--source-check", "soon", "--local-scheduler")
    assert result.returncode == 40
    (line,) = (result.stdout + result.stderr).strip().splitlines()
    assert line.startswith("ERROR: [source] check is 'soon': it must be always, never, or an age")


def rows(said):
    table = said.rpartition("\nmonth ")[2].splitlines()
    return [line.split() for line in table if re.match(r"\d{4}-\d\d ", line)]


def assert_refreshed_twice(luigi, source, *flags):
    command = ("BackfillMonths", *MONTHS, "--source-url", source.template, "--workers", "2", *flags)
    for number in (2000, 1999):
        source.publish(FEBRUARY, rows=number)
        source.asked.clear()
        result = luigi(*command)
        assert_succeeded(result)
        expected = [["2021-01", "made", "2,000"], ["2021-02", "made", f"{number:,}"]]
        assert rows(result.stderr) == expected, result.stderr
        assert {month for _, month in source.asked} == {"2021-01", "2021-02"}
    assert "source republished: 2,000 -> 1,999 rows; run RegisterModel again" in result.stderr
    assert "RefreshTrips green 2021-01: unchanged since it was ingested on " in result.stderr
    assert {path.parts[0] for path in outputs(luigi.folder)} == {"ingest"}


def test_a_backfill_refreshes_all_months_each_time_with_two_workers(luigi, source):
    assert_refreshed_twice(luigi, source, "--local-scheduler")


@pytest.mark.slow
def test_a_backfill_refreshes_all_months_each_time_with_a_central_scheduler(
    luigi, source, scheduler
):
    root = ("--storage-root", str(luigi.folder / "data"))
    assert_refreshed_twice(luigi, source, *root, *scheduler.flag)
