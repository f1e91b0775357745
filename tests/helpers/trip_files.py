"""Published files of green trips, whole or with anything wrong, and their check."""

import io
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_pipeline.month import Month
from taxi_pipeline.trips.contract import Contract
from taxi_pipeline.trips.file_checks import check_file
from taxi_pipeline.trips.reading import BATCH_ROWS

JANUARY = Month(2021, 1)
URL = "file:///green_tripdata_2021-01.parquet"


def pickups(month=JANUARY, rows=1000, hours=None):
    """Pickup times that fill a month: by day only, or by hours with the numbers given for each."""
    days = (month.end - month.start).days
    if hours is None:
        return [month.start + timedelta(days=days) * row / rows for row in range(rows)]
    share = np.asarray(hours, float) / np.sum(hours)
    of_hour = np.repeat(np.arange(24), np.maximum(np.rint(share * rows), 1).astype(int)).tolist()
    return [
        month.start + timedelta(days=row % days, hours=hour, minutes=row % 60)
        for row, hour in enumerate(of_hour)
    ]


def trips(rows=1000, **changed):
    """Trips of ten minutes in January 2021; a column that is None is left out."""
    start = pickups(rows=rows)
    columns = {
        "VendorID": pa.array([2] * rows, pa.int64()),
        "lpep_pickup_datetime": pa.array(start, pa.timestamp("us")),
        "lpep_dropoff_datetime": pa.array(
            [time + timedelta(minutes=10) for time in start], pa.timestamp("us")
        ),
        "RatecodeID": pa.array([1.0] * rows),
        "PULocationID": pa.array([74 + row % 4 for row in range(rows)], pa.int64()),
        "DOLocationID": pa.array([41] * rows, pa.int64()),
        "passenger_count": pa.array([1.0] * rows),
        "trip_distance": pa.array([2.5] * rows),
        "fare_amount": pa.array([9.5] * rows),
        "trip_type": pa.array([1.0] * rows),
    }
    columns |= changed
    return pa.table({name: column for name, column in columns.items() if column is not None})


def at(times, zone=None):
    """Trips with these pickup times and drop-offs ten minutes later."""
    kind = pa.timestamp("us", zone)
    return trips(
        len(times),
        lpep_pickup_datetime=pa.array(times, kind),
        lpep_dropoff_datetime=pa.array([time + timedelta(minutes=10) for time in times], kind),
    )


def column(name, values, rows=1000):
    """Trips of which one column has these values, over and over."""
    whole = pa.concat_arrays([values] * (rows // len(values)))
    return trips(len(whole), **{name: whole})


def content(table, **options):
    """The bytes of a Parquet file; options as pyarrow's writer has them."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def check(path, given, **options):
    """What the check of a file finds that has this content: bytes, or a table."""
    path.write_bytes(given if isinstance(given, bytes) else content(given))
    chosen = {
        "url": URL,
        "taxi": "green",
        "month": JANUARY,
        "contract": Contract(),
        "neighbours": {},
        "batch_rows": BATCH_ROWS,
        **options,
    }
    return check_file(path, **chosen)


def noon(day=15):
    return datetime(2021, 1, day, 12)
