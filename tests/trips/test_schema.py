"""Every era's published records take one canonical form."""

from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.trips import schema

NOON = datetime(2021, 1, 4, 12)
CANONICAL = {field.name: field.type for field in schema.TRIP}
TAXIS = ("green", "yellow")
ERAS = ("old", "new")
SMALL = 2**15 - 1  # the largest whole number that a canonical id can be

brief = settings(max_examples=60)


def published(taxi, era="old", **changed):
    """One trip of ten minutes, in an era's types; a column that is None is left out."""
    old = era == "old"
    ids, counts = (pa.int64(), pa.float64()) if old else (pa.int32(), pa.int64())
    text = pa.string() if old else pa.large_string()
    columns = {
        "VendorID": pa.array([2], ids),
        schema.pickup_column(taxi): pa.array([NOON], pa.timestamp("us")),
        schema.dropoff_column(taxi): pa.array([NOON.replace(minute=10)], pa.timestamp("us")),
        "store_and_fwd_flag": pa.array(["N"], text),
        "RatecodeID": pa.array([1], counts),
        "PULocationID": pa.array([74], ids),
        "DOLocationID": pa.array([265], ids),
        "passenger_count": pa.array([3], counts),
        "trip_distance": pa.array([2.5], pa.float64()),
        "fare_amount": pa.array([9.5], pa.float64()),
    }
    if taxi == "green":
        columns["ehail_fee"] = pa.nulls(1, pa.null() if old else pa.float64())
        columns["trip_type"] = pa.array([1], counts)
    else:
        columns["airport_fee" if old else "Airport_fee"] = pa.array([0.0])
    columns |= changed
    return pa.table({name: column for name, column in columns.items() if column is not None})


def types(table):
    return {field.name: field.type for field in table.schema}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("taxi", TAXIS)
def test_each_era_of_each_taxi_has_the_same_canonical_form(taxi, era):
    trips = schema.canonical(published(taxi, era), taxi)
    assert types(trips) == CANONICAL
    assert trips.to_pylist() == [
        {
            "pickup_at": NOON,
            "minutes": 10.0,
            "pickup_zone": 74,
            "dropoff_zone": 265,
            "metered_miles": 2.5,
            "vendor": 2,
            "rate_code": 1,
            "passengers": 3,
            "trip_type": 1 if taxi == "green" else None,
            "partial": False,
        }
    ]


@pytest.mark.parametrize("taxi", TAXIS)
def test_column_names_are_matched_without_case(taxi):
    table = published(taxi)
    shouted = table.rename_columns([name.upper() for name in table.column_names])
    assert schema.canonical(shouted, taxi).equals(schema.canonical(table, taxi))


@pytest.mark.parametrize("taxi", TAXIS)
def test_optional_columns_that_are_missing_become_null(taxi):
    table = published(taxi)
    bare = table.drop_columns([n for n in schema.optional_columns(taxi) if n in table.column_names])
    trips = schema.canonical(bare, taxi)
    assert types(trips) == CANONICAL
    for name in ("metered_miles", "vendor", "rate_code", "passengers", "trip_type"):
        assert trips[name].null_count == 1
    assert trips["minutes"].to_pylist() == [10.0]
    assert trips["partial"].to_pylist() == [True]


@pytest.mark.parametrize("taxi", TAXIS)
def test_without_a_drop_off_column_there_are_no_minutes(taxi):
    trips = schema.canonical(published(taxi, **{schema.dropoff_column(taxi): None}), taxi)
    assert types(trips) == {n: kind for n, kind in CANONICAL.items() if n != "minutes"}


@pytest.mark.parametrize("name", ["lpep_pickup_datetime", "PULocationID", "DOLocationID"])
def test_a_trip_needs_its_pickup_time_and_both_zones(name):
    with pytest.raises(KeyError, match=name.lower()):
        schema.canonical(published("green", **{name: None}), "green")


