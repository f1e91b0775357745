"""Which trips are kept, and how the others are counted."""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from places import TLC

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.month import Month
from taxi_pipeline.trips import cleaning, schema
from taxi_pipeline.trips.cleaning import Rules
from taxi_pipeline.trips.quality import QualityReport
from taxi_pipeline.trips.synthetic.month import write_month

JANUARY = Month(2021, 1)
NOON = datetime(2021, 1, 15, 12)

brief = settings(max_examples=50)
rarely = settings(max_examples=8)


def published(*trips):
    """Green records of ten minutes from zone 74 to zone 75, changed as each trip says."""
    ordinary = {
        "pickup": NOON,
        "minutes": 10.0,
        "pickup_zone": 74,
        "dropoff_zone": 75,
        "miles": 2.0,
        "fare": 9.5,
    }
    rows = [{**ordinary, **trip} for trip in trips]
    dropoffs = [row["pickup"] + timedelta(minutes=row["minutes"]) for row in rows]
    return pa.table(
        {
            "lpep_pickup_datetime": pa.array([row["pickup"] for row in rows], pa.timestamp("us")),
            "lpep_dropoff_datetime": pa.array(dropoffs, pa.timestamp("us")),
            "PULocationID": pa.array([row["pickup_zone"] for row in rows], pa.int64()),
            "DOLocationID": pa.array([row["dropoff_zone"] for row in rows], pa.int64()),
            "trip_distance": pa.array([row["miles"] for row in rows], pa.float64()),
            "fare_amount": pa.array([row["fare"] for row in rows], pa.float64()),
        }
    )


def cleaned(table, **rules):
    """The trips that the rules keep, and what was dropped by each rule that dropped any."""
    report = QualityReport()
    trips = cleaning.clean(table, "green", JANUARY, Rules(**rules), report)
    assert report.rows_kept == trips.num_rows
    return trips, {name: rows for name, rows in report.dropped.items() if rows}


def clean_file(source, destination, **options):
    chosen = {"taxi": "green", "month": JANUARY, "rules": Rules(), **options}
    return cleaning.clean_file(source, destination, **chosen)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "green.parquet"
    write_month(path, "green", JANUARY, rows=3000, seed=1)
    return path


@brief
@example(seconds=[59, 60, 61, 3599, 3600, 3601, 0, -600, 86_399])
@given(seconds=st.lists(st.integers(-3600, 90_000) | st.integers(0, 4000), max_size=30))
def test_the_default_rules_keep_exactly_the_trips_of_1_to_60_minutes(seconds):
    trips, dropped = cleaned(published(*({"minutes": second / 60} for second in seconds)))
    expected = [second / 60 for second in seconds if 60 <= second <= 3600]
    assert trips["minutes"].to_pylist() == pytest.approx(expected)
    lost = len(seconds) - len(expected)
    assert dropped == ({"duration": lost} if lost else {})


def test_the_default_rules_keep_what_only_a_stricter_rule_drops():
    odd = published(
        {"pickup": datetime(2008, 12, 31)},
        {"pickup_zone": 264, "dropoff_zone": 265},
        {"fare": -9.5},
        {"miles": 0.0},
        {"miles": 244_152.0},
        {"miles": None, "fare": None},
    )
    trips, dropped = cleaned(odd)
    assert trips.num_rows == odd.num_rows
    assert dropped == {}


