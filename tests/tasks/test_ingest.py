"""The published file is kept as it is."""

import luigi
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import IngestTrips
from taxi_pipeline.storage import sha256
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
