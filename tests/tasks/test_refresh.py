"""A month's source is asked at once, and what was republished is ingested."""

import luigi
import pytest
from luigi.task_register import Register
from source_runs import FEBRUARY, JANUARY

from taxi_pipeline import BackfillMonths, RefreshTrips

SUCCESS, FAILED = luigi.LuigiStatusCode.SUCCESS, luigi.LuigiStatusCode.FAILED


def january():
    return RefreshTrips(year=2021, month=1)


def of_both():
    return BackfillMonths(of=RefreshTrips, start=JANUARY, stop=FEBRUARY + 1)


def found(runs, month="2021-01"):
    """What the task says that it found; a run of this task alone says it again at its end."""
    begin = f"RefreshTrips green {month}: "
    said = [line.removeprefix(begin) for line in runs.lines("INFO") if line.startswith(begin)]
    assert len(said) in {1, 2}
    assert len({*said}) == 1
    return said[0]


def test_a_month_that_is_not_there_is_ingested(nothing_run):
    assert nothing_run.run(january()).status == SUCCESS
    assert {output[:3] for output in nothing_run.outputs()} == {("ingest", "green", "2021-01")}
    assert found(nothing_run) == "ingested just now"
    assert nothing_run.source.asked == [("HEAD", "2021-01"), ("GET", "2021-01")]


@pytest.mark.parametrize("check", ["always", "1 day", "never"])
def test_the_source_is_asked_whatever_the_option_says(runs, check):
    runs.configure("source", "check", check)
    before = runs.pointer()["asked"]
    assert runs.run(january()).status == SUCCESS
    assert runs.source.asked == [("HEAD", "2021-01")]
    assert found(runs).startswith("unchanged since it was ingested on 20")
    assert runs.pointer()["asked"] > before


def test_what_was_republished_is_ingested_and_nothing_else_is_run(runs):
    before = runs.outputs()
    runs.source.publish(JANUARY, rows=999)
    assert runs.run(january()).status == SUCCESS
    assert [output[:3] for output in runs.outputs() - before] == [("ingest", "green", "2021-01")]
    told = "source republished: 1,000 -> 999 rows; run RegisterModel again for its descendants"
    assert found(runs) == told


def test_a_source_without_validators_is_fetched(runs):
    runs.source.withheld = {"ETag", "Last-Modified", "Content-Length"}
    runs.run(january())
    assert found(runs).startswith("unchanged since")
    assert runs.source.fetched() == ["2021-01"]
    runs.source.publish(JANUARY, rows=999)
    runs.run(january())
    assert found(runs).startswith("source republished: 1,000 -> 999 rows")


def test_a_synthetic_month_never_changes(runs):
    runs.configure("source", "url", "synthetic://?rows=1000")
    runs.run(january())
    assert found(runs) == "ingested just now"
    runs.run(january())
    assert found(runs).startswith("unchanged since")


@pytest.mark.parametrize("month", ["2021-01", "2021-03"])
def test_a_run_after_the_first_asks_again_in_the_same_process(runs, month):
    runs.source.publish(JANUARY + 2)
    number = int(month[-2:])
    for _ in range(2):
        runs.source.asked.clear()
        luigi_task = RefreshTrips(year=2021, month=number)
        assert runs.run(luigi_task).status == SUCCESS
        assert ("HEAD", month) in runs.source.asked


def test_outside_a_run_it_is_never_done(runs):
    runs.run(january())
    Register.clear_instance_cache()
    assert not january().complete()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "does not offer the month any more: HTTP 404 Not Found; what was ingested stays"),
        (503, "cannot be asked: HTTP 503 Service Unavailable; try again later, or check [source]"),
    ],
)
def test_a_source_that_does_not_offer_the_month_is_a_failure_of_one_line(runs, status, told):
    pointer = runs.pointer()
    runs.source.statuses = {"2021-01": status}
    assert runs.run(january()).status == FAILED
    (error,) = runs.lines("ERROR")
    assert told in error
    assert len(error.splitlines()) == 1
    assert runs.pointer() == pointer


def test_a_new_file_that_is_of_no_use_is_a_failure_and_the_ingested_one_stays(runs):
    pointer = runs.pointer()
    runs.source.path(JANUARY).write_bytes(b"<html>Please log in</html>")
    assert runs.run(january()).status == FAILED
    (error,) = runs.lines("ERROR")
    assert "is an HTML page instead of a parquet file; check [source] url" in error
    assert runs.pointer() == pointer


# --- a range of months ------------------------------------------------------------------------


def table(runs):
    (report,) = [line for line in runs.lines("INFO") if line.startswith("BackfillMonths of Ref")]
    return [line.split() for line in report.splitlines() if line.startswith("2021-")], report


def test_a_backfill_asks_for_all_months_each_time_it_is_run(nothing_run):
    runs = nothing_run
    for attempt in range(3):
        assert runs.run(of_both()).status == SUCCESS
        rows, report = table(runs)
        assert rows == [["2021-01", "made", "1,000"], ["2021-02", "made", "1,000"]]
        assert report.endswith("\nAll of 2 months there.")
        assert {month for _, month in runs.source.asked} == {"2021-01", "2021-02"}
        assert bool(runs.source.fetched()) == (attempt == 0)


def test_a_backfill_asks_again_where_luigi_still_has_its_tasks(runs, monkeypatch):
    monkeypatch.setattr(Register, "clear_instance_cache", lambda: None)
    for _ in range(2):
        assert runs.run(of_both()).status == SUCCESS
        assert sorted(runs.source.asked) == [("HEAD", "2021-01"), ("HEAD", "2021-02")]


def test_the_table_shows_the_rows_of_what_was_republished(runs):
    runs.source.publish(FEBRUARY, rows=999)
    assert runs.run(of_both()).status == SUCCESS
    assert table(runs)[0] == [["2021-01", "made", "1,000"], ["2021-02", "made", "999"]]


def test_a_month_that_is_not_published_is_waited_for_and_the_others_are_refreshed(runs):
    task = BackfillMonths(of=RefreshTrips, start=JANUARY, stop=FEBRUARY + 2)
    assert runs.run(task).status == luigi.LuigiStatusCode.MISSING_EXT
    states = [row[1:] for row in table(runs)[0]]
    assert states == [["made", "1,000"], ["made", "1,000"], ["waiting", "for", "publication"]]