@pytest.mark.parametrize(
    ("rules", "name", "kept", "lost"),
    [
        (
            {"only_month": True},
            "other_month",
            [{"pickup": datetime(2021, 1, 1)}, {"pickup": datetime(2021, 1, 31, 23, 59, 59)}],
            [{"pickup": datetime(2020, 12, 31, 23, 59, 59)}, {"pickup": datetime(2021, 2, 1)}],
        ),
        (
            {"known_zones": True},
            "unknown_zone",
            [{"pickup_zone": 1, "dropoff_zone": 263}],
            [{"pickup_zone": 264}, {"dropoff_zone": 264}, {"pickup_zone": 265}],
        ),
        (
            {"keep_reversals": False},
            "reversal",
            [{"fare": 0.0}, {"fare": 0.01}],
            [{"fare": -0.01}, {"fare": -52.0}],
        ),
        (
            {"min_miles": 0.5},
            "distance",
            [{"miles": 0.5}, {"miles": 244_152.0}],
            [{"miles": 0.49}, {"miles": 0.0}],
        ),
        ({"max_miles": 50.0}, "distance", [{"miles": 0.0}, {"miles": 50.0}], [{"miles": 50.1}]),
        ({"max_minutes": 90.0}, "duration", [{"minutes": 90}], [{"minutes": 91}]),
        ({"min_minutes": 2.5}, "duration", [{"minutes": 2.5}], [{"minutes": 2.4}]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_each_rule_drops_its_own_rows_and_counts_them(rules, name, kept, lost):
    trips, dropped = cleaned(published(*lost, *kept), **rules)
    expected, dropped_of_kept = cleaned(published(*kept), **rules)
    assert dropped == {name: len(lost)}
    assert dropped_of_kept == {}
    assert trips.equals(expected)


@pytest.mark.parametrize(
    "trip", [{"pickup_zone": zone} for zone in (0, -1, 266, None, 40_000)] + [{"dropoff_zone": 0}]
)
def test_a_trip_from_or_to_no_zone_is_incomplete(trip):
    trips, dropped = cleaned(published({}, trip))
    assert trips.num_rows == 1
    assert dropped == {"incomplete": 1}


@pytest.mark.parametrize("name", ["lpep_pickup_datetime", "lpep_dropoff_datetime"])
def test_a_trip_without_a_time_is_incomplete(name):
    table = published({}, {})
    times = pa.array([NOON - timedelta(minutes=10), None], pa.timestamp("us"))
    if name == "lpep_dropoff_datetime":
        times = pa.array([NOON + timedelta(minutes=10), None], pa.timestamp("us"))
    table = table.set_column(table.column_names.index(name), name, times)
    trips, dropped = cleaned(table)
    assert trips.num_rows == 1
    assert dropped == {"incomplete": 1}


def test_a_row_that_breaks_several_rules_is_counted_once():
    bad = {"minutes": 0, "pickup_zone": 264, "fare": -1.0, "miles": 0.0}
    strict = {"known_zones": True, "keep_reversals": False, "min_miles": 0.1, "only_month": True}
    trips, dropped = cleaned(published(bad, {}, {**bad, "minutes": 5}), **strict)
    assert trips.num_rows == 1
    assert dropped == {"duration": 1, "unknown_zone": 1}


def test_all_rules_together_account_for_every_row(synthetic, tmp_path):
    strict = Rules(
        only_month=True, known_zones=True, keep_reversals=False, min_miles=0.1, max_miles=30
    )
    report = clean_file(str(synthetic), str(tmp_path / "clean.parquet"), rules=strict)
    kept = pq.read_table(tmp_path / "clean.parquet")
    assert report.rows_read == 3000
    assert report.rows_kept == kept.num_rows > 0
    assert sum(report.dropped.values()) + kept.num_rows == 3000
    assert all(
        report.dropped[name] > 0 for name in ("duration", "unknown_zone", "reversal", "distance")
    )


def test_the_file_has_the_schema_of_clean_trips(synthetic, tmp_path):
    clean_file(synthetic, tmp_path / "clean.parquet")
    assert pq.read_schema(tmp_path / "clean.parquet").equals(schema.TRIP, check_metadata=True)


@rarely
@given(rows=st.integers(100, 4000))
def test_the_result_does_not_depend_on_the_size_of_a_batch(synthetic, tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("batches")
    whole = clean_file(synthetic, folder / "whole.parquet")
    parts = clean_file(synthetic, folder / "parts.parquet", batch_rows=rows)
    assert pq.read_table(folder / "parts.parquet").equals(pq.read_table(folder / "whole.parquet"))
    assert parts.dropped == whole.dropped
    assert parts.nulls == whole.nulls
    for name, distribution in parts.distributions.items():
        assert distribution.counts.tolist() == whole.distributions[name].counts.tolist()


def test_no_more_than_a_batch_is_handled_at_a_time(synthetic, tmp_path, monkeypatch):
    sizes = []
    original = cleaning.clean

    def watched(table, *rest):
        sizes.append(table.num_rows)
        return original(table, *rest)

    monkeypatch.setattr(cleaning, "clean", watched)
    told = []
    clean_file(
        synthetic,
        tmp_path / "clean.parquet",
        batch_rows=700,
        progress=lambda *rows: told.append(rows),
    )
    assert max(sizes) <= 700
    assert sum(sizes) == 3000
    assert [read for _, read, _ in told] == [sum(sizes[: n + 1]) for n in range(len(sizes))]
    assert {total for _, _, total in told} == {3000}


def test_trips_keep_the_order_of_the_file(tmp_path):
    pickups = [NOON + timedelta(hours=(7 * n) % 50) for n in range(50)]
    minutes = [0 if n % 3 else 5 for n in range(50)]
    table = published(*({"pickup": p, "minutes": m} for p, m in zip(pickups, minutes, strict=True)))
    pq.write_table(table, tmp_path / "published.parquet")
    clean_file(tmp_path / "published.parquet", tmp_path / "clean.parquet")
    kept = pq.read_table(tmp_path / "clean.parquet")["pickup_at"].to_pylist()
    assert kept == [p for p, m in zip(pickups, minutes, strict=True) if m]


@pytest.mark.parametrize("rows", [0, 3])
def test_a_file_of_which_no_row_passes_is_refused_in_one_line(tmp_path, rows):
    pq.write_table(published(*[{"minutes": 0}] * rows), tmp_path / "published.parquet")
    with pytest.raises(InvalidTripFile) as refusal:
        clean_file(tmp_path / "published.parquet", tmp_path / "clean.parquet")
    text = str(refusal.value)
    assert "\n" not in text
    assert text.startswith(f"green 2021-01: none of {rows} rows passes")


@pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")
@pytest.mark.parametrize(
    ("month", "read", "kept"),
    [
        (Month(2021, 1), 76_518, 73_908),
        (Month(2021, 2), 64_572, 61_921),
        (Month(2023, 1), 68_211, 65_946),
        (Month(2023, 2), 64_809, 62_574),
    ],
    ids=str,
)
def test_published_months_keep_the_rows_that_the_course_keeps(tmp_path, month, read, kept):
    source = TLC / f"green_tripdata_{month}.parquet"
    report = clean_file(source, tmp_path / "clean.parquet", month=month)
    assert (report.rows_read, report.rows_kept) == (read, kept)
    assert pq.read_metadata(tmp_path / "clean.parquet").num_rows == kept
    assert report.dropped == {"incomplete": 0, "duration": read - kept}


def test_without_a_fare_a_record_is_no_reversal():
    rules = Rules(keep_reversals=False)
    nothing_known = published({"fare": None}, {}).drop_columns(["fare_amount"])
    for table in (published({"fare": None}, {}), nothing_known):
        report = QualityReport()
        assert cleaning.clean(table, "green", JANUARY, rules, report).num_rows == 2
