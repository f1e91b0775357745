"""Columns that cannot be understood are refused with name, type and what to do."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from trip_files import JANUARY, URL, check, column, content, noon, pickups, trips
from trip_source import assert_one_line

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.trips.cleaning import Rules, clean_file

PICKUP, DROPOFF = "lpep_pickup_datetime", "lpep_dropoff_datetime"
TIMES = "write it as timestamps in New York's local time, without a zone"
EPOCH = "which may count seconds, milliseconds or days since any day"


def refusal(path, table):
    with pytest.raises(InvalidTripFile) as caught:
        check(path, table)
    text = str(caught.value)
    assert_one_line(text)
    start = f"green 2021-01: {URL} has the column"
    assert text.startswith(start)
    return text.removeprefix(start).lstrip("s ")


@pytest.mark.parametrize("name", [PICKUP, DROPOFF])
@pytest.mark.parametrize(
    ("values", "says"),
    [
        (pa.array([date(2021, 1, 15)]), "of type date32[day], a date without the time of day"),
        (pa.array([1_609_459_200]), f"of type int64, {EPOCH}"),
        (pa.array([1_609_459_200.5]), f"of type double, {EPOCH}"),
        (pa.array([Decimal("44197.5")]), f"of type decimal128(6, 1), {EPOCH}"),
        (pa.array([True]), "of type bool, which holds no times"),
        (pa.array([time(12)]), "of type time64[us], which holds no times"),
        (pa.array([timedelta(hours=12)]), "of type duration[us], which holds no times"),
        (pa.nulls(1), "of type null, which holds no times"),
        (pa.array([b"2021-01-15 12:00"]), "of type binary, which holds no times"),
        (pa.array([[noon()]]), "of type list<element: timestamp[us]>, which holds no times"),
        (pa.array(["15.01.2021 12:00"]), "of type string with the value '15.01.2021 12:00', which"),
        (pa.array(["2021-01-15"]), "of type string with the value '2021-01-15', which is no time"),
        (
            pa.array(["2021-01-15T12:00:00Z"]),
            "of type string with the value '2021-01-15T12:00:00Z'",
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_times_that_are_none_are_refused(destination, name, values, says):
    text = refusal(destination, column(name, values))
    assert text.startswith(f"{name} {says}")
    assert text.endswith(f"; {TIMES}")


@pytest.mark.parametrize("name", ["PULocationID", "DOLocationID", "passenger_count", "VendorID"])
@pytest.mark.parametrize(
    ("values", "says"),
    [
        (pa.array([True, False]), "of type bool, which holds no numbers"),
        (pa.array([74.0, 74.5]), "of type double with the value 74.5, which is no whole number"),
        (pa.array([Decimal("74.5")]), "of type decimal128(3, 1) with the value 74.5, which is no"),
        (pa.array(["74", "JFK"]), "of type string with the value 'JFK', which is no whole number"),
        (pa.array(["74.5", ""]), "of type string with the value 74.5, which is no whole number"),
        (pa.array([{"id": 74}]), "of type struct<id: int64>, which holds no numbers"),
        (pa.array([[74]]), "of type list<element: int64>, which holds no numbers"),
        (pa.array([noon()]), "of type timestamp[us], which holds no numbers"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_ids_that_are_none_are_refused(destination, name, values, says):
    text = refusal(destination, column(name, values))
    assert text.startswith(f"{name} {says}")
    assert text.endswith("; write it as whole numbers")


@pytest.mark.parametrize("name", ["trip_distance", "fare_amount"])
def test_measures_that_are_no_numbers_are_refused(destination, name):
    text = refusal(destination, column(name, pa.array(["2.5", "far"])))
    expected = (
        f"{name} of type string with the value 'far', which is no number; write it as numbers"
    )
    assert text == expected


def test_a_needed_column_that_is_there_twice_is_refused(destination):
    table = trips().append_column("trip_distance", pa.array([1.0] * 1000))
    assert refusal(destination, table) == "trip_distance twice; leave the right one"
    table = table.append_column("trip_distance", pa.array([1.0] * 1000))
    assert refusal(destination, table) == "trip_distance 3 times; leave the right one"


def test_two_spellings_of_a_needed_column_are_refused(destination):
    table = trips().append_column("pulocationid", pa.array([74] * 1000))
    assert refusal(destination, table) == "PULocationID and pulocationid; leave the right one"


def test_columns_that_are_not_needed_may_be_anything(destination):
    table = trips(tip_amount=pa.array([[1.0]] * 1000))
    for name in ("tip_amount", "TIP_AMOUNT"):
        table = table.append_column(name, pa.array(["much"] * 1000))
    assert check(destination, table).warnings == ()


def as_text(times):
    return pa.array([f"{time:%Y-%m-%d %H:%M:%S.%f}" for time in times])


UNDERSTOOD = {
    "whole-number floats": {"PULocationID": pa.array([74.0] * 1000)},
    "decimals": {"trip_distance": pa.array([Decimal("2.50")] * 1000)},
    "dictionaries": {
        "PULocationID": pa.array(["74"] * 1000).dictionary_encode(),
        PICKUP: pa.array(pickups()).dictionary_encode(),
    },
    "text with empty values": {"passenger_count": pa.array(["1", ""] * 500)},
    "times in text": {PICKUP: as_text(pickups())},
    "nanoseconds": {PICKUP: pa.array(pickups(), pa.timestamp("ns"))},
    "not a number": {"RatecodeID": pa.array([float("nan"), float("inf")] * 500)},
    "nulls": {"trip_type": pa.nulls(1000)},
}


@pytest.mark.parametrize("changed", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_unambiguous_is_accepted_and_cleaned(destination, changed):
    table = trips(**changed)
    assert check(destination, table).rows == 1000
    report = clean_file(
        destination,
        destination.with_name("clean.parquet"),
        taxi="green",
        month=JANUARY,
        rules=Rules(keep_reversals=False, only_month=True),
    )
    assert report.rows_kept == 1000


def test_a_file_that_was_taken_before_it_was_checked_is_refused_when_it_is_cleaned(destination):
    destination.write_bytes(content(column("PULocationID", pa.array(["JFK"]))))
    with pytest.raises(InvalidTripFile) as caught:
        clean_file(
            destination,
            destination.with_name("clean.parquet"),
            taxi="green",
            month=JANUARY,
            rules=Rules(),
        )
    assert_one_line(str(caught.value))
    assert "the column PULocationID of type string with the value 'JFK'" in str(caught.value)


def test_midnight_is_a_time_where_it_is_written_out(destination):
    texts = pa.array(["2021-01-15 00:00"] * 1000)
    assert check(destination, trips(**{PICKUP: texts})).rows == 1000
    assert datetime.fromisoformat(texts[0].as_py()) == datetime(2021, 1, 15)
