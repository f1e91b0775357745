"""What is said of one trip by itself."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.model import features
from taxi_pipeline.model.features import FEATURES, SUNDAY, compute_features
from taxi_pipeline.trips.schema import TRIP

MAX_MILES = 100.0

brief = settings(max_examples=60)
pickups = st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1))
small = st.none() | st.integers(0, 99)
trips = st.fixed_dictionaries(
    {
        "pickup_at": pickups,
        "minutes": st.floats(1, 60),
        "pickup_zone": st.integers(1, 265),
        "dropoff_zone": st.integers(1, 265),
        "metered_miles": st.none() | st.floats(-10, 300_000) | st.sampled_from([0, 99.99, 100]),
        "vendor": small,
        "rate_code": small,
        "passengers": small,
        "trip_type": small,
        "partial": st.booleans(),
    }
)


def table(rows):
    return pa.Table.from_pylist(rows, schema=TRIP)


def trip(**changed):
    row = dict.fromkeys(TRIP.names) | {"pickup_at": datetime(2021, 1, 4), "minutes": 9.0}
    return {**row, "pickup_zone": 1, "dropoff_zone": 2, "partial": False, **changed}


def features_of(**changed):
    return compute_features(table([trip(**changed)]), MAX_MILES).to_pylist()[0]


@brief
@given(rows=st.lists(trips, min_size=1, max_size=12), data=st.data())
def test_a_trip_is_described_alone_as_it_is_among_others(rows, data):
    one = data.draw(st.integers(0, len(rows) - 1))
    alone = compute_features(table([rows[one]]), MAX_MILES)
    assert compute_features(table(rows), MAX_MILES).slice(one, 1).equals(alone)


@brief
@given(pickups)
def test_calendar_features_are_those_of_the_pickup(pickup):
    row = features_of(pickup_at=pickup)
    assert row["pickup_at"] == pickup
    assert row["hour"] == pickup.hour
    assert row["weekday"] == pickup.weekday()
    assert row["minute_of_day"] == pickup.hour * 60 + pickup.minute
    assert row["whole_minute"] == (pickup.second == 0)


@brief
@given(pickups)
def test_the_effective_weekday_is_the_weekday_or_sunday_and_a_weekend_stays_itself(pickup):
    effective, weekday = features_of(pickup_at=pickup)["effective_weekday"], pickup.weekday()
    assert effective in ({weekday, SUNDAY} if weekday < 5 else {weekday})


@pytest.mark.parametrize(
    ("day", "effective"),
    [
        ("2021-01-01", 6),  # New Year's Day
        ("2021-01-04", 0),
        ("2021-01-18", 6),  # Martin Luther King's birthday
        ("2021-01-19", 1),
        ("2021-05-31", 6),  # Memorial Day
        ("2021-06-18", 6),  # Juneteenth, of which it was the first
        ("2020-06-19", 4),
        ("2021-07-04", 6),
        ("2021-07-05", 6),  # Independence Day was a Sunday
        ("2021-12-31", 6),  # the New Year's Day of 2022 is a Saturday
    ],
)
@pytest.mark.parametrize("time", ["00:00:00", "23:59:59.999999"])
def test_a_federal_holiday_counts_as_a_sunday_from_midnight_to_midnight(day, time, effective):
    row = features_of(pickup_at=datetime.fromisoformat(f"{day} {time}"))
    assert row["effective_weekday"] == effective


def test_no_trips_have_no_effective_weekdays():
    assert compute_features(TRIP.empty_table(), MAX_MILES)["effective_weekday"].to_pylist() == []


@brief
@given(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 0.01, 99.99, MAX_MILES, float("inf")]))
def test_miles_are_null_just_where_the_distance_is_not_plausible(metered):
    row = features_of(metered_miles=metered)
    assert row["metered_miles"] == metered
    assert row["miles"] == (np.float32(metered) if 0 < metered < MAX_MILES else None)


def test_an_unknown_distance_has_no_miles():
    assert features_of(metered_miles=None)["miles"] is None
    assert features_of(metered_miles=float("nan"))["miles"] is None


def test_the_border_of_plausible_miles_is_the_callers():
    distances = table([trip(metered_miles=miles) for miles in (5.0, 20.0)])
    assert compute_features(distances, 10.0)["miles"].to_pylist() == [5.0, None]
    assert compute_features(distances, 21.0)["miles"].to_pylist() == [5.0, 20.0]


def test_a_missing_zone_is_the_unknown_zone():
    rows = table([trip()]).set_column(
        TRIP.get_field_index("pickup_zone"), "pickup_zone", pa.nulls(1, pa.int16())
    )
    assert compute_features(rows, MAX_MILES)["pickup_zone"].to_pylist() == [264]


def test_the_columns_are_the_pickup_the_target_and_the_features():
    assert list(features_of()) == ["pickup_at", "minutes", *FEATURES]
    running = table([trip()]).drop_columns("minutes")
    assert compute_features(running, MAX_MILES).column_names == ["pickup_at", *FEATURES]


def test_types_do_not_depend_on_the_values():
    empty = compute_features(TRIP.empty_table(), MAX_MILES)
    full = compute_features(table([trip(vendor=1, metered_miles=2.0)]), MAX_MILES)
    assert empty.schema.types == full.schema.types


def test_files_are_read_one_after_the_other_with_the_columns_asked_for(folder, january):
    file = folder / "features.parquet"
    frame = features.load_features([file, file], ["hour", "minutes"])
    expected = january[["pickup_at", "minutes", "hour"]]
    pd.testing.assert_frame_equal(frame, pd.concat([expected] * 2, ignore_index=True))


@pytest.mark.parametrize("rows", [700, 10**6])
def test_trips_in_parts_are_those_that_are_read_as_a_whole(folder, monkeypatch, rows):
    monkeypatch.setattr(features, "PART_ROWS", rows)
    files, columns = [folder / "features.parquet"] * 2, ["hour", "minutes", "miles"]
    parts = list(features.feature_parts(files, columns))
    assert max(map(len, parts)) <= rows
    whole = features.load_features(files, columns)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
