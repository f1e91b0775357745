"""The published file is kept as it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import luigi
import pyarrow.parquet as pq
import pytest

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
