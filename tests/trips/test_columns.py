"""How a column is understood, whatever its type."""

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.trips.columns import EARLIEST, LARGEST, LATEST, local_times, numbers

NOON = datetime(2021, 1, 1, 12)
ZONE = pa.int16()

brief = settings(max_examples=60)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([74, None], pa.uint8()),
        pa.array([74.0, float("nan")]),
        pa.array([74.0, None], pa.float16()),
        pa.array([Decimal("74.00"), None]),
        pa.array(["74", ""]),
        pa.array([" 74 ", "  "], pa.large_string()),
        pa.array(["74", None], pa.string_view()),
        pa.array(["74", ""]).dictionary_encode(),
        pa.array([74, None]).dictionary_encode(),
        pa.chunked_array(
            [pa.array([74]).dictionary_encode(), pa.array([None], pa.int64()).dictionary_encode()]
        ),
    ],
    ids=lambda column: str(column.type),
)
def test_ids_are_read_from_any_type_that_spells_them(column):
    assert numbers(column, ZONE).to_pylist() == [74, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("form", [lambda times: times, lambda times: times.dictionary_encode()])
def test_times_are_read_in_any_unit(unit, form):
    times = form(pa.array([NOON, None], pa.timestamp(unit)))
    assert local_times(times).to_pylist() == [NOON, None]


def test_times_are_read_from_text_in_iso_8601():
    texts = pa.array(["2021-01-01 12:00:00", "2021-01-01T12:00", "", None])
    assert local_times(texts).to_pylist() == [NOON, NOON, None, None]


def test_instants_become_new_yorks_local_time():
    instants = pa.array([datetime(2021, 1, 1, 17), None], pa.timestamp("s", "UTC"))
    assert local_times(instants).to_pylist() == [NOON, None]


@brief
@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["s", "ms", "us", "ns"]))
def test_any_count_since_1970_is_a_time_of_the_calendar_or_missing(count, unit):
    for zone in (None, "UTC"):
        column = pa.array([count], pa.int64()).cast(pa.timestamp(unit, zone))
        (time,) = local_times(column).to_pylist()
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        if time is None:
            year = 1970 + count / per_second / 31_556_952
            assert year < EARLIEST.year + 1 or year > LATEST.year - 1
        else:
            assert datetime(1677, 1, 1) < time < datetime(2263, 1, 1)


@pytest.mark.parametrize("distance", [1e300, -1e300, LARGEST * 1.001, float("inf"), float("nan")])
def test_a_distance_that_no_taxi_drives_is_missing(distance):
    column = pa.array([distance, LARGEST, -LARGEST, 244_152.0])
    assert numbers(column, pa.float64()).to_pylist() == [None, LARGEST, -LARGEST, 244_152.0]