@pytest.mark.parametrize(
    ("published_name", "name"),
    [
        ("PULocationID", "pickup_zone"),
        ("DOLocationID", "dropoff_zone"),
        ("VendorID", "vendor"),
        ("RatecodeID", "rate_code"),
        ("passenger_count", "passengers"),
        ("trip_type", "trip_type"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        pa.array([float("nan")]),
        pa.array([float("inf")]),
        pa.array([1e300]),
        pa.array([SMALL + 1]),
        pa.array([-SMALL - 2]),
        pa.array([-1]),
        pa.array([2**63 - 1]),
        pa.nulls(1, pa.null()),
        pa.nulls(1, pa.int64()),
    ],
    ids=lambda value: f"{value.type}:{value[0]}",
)
def test_numbers_that_are_no_id_become_null(published_name, name, value):
    trips = schema.canonical(published("green", **{published_name: value}), "green")
    assert types(trips) == CANONICAL
    assert trips[name].to_pylist() == [None]


@brief
@given(number=st.integers(0, SMALL), kind=st.sampled_from([pa.int32(), pa.int64()]))
def test_every_number_that_fits_is_kept_whatever_its_type(number, kind):
    whole = published("green", VendorID=pa.array([number], kind))
    broken = published("green", VendorID=pa.array([float(number)], pa.float64()))
    for table in (whole, broken):
        assert schema.canonical(table, "green")["vendor"].to_pylist() == [number]


@brief
@given(microseconds=st.integers(-(10**14), 10**14), unit=st.sampled_from(["us", "ns"]))
def test_minutes_are_the_time_from_pickup_to_drop_off(microseconds, unit):
    pickup, factor = 1_609_459_200_000_000, {"us": 1, "ns": 1000}[unit]
    times = {
        schema.pickup_column("green"): pa.array([pickup * factor], pa.timestamp(unit)),
        schema.dropoff_column("green"): pa.array(
            [(pickup + microseconds) * factor], pa.timestamp(unit)
        ),
    }
    trips = schema.canonical(published("green", **times), "green")
    assert trips["minutes"].to_pylist() == [microseconds / 60e6]


def test_a_missing_time_gives_null_minutes():
    unknown = pa.nulls(1, pa.timestamp("us"))
    trips = schema.canonical(published("green", lpep_dropoff_datetime=unknown), "green")
    assert trips["minutes"].to_pylist() == [None]


def test_a_record_without_passengers_is_of_the_other_origin():
    unknown = pa.nulls(1, pa.float64())
    trips = schema.canonical(published("green", passenger_count=unknown), "green")
    assert trips["partial"].to_pylist() == [True]


@pytest.mark.parametrize("distance", [float("nan"), float("inf"), float("-inf")])
def test_a_distance_that_is_not_finite_becomes_null(distance):
    trips = schema.canonical(published("green", trip_distance=pa.array([distance])), "green")
    assert trips["metered_miles"].to_pylist() == [None]


def test_a_time_with_a_zone_is_taken_in_new_york():
    noon_in_utc = pa.array([1_609_502_400_000_000], pa.timestamp("us", "UTC"))
    trips = schema.canonical(published("green", lpep_pickup_datetime=noon_in_utc), "green")
    assert trips["pickup_at"].to_pylist() == [datetime(2021, 1, 1, 7)]


def test_a_table_without_rows_has_the_canonical_form():
    trips = schema.canonical(published("yellow").slice(0, 0), "yellow")
    assert trips.num_rows == 0
    assert types(trips) == CANONICAL


@pytest.mark.parametrize("taxi", TAXIS)
def test_cleaning_reads_what_it_needs_of_a_file_and_no_more(taxi):
    read = schema.columns_to_read([*published(taxi).column_names, "tip_amount"], taxi)
    assert set(schema.required_columns(taxi)) < set(read)
    assert not set(read) & {"tip_amount", "ehail_fee", "airport_fee", "store_and_fwd_flag"}
    other = next(prefix for prefix in TAXIS if prefix != taxi)
    assert schema.columns_to_read([schema.pickup_column(other)], taxi) == []


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_published_columns_are_what_canonical_trips_were_made_from(taxi):
    rows = {
        schema.pickup_column(taxi): pa.array([0, 1], pa.timestamp("us")),
        "PULocationID": [1, 265],
        "DOLocationID": [7, 8],
        "trip_distance": [1.5, None],
        "VendorID": [2, None],
        "RatecodeID": [1, None],
        "passenger_count": [3, None],
        **({"trip_type": [1, 2]} if taxi == "green" else {}),
    }
    trips = schema.canonical(pa.table(rows), taxi)
    published = schema.published(trips, taxi)
    assert set(published.column_names) == set(rows)
    assert schema.canonical(published, taxi) == trips


def clean(**changed):
    """A clean trip."""
    trips = schema.canonical(published("green"), "green").cast(schema.TRIP)
    for name, value in changed.items():
        number = trips.column_names.index(name)
        field = trips.schema.field(number)
        trips = trips.set_column(number, field, pa.array([value], field.type))
    return trips


@pytest.mark.parametrize("name", ["metered_miles", "vendor", "rate_code", "passengers"])
def test_clean_trips_may_lack_what_a_model_need_not_have(name):
    schema.check(clean(**{name: None}))


@pytest.mark.parametrize("name", ["pickup_at", "minutes", "pickup_zone", "dropoff_zone", "partial"])
def test_clean_trips_without_a_needed_value_are_a_mistake(name):
    with pytest.raises(ValueError, match=f"1 clean trips have no {name}"):
        schema.check(clean(**{name: None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minutes", -0.5),
        ("pickup_zone", 0),
        ("pickup_zone", 266),
        ("dropoff_zone", 266),
        ("rate_code", -1),
        ("passengers", -1),
    ],
)
def test_clean_trips_with_a_value_out_of_range_are_a_mistake(name, value):
    with pytest.raises(ValueError, match=f"clean trips have {name} from {value} to {value}"):
        schema.check(clean(**{name: value}))


def test_clean_trips_of_other_columns_or_types_are_a_mistake():
    trips = clean()
    with pytest.raises(ValueError, match="clean trips have the columns pickup_at"):
        schema.check(trips.drop_columns("partial"))
    with pytest.raises(ValueError, match="clean trips have the columns pickup_at"):
        schema.check(trips.cast(schema.TRIP.set(1, pa.field("minutes", pa.float32()))))


def test_no_clean_trips_are_clean_trips():
    schema.check(schema.TRIP.empty_table())
