"""The published file is kept as it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import luigi
import pyarrow.parquet as pq
import pytest
from trip_files import at, content, pickups, trips

from taxi_pipeline import IngestTrips, Month
from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.storage import sha256
from taxi_pipeline.trips.publication import Answer
from taxi_pipeline.trips.synthetic import month as synthetic
from taxi_pipeline.trips.synthetic.published_schema import columns

ERAS = [(2021, 1), (2023, 1), (2025, 1)]  # from 2023-01 to 02 the published types change


@pytest.mark.parametrize(("year", "month"), ERAS)
@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_ingesting_keeps_the_published_file_as_it_is_under_its_content(pipeline, taxi, year, month):
    task = IngestTrips(year=year, month=month, taxi=taxi)
    assert not task.complete()
    assert pipeline.run(task).scheduling_succeeded
    assert task.complete()
    file = task.output().file(task.FILE)
    assert pq.read_schema(file).names == columns(taxi, task.calendar_month).names
    assert sha256(file).startswith(file.parent.name)


def test_a_failure_names_the_options_that_its_cause_comes_from(pipeline, tmp_path, console):
    (tmp_path / "2021-01.parquet").write_text("<html></html>")
    pipeline.configure("source", "url", f"{tmp_path}/{{year}}-{{month:02d}}.parquet")
    assert pipeline.run(IngestTrips(year=2021, month=1)).status == luigi.LuigiStatusCode.FAILED
    (error,) = [record.getMessage() for record in console.records if record.levelname == "ERROR"]
    assert "; check [source] url, and whether it wants a login" in error


# --- asking the source again ------------------------------------------------------------------


@pytest.fixture
def january(pipeline):
    """January, ingested from a file that may change."""
    path = pipeline.root.parent / "2021-01.parquet"
    pipeline.configure("source", "url", f"{path.parent}/{{year}}-{{month:02d}}.parquet")
    synthetic.write_month(path, "green", Month(2021, 1), rows=1000, seed=0)
    task = IngestTrips(year=2021, month=1)
    assert pipeline.run(task).scheduling_succeeded
    return task


def test_the_validators_are_kept_in_the_pointer_and_in_the_manifest(january):
    stat = Path(january.url).stat()
    expected = {"mtime_ns": stat.st_mtime_ns, "size": stat.st_size}
    assert january.pointer().validators == january.output().manifest()["validators"] == expected
    assert january.pointer().asked <= datetime.now(UTC)


def test_an_answer_that_says_the_same_renews_when_the_source_was_asked(january):
    before, answer = january.pointer(), january.ask_again(5)
    assert january.source_changes(answer) == []
    assert january.refresh(answer) == ""
    assert january.pointer() == replace(before, asked=answer.asked)


def test_an_answer_that_is_older_than_that_of_another_run_renews_nothing(january):
    before = january.pointer()
    older = replace(january.ask_again(5), asked=before.asked - timedelta(hours=1))
    january.refresh(older)
    assert january.pointer() == before


def test_another_content_is_published_beside_the_older(january, pipeline):
    older = january.output().location
    synthetic.write_month(Path(january.url), "green", Month(2021, 1), rows=999, seed=0)
    answer = january.ask_again(5)
    assert set(january.source_changes(answer)) <= {"mtime_ns", "size"}
    assert january.refresh(answer) == "source republished: 1,000 -> 999 rows"
    assert january.complete()
    assert january.output().location != older
    assert january.pointer().validators == answer.validators
    assert january.output().manifest()["rows"] == 999
    assert january.manifest_of(older.rpartition("/")[2])["rows"] == 1000


def test_without_validators_a_file_is_fetched_only_where_that_is_asked_for(january):
    synthetic.write_month(Path(january.url), "green", Month(2021, 1), rows=999, seed=0)
    answer = Answer(published=True)
    assert january.source_changes(answer) is None
    assert january.refresh(answer) == ""
    told = january.refresh(answer, fetch_uncompared=True)
    assert told == "source republished: 1,000 -> 999 rows"


def test_a_file_that_is_of_no_use_leaves_all_as_it_was(january):
    before = january.pointer()
    Path(january.url).write_text("<html></html>")
    with pytest.raises(InvalidTripFile, match=r"is an HTML page .* check \[source\] url"):
        january.refresh(january.ask_again(5))
    assert january.pointer() == before
    assert january.complete()


# --- what is no month's file ------------------------------------------------------------------


@pytest.fixture
def source(pipeline):
    """A folder of published months, from which January is ingested."""
    folder = pipeline.root.parent / "published"
    folder.mkdir()
    pipeline.configure("source", "url", f"{folder}/{{year}}-{{month:02d}}.parquet")
    pipeline.publish = lambda month, content: (folder / f"{month}.parquet").write_bytes(content)
    return pipeline


def errors(console, level="ERROR"):
    return [record.getMessage() for record in console.records if record.levelname == level]


def test_a_damaged_file_is_not_kept_and_a_mended_one_is_fetched_by_the_next_run(source, console):
    whole = content(trips(rows=5000), compression="gzip")
    source.publish("2021-01", whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    task = IngestTrips(year=2021, month=1)
    assert source.run(task).status == luigi.LuigiStatusCode.FAILED
    (error,) = errors(console)
    assert "is a damaged parquet file (" in error
    assert ", in the column " in error
    assert task.pointer() is None
    assert not source.made("ingest")
    source.publish("2021-01", whole)
    assert source.run(IngestTrips(year=2021, month=1)).scheduling_succeeded
    assert len(source.made("ingest")) == 1


def test_a_refusal_names_the_option_that_takes_the_file_nevertheless(source, console):
    source.publish("2021-02", content(trips()))
    task = IngestTrips(year=2021, month=2)
    assert source.run(task).status == luigi.LuigiStatusCode.FAILED
    (error,) = errors(console)
    assert "has 0 of 1,000 pickups in 2021-02 and 1,000 in 2021-01: it is another" in error
    assert "; check [source] url, or take it nevertheless by [contract] min_month_share 0" in error
    source.configure("contract", "min_month_share", "0")
    assert source.run(task).scheduling_succeeded
    (warning,) = errors(console, "WARNING")
    assert "has 0 of 1,000 pickups in 2021-02" in warning
    assert warning.endswith(": trips of other months are kept unless [cleaning] only_month is set")
    assert task.output().manifest()["warnings"] == [warning.partition(".parquet ")[2]]


@pytest.mark.parametrize("order", [("2021-01", "2021-02"), ("2021-02", "2021-01")])
def test_the_rows_of_the_months_beside_are_looked_at_in_any_order(source, console, order):
    source.publish("2021-01", content(trips(rows=5000)))
    source.publish("2021-02", content(at(pickups(Month(2021, 2), rows=1000))))
    for month in order:
        task = IngestTrips(year=2021, month=int(month[-2:]))
        assert source.run(task).scheduling_succeeded
    (warning,) = errors(console, "WARNING")
    assert "rows, " in warning
    assert " 20 % " in warning
    assert warning.endswith(": see whether its source has the whole file")


def test_a_part_of_a_file_is_refused_beside_a_whole_one(source, console):
    source.publish("2021-01", content(trips(rows=1000)))
    source.publish("2021-02", content(at(pickups(Month(2021, 2), rows=10))))
    assert source.run(IngestTrips(year=2021, month=1)).scheduling_succeeded
    assert source.run(IngestTrips(year=2021, month=2)).status == luigi.LuigiStatusCode.FAILED
    (error,) = errors(console)
    assert "; check [source] url, or take it nevertheless by [contract] min_rows_share 0" in error


def test_the_key_of_a_month_depends_on_its_content_alone(source):
    source.publish("2021-01", content(trips(rows=1000)))
    source.publish("2021-02", content(at(pickups(Month(2021, 2), rows=100))))
    tasks = [IngestTrips(year=2021, month=month) for month in (1, 2)]
    for task in tasks:
        assert source.run(task).scheduling_succeeded
    keys = [task.key for task in tasks]
    assert tasks[1].output().manifest()["warnings"]
    source.configure("storage", "root", str(source.root.parent / "other"))
    source.configure("contract", "warn_rows_share", "0")
    for task in reversed(tasks):
        assert source.run(task).scheduling_succeeded
    assert [task.key for task in tasks] == keys
    assert tasks[1].output().manifest()["warnings"] == []


def test_the_last_month_that_a_task_can_have_has_one_neighbour(source):
    month = Month(IngestTrips.year.maximum, 12)
    source.publish(str(month), content(at(pickups(month))))
    assert source.run(IngestTrips(year=month.year, month=12)).scheduling_succeeded
