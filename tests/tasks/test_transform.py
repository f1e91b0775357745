"""Published records become clean trips, and a report on what was dropped."""

import json

import luigi
import pyarrow.parquet as pq
import pytest

from taxi_pipeline import TransformTrips
from taxi_pipeline.trips import schema

ERAS = [(2021, 1), (2023, 1), (2025, 1)]  # from 2023-01 to 02 the published types change


@pytest.mark.parametrize(("year", "month"), ERAS)
@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_transforming_writes_canonical_trips_and_counts_every_row_in_the_report(
    pipeline, taxi, year, month
):
    task = TransformTrips(year=year, month=month, taxi=taxi)
    pipeline.run(task)
    trips = pq.read_table(task.output().file(task.FILE))
    report = json.loads(task.output().file(task.QUALITY).read_text())
    assert trips.schema.equals(schema.TRIP)
    assert report["rows_read"] == 3000
    assert trips.num_rows == report["rows_kept"]
    assert report["rows_kept"] + sum(report["rows_dropped"].values()) == report["rows_read"]


def test_a_stricter_rule_is_taken_from_the_configuration(pipeline):
    pipeline.configure("cleaning", "max_minutes", "20")
    task = TransformTrips(year=2021, month=1)
    pipeline.run(task)
    minutes = pq.read_table(task.output().file(task.FILE))["minutes"].to_numpy()
    assert minutes.max() <= 20


def test_rules_that_no_trip_passes_are_named_by_their_section(pipeline, console):
    pipeline.configure("cleaning", "min_minutes", "59.99")
    pipeline.configure("cleaning", "max_minutes", "59.99")
    pipeline.configure("cleaning", "min_miles", "1e9")
    assert pipeline.run(TransformTrips(year=2021, month=1)).status == luigi.LuigiStatusCode.FAILED
    (error,) = [record.getMessage() for record in console.records if record.levelname == "ERROR"]
    assert "; widen them, as by [cleaning] min_minutes or [cleaning] max_minutes" in error
