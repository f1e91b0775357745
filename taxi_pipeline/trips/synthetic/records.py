"""What is recorded of the trips: rows as TLC publishes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

from taxi_pipeline.trips import schema
from taxi_pipeline.trips.synthetic.city import Ints
from taxi_pipeline.trips.synthetic.driving import Stream, drive, misrecord, some
from taxi_pipeline.trips.synthetic.published_schema import AMOUNTS, OF_THE_METER, columns
from taxi_pipeline.trips.synthetic.tariff import DISPUTE, payments

# One of these is drawn for each row: the measured shares, in thousandths.
_PASSENGERS = np.repeat([1, 2, 5, 3, 6, 4, 0], [900, 59, 18, 8, 8, 4, 3])
_VENDORS = np.repeat([1, 2], [176, 824])
_FLAGS = np.repeat([0, 1], [993, 7])


def _take_back(values: dict[str, NDArray[Any]], originals: Ints) -> None:
    """Make the row after each of these reverse it: the same trip with negative amounts."""
    for column in values.values():
        column[originals + 1] = column[originals]
    for name in AMOUNTS:
        values[name][originals + 1] *= -1
    values["payment_type"][originals + 1] = DISPUTE


def _leave_out_meter(values: dict[str, NDArray[Any]], taxi: str) -> None:
    """Leave out, which is to say null, what only a meter records; yellow says payment 0."""
    for name in OF_THE_METER:
        del values[name]
    if taxi == "yellow":
        values["payment_type"] = np.zeros_like(values["VendorID"])


def _arrow(column: NDArray[Any] | None, kind: pa.DataType, rows: int) -> pa.Array:
    """A column in its published type: null where there is none, amounts and miles to the cent."""
    if column is None:
        return pa.nulls(rows, kind)
    if pa.types.is_timestamp(kind):
        return pa.array(column.astype("datetime64[s]").astype("datetime64[us]"), kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.DictionaryArray.from_arrays(pa.array(column), ["N", "Y"]).cast(kind)
    return pa.array(column.astype(kind.to_pandas_dtype(), copy=False).round(2))


def records(stream: Stream, rng: Generator, rows: int, part: tuple[float, float]) -> pa.RecordBatch:
    """The published records of a part of the month (see `drive` for the arguments)."""
    trips = drive(stream, rng, rows, part)
    values = payments(trips, stream, rng)
    misrecord(trips, stream, rng)
    values |= {
        "VendorID": rng.choice(_VENDORS, rows),
        schema.pickup_column(stream.taxi): trips.pickup,
        schema.dropoff_column(stream.taxi): trips.pickup + trips.seconds,
        "store_and_fwd_flag": rng.choice(_FLAGS, rows),
        "PULocationID": trips.start,
        "DOLocationID": trips.end,
        "passenger_count": rng.choice(_PASSENGERS, rows),
        "trip_distance": trips.miles,
    }
    _take_back(values, 2 * some(rng, rows // 2, 2 * stream.origin.reversed))
    if not stream.origin.complete:
        _leave_out_meter(values, stream.taxi)

    published = columns(stream.taxi, stream.month)
    names = ["airport_fee" if name == "Airport_fee" else name for name in published.names]
    paid = [values[name] for name in names if name in values.keys() & AMOUNTS]
    values["total_amount"] = np.sum(paid, axis=0)
    arrays = [
        _arrow(values.get(name), field.type, rows)
        for name, field in zip(names, published, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=published)
