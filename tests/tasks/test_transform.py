"""Published records become clean trips, and a report on what was dropped."""

import json

import luigi
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trip_files import at, content, pickups, trips

from taxi_pipeline import EvaluateModel, Month, TransformTrips
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


# --- absurd values ----------------------------------------------------------------------------


def every_fifth(kind, *absurd):
    """Ordinary values, of which every fifth is one of the absurd ones."""
    return lambda values: pa.array(
        [
            absurd[row // 5 % len(absurd)] if row % 5 == 0 else value
            for row, value in enumerate(values)
        ],
        kind,
    )


LONGEST = 2**63 - 1
FRACTIONS = (1e300, -1e300, float("inf"), float("nan"), 5e-324)
COUNTS = (LONGEST, -LONGEST - 1, 0, -1, 32_768)
ABSURD = {
    "trip_distance": every_fifth(pa.float64(), *FRACTIONS),
    "fare_amount": every_fifth(pa.float64(), *FRACTIONS),
    "passenger_count": every_fifth(pa.float64(), 1e300, -1e300, float("inf"), float("nan"), None),
    "PULocationID": every_fifth(pa.int64(), *COUNTS),
    "lpep_pickup_datetime": lambda times: every_fifth(pa.int64(), *COUNTS)(
        pa.array(times, pa.timestamp("us")).cast(pa.int64()).to_pylist()
    ).cast(pa.timestamp("us")),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name == "trip_distance" else pytest.param(name, marks=pytest.mark.slow)
        for name in ABSURD
    ],
)
def test_absurd_values_reach_a_model_as_missing_ones(pipeline, name):
    for month in ("2021-01", "2021-02"):
        table = trips(rows=3000) if month == "2021-01" else at(pickups(Month(2021, 2), rows=3000))
        values = ABSURD[name](table[name].to_pylist())
        table = table.set_column(table.column_names.index(name), name, values)
        (pipeline.root.parent / f"{month}.parquet").write_bytes(content(table))
    pipeline.configure("source", "url", f"{pipeline.root.parent}/{{year}}-{{month:02d}}.parquet")
    pipeline.configure("cleaning", "keep_reversals", "false")
    tasks = [EvaluateModel(year=2021, month=1, recipe=name) for name in ("trip", "course")]
    assert pipeline.run(*tasks).status == luigi.LuigiStatusCode.SUCCESS
    transform = TransformTrips(year=2021, month=1)
    report = json.loads(transform.output().file(transform.QUALITY).read_text(), parse_constant=fail)
    assert 2_400 - 1 <= report["rows_kept"] <= 3000


def fail(constant):
    pytest.fail(f"{constant} is no JSON")
