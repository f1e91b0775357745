"""Rows are read whatever types their columns have."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.errors import InvalidRecords
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.frames import to_table

NOON = dt.datetime(2021, 1, 4, 12)
ROWS = 3
PLAIN = pd.DataFrame(
    {
        "lpep_pickup_datetime": pd.to_datetime(
            ["2021-01-04 12:00:00", "2021-07-04 00:15:56", None]
        ),
        "PULocationID": [74.0, np.nan, 265.0],
        "DOLocationID": [41.0, 42.0, 43.0],
        "trip_distance": [2.5, np.nan, 3.0],
        "VendorID": [2.0, 1.0, np.nan],
        "passenger_count": [1.0, np.nan, np.nan],
    }
)
NUMBERS = [name for name in PLAIN if name != "lpep_pickup_datetime"]

FORMS_OF_NUMBERS = {
    "float64": lambda column: column,
    "float32": lambda column: column.astype("float32"),
    "Float64": lambda column: column.astype("Float64"),
    "object": lambda column: column.astype(object),
    "object with None": lambda column: column.astype(object).where(column.notna(), None),
    "object with NA": lambda column: column.astype(object).where(column.notna(), pd.NA),
    "text": lambda column: column.map(str),
    "padded text": lambda column: column.map(lambda value: "" if pd.isna(value) else f" {value} "),
    "string": lambda column: column.astype("string"),
    "pyarrow string": lambda column: column.astype("string[pyarrow]"),
    "pyarrow double": lambda column: column.astype("double[pyarrow]"),
    "pyarrow decimal": lambda column: column.astype(pd.ArrowDtype(pa.decimal128(9, 2))),
    "decimals": lambda column: column.map(lambda value: decimal.Decimal(str(value))),
    "category": lambda column: column.astype("category"),
    "converted": lambda column: column.convert_dtypes(),
    "converted to pyarrow": lambda column: column.convert_dtypes(dtype_backend="pyarrow"),
}
FORMS_OF_WHOLE_NUMBERS = {
    "Int64": lambda column: column.astype("Int64"),
    "Int16": lambda column: column.astype("Int16"),
    "UInt16": lambda column: column.astype("UInt16"),
    "pyarrow int32": lambda column: column.astype("int32[pyarrow]"),
    "whole text": lambda column: column.astype("Int64").astype("string"),
    "whole objects": lambda column: column.astype("Int64").astype(object),
}
FORMS_OF_TIMES = {
    "s": lambda column: column.astype("datetime64[s]"),
    "us": lambda column: column.astype("datetime64[us]"),
    "ns": lambda column: column.astype("datetime64[ns]"),
    "New York": lambda column: column.dt.tz_localize("America/New_York"),
    "UTC": lambda column: column.dt.tz_localize("America/New_York").dt.tz_convert("UTC"),
    "object": lambda column: column.astype(object),
    "object with None": lambda column: column.astype(object).where(column.notna(), None),
    "with mixed offsets": lambda column: column.map(
        {
            column[0]: "2021-01-04T12:00:00-05:00",
            column[1]: "2021-07-04T04:15:56Z",
        }
    ).astype(object),
    "text": lambda column: column.astype("string"),
    "text with T": lambda column: column.map(
        lambda time: "" if time is pd.NaT else time.isoformat()
    ),
    "python": lambda column: pd.Series(
        [None if time is pd.NaT else time.to_pydatetime() for time in column], dtype=object
    ),
    "numpy": lambda column: pd.Series(list(column.to_numpy()), dtype=object),
    "pyarrow": lambda column: column.astype("timestamp[us][pyarrow]"),
    "pyarrow s": lambda column: column.astype("timestamp[s][pyarrow]"),
    "pyarrow UTC": lambda column: column.dt.tz_localize("America/New_York").astype(
        "timestamp[us, UTC][pyarrow]"
    ),
    "pyarrow text": lambda column: column.astype("string[pyarrow]"),
    "category": lambda column: column.astype("category"),
}


def trips(frame, taxi="green"):
    return schema.canonical(to_table(frame, taxi), taxi)


@pytest.mark.parametrize("form", FORMS_OF_NUMBERS)
def test_numbers_are_read_in_each_form(form):
    frame = PLAIN.assign(**{name: FORMS_OF_NUMBERS[form](PLAIN[name]) for name in NUMBERS})
    assert trips(frame).equals(trips(PLAIN))


@pytest.mark.parametrize("form", FORMS_OF_WHOLE_NUMBERS)
def test_whole_numbers_are_read_in_each_form(form):
    whole = [name for name in NUMBERS if name != "trip_distance"]
    frame = PLAIN.assign(**{name: FORMS_OF_WHOLE_NUMBERS[form](PLAIN[name]) for name in whole})
    assert trips(frame).equals(trips(PLAIN))


@pytest.mark.parametrize("form", FORMS_OF_TIMES)
def test_times_are_read_in_each_form(form):
    pickup = FORMS_OF_TIMES[form](PLAIN["lpep_pickup_datetime"])
    assert trips(PLAIN.assign(lpep_pickup_datetime=pickup)).equals(trips(PLAIN))


@pytest.mark.parametrize("dates", [[dt.date(2021, 1, 4)] * ROWS, ["2021-01-04"] * ROWS])
@pytest.mark.parametrize("kind", [object, None], ids=["object", "inferred"])
def test_a_date_is_its_midnight(dates, kind):
    frame = PLAIN.assign(lpep_pickup_datetime=pd.Series(dates, dtype=kind))
    assert trips(frame)["pickup_at"].to_pylist() == [dt.datetime(2021, 1, 4)] * ROWS


@pytest.mark.parametrize(
    "index",
    [[5, 3, 9], [1, 1, 1], list("abc"), pd.date_range("2021-01-01", periods=3)],
    ids=["whole", "duplicate", "text", "times"],
)
def test_the_index_takes_no_part(index):
    assert trips(PLAIN.set_axis(index)).equals(trips(PLAIN))


def test_columns_that_a_prediction_does_not_read_may_hold_anything():
    frame = PLAIN.assign(store_and_fwd_flag=[object(), [], {}], lpep_dropoff_datetime="later")
    assert trips(frame).equals(trips(PLAIN))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("PULocationID", "Harlem"),
        ("trip_distance", "2,5"),
        ("trip_distance", [2.5]),
        ("VendorID", NOON),
        ("passenger_count", {"count": 1}),
        ("lpep_pickup_datetime", "yesterday"),
        ("lpep_pickup_datetime", "31/12/2021 12:00"),
        ("lpep_pickup_datetime", 1_609_502_400),
        ("lpep_pickup_datetime", [NOON]),
        ("lpep_pickup_datetime", dt.time(12)),
    ],
    ids=str,
)
def test_what_is_no_number_or_no_time_is_one_line_that_names_column_and_value(column, value):
    frame = PLAIN.assign(**{column: pd.Series([value] * ROWS, dtype=object)})
    with pytest.raises(InvalidRecords, match=f"column {column} holds .*, which is no") as raised:
        to_table(frame, "green")
    assert "\n" not in str(raised.value)
    assert repr(value)[:20] in str(raised.value)


def test_a_column_of_times_is_no_column_of_numbers():
    with pytest.raises(InvalidRecords, match="column PULocationID holds"):
        to_table(PLAIN.assign(PULocationID=PLAIN["lpep_pickup_datetime"]), "green")


def test_a_column_of_numbers_is_no_column_of_times():
    with pytest.raises(InvalidRecords, match="column lpep_pickup_datetime holds"):
        to_table(PLAIN.assign(lpep_pickup_datetime=[1, 2, 3]), "green")


whole = st.one_of(st.none(), st.integers(0, 300))


@settings(max_examples=150)
@given(
    rows=st.lists(st.tuples(whole, whole, whole), min_size=1, max_size=5),
    forms=st.lists(
        st.sampled_from(sorted(FORMS_OF_NUMBERS | FORMS_OF_WHOLE_NUMBERS)), min_size=3, max_size=3
    ),
)
def test_any_mixture_of_forms_is_read_the_same(rows, forms):
    names = ["PULocationID", "DOLocationID", "passenger_count"]
    plain = pd.DataFrame(rows, columns=names, dtype="float64").assign(lpep_pickup_datetime=NOON)
    known = FORMS_OF_NUMBERS | FORMS_OF_WHOLE_NUMBERS
    frame = plain.assign(
        **{name: known[form](plain[name]) for name, form in zip(names, forms, strict=True)}
    )
    assert trips(frame).equals(trips(plain))
