"""The columns that TLC publishes, in every era."""

from __future__ import annotations

import pyarrow as pa

from taxi_pipeline.month import Month
from taxi_pipeline.trips import TAXIS, schema

NEW_TYPES = Month(2023, 2)
"""The first month of the present column types and compression."""

CBD_FEE = Month(2025, 1)
"""The first month of the fee for driving into the central business district."""

_ORDER = {
    "green": (
        "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID"
        " PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax"
        " tip_amount tolls_amount ehail_fee improvement_surcharge total_amount payment_type"
        " trip_type congestion_surcharge"
    ),
    "yellow": (
        "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance"
        " RatecodeID store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra"
        " mta_tax tip_amount tolls_amount improvement_surcharge total_amount congestion_surcharge"
        " airport_fee"
    ),
}
_IDS = ("VendorID", "PULocationID", "DOLocationID")
_COUNTS = ("passenger_count", "RatecodeID", "payment_type", "trip_type")

OF_THE_METER = (*_COUNTS, "store_and_fwd_flag", "congestion_surcharge", "airport_fee")
"""Columns that only a meter records."""

AMOUNTS = (
    *("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge"),
    *("congestion_surcharge", "airport_fee", "cbd_congestion_fee"),
)
"""Columns in dollars, which add up to the total."""


def columns(taxi: str, month: Month) -> pa.Schema:
    """The columns of the file that TLC publishes for a month: names, order and types.

    Args:
        taxi: "green" or "yellow".
        month: the month of the file; the types changed with 2023-02, and 2025-01 has one more
            column.

    Raises:
        ValueError: there is no such taxi.
    """
    check_taxi(taxi)
    new = month >= NEW_TYPES
    types = {
        **dict.fromkeys(_IDS, pa.int32() if new else pa.int64()),
        **dict.fromkeys(_COUNTS, pa.int64() if new else pa.float64()),
        schema.pickup_column(taxi): pa.timestamp("us"),
        schema.dropoff_column(taxi): pa.timestamp("us"),
        "store_and_fwd_flag": pa.large_string() if new else pa.string(),
        "ehail_fee": pa.float64() if new else pa.null(),
    }
    if taxi == "yellow":
        types["payment_type"] = pa.int64()
    names = _ORDER[taxi].split()
    if month >= CBD_FEE:
        names.append("cbd_congestion_fee")
    published = {"airport_fee": "Airport_fee"} if new else {}
    return pa.schema([(published.get(name, name), types.get(name, pa.float64())) for name in names])


def check_taxi(taxi: str) -> None:
    """Refuse what is no taxi.

    Raises:
        ValueError: there is no such taxi.
    """
    if taxi not in TAXIS:
        raise ValueError(f"taxi must be one of {', '.join(TAXIS)}, not {taxi!r}")
