"""The canonical form of a trip, the same for both taxis and for every era of published files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from taxi_pipeline.trips.columns import local_times, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN_ZONES = (264, 265)
"""Zone ids that name no place in the city: unknown, and outside of New York."""

ZONE_ID_RANGE = (1, 265)
"""The smallest and largest zone id (TLC's taxi zone lookup table)."""


def _field(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning})


TRIP = pa.schema(
    [
        _field("pickup_at", pa.timestamp("us"), "when the meter was engaged, New York local time"),
        _field("minutes", pa.float64(), "duration of the trip, in minutes"),
        _field("pickup_zone", pa.int16(), "TLC taxi zone in which the meter was engaged"),
        _field("dropoff_zone", pa.int16(), "TLC taxi zone in which the meter was disengaged"),
        _field("metered_miles", pa.float64(), "distance by the taximeter, in miles", nullable=True),
        _field("vendor", pa.int16(), "provider of the record", nullable=True),
        _field("rate_code", pa.int16(), "final rate code of the trip", nullable=True),
        _field("passengers", pa.int16(), "passengers, as entered by the driver", nullable=True),
        _field("trip_type", pa.int16(), "green: 1 street hail, 2 dispatch", nullable=True),
        _field(
            "partial", pa.bool_(), "record of another origin, which has no passengers, rate code"
        ),
    ]
)
"""A clean trip. ``minutes`` is what a model predicts; no other column tells it."""

REPEATED = ("minutes", "pickup_zone", "dropoff_zone", "metered_miles", "vendor")
"""Columns whose many values each come often, as :mod:`taxi_pipeline.trips.writing` asks for."""

_ANY = float("inf")
RANGES = {
    "minutes": (0, _ANY),
    "pickup_zone": ZONE_ID_RANGE,
    "dropoff_zone": ZONE_ID_RANGE,
    "rate_code": (0, _ANY),
    "passengers": (0, _ANY),
}
"""The smallest and the largest value of a clean trip's columns, where anything limits them."""

_PUBLISHED_NAMES = {
    "pickup_zone": "PULocationID",
    "dropoff_zone": "DOLocationID",
    "metered_miles": "trip_distance",
    "vendor": "VendorID",
    "rate_code": "RatecodeID",
    "passengers": "passenger_count",
    "trip_type": "trip_type",
}
_PREFIXES = {"green": "lpep", "yellow": "tpep"}


def pickup_column(taxi: str) -> str:
    """The name under which TLC publishes the pickup time."""
    return f"{_PREFIXES[taxi]}_pickup_datetime"


def dropoff_column(taxi: str) -> str:
    """The name under which TLC publishes the drop-off time."""
    return f"{_PREFIXES[taxi]}_dropoff_datetime"


def required_columns(taxi: str) -> list[str]:
    """The published columns without which a file is of no use here."""
    ends = [pickup_column(taxi), dropoff_column(taxi)]
    return [*ends, "PULocationID", "DOLocationID", "trip_distance"]


def optional_columns(taxi: str) -> list[str]:
    """The published columns that a model may read but need not have."""
    zones = {"PULocationID", "DOLocationID"}
    return [
        name
        for name in _PUBLISHED_NAMES.values()
        if name not in zones and (name != "trip_type" or taxi == "green")
    ]


def columns_to_read(names: Iterable[str], taxi: str) -> list[str]:
    """Of a file's columns, those that cleaning reads; names are matched without case."""
    return _matching(
        names, [*columns_to_predict_from(names, taxi), dropoff_column(taxi), "fare_amount"]
    )


def columns_to_predict_from(names: Iterable[str], taxi: str) -> list[str]:
    """Of a table's columns, those that a prediction reads; names are matched without case."""
    return _matching(names, [pickup_column(taxi), *_PUBLISHED_NAMES.values()])


def identifying_columns(names: Iterable[str], taxi: str) -> list[str]:
    """Of a file's columns, those that tell a trip from others; names are matched without case."""
    ends = [pickup_column(taxi), dropoff_column(taxi)]
    return _matching(names, ["VendorID", *ends, "PULocationID", "DOLocationID"])


def _matching(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    lowered = {name.lower() for name in wanted}
    return [name for name in names if name.lower() in lowered]


def canonical(published: pa.Table, taxi: str) -> pa.Table:
    """Published records in canonical form, one row each, none dropped.

    Optional columns that are missing become null, and so do values that mean nothing, see
    :mod:`.columns`. Times with a zone become New York local time. Without a drop-off time (a trip
    that has not ended) there is no column ``minutes``.

    Args:
        published: columns as TLC publishes them, in any era's types.
        taxi: ``green`` or ``yellow``.

    Raises:
        KeyError: the pickup time or a zone column is missing.
    """
    found = {name.lower(): name for name in published.column_names}

    def column(name: str) -> pa.ChunkedArray | pa.Array:
        return published[found[name.lower()]]

    def optional(name: str, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
        if name.lower() not in found:
            return pa.nulls(published.num_rows, kind)
        return numbers(column(name), kind)

    pickup = local_times(column(pickup_column(taxi)))
    columns = {"pickup_at": pickup}
    if dropoff_column(taxi) in found:
        dropoff = local_times(column(dropoff_column(taxi)))
        elapsed = pc.cast(pc.subtract(dropoff, pickup), pa.int64())
        columns["minutes"] = pc.divide(pc.cast(elapsed, pa.float64(), safe=False), 60e6)
    for name, published_name in _PUBLISHED_NAMES.items():
        kind = TRIP.field(name).type
        if name.endswith("_zone"):
            columns[name] = numbers(column(published_name), kind)
        else:
            columns[name] = optional(published_name, kind)
    # These records lack several columns together; passengers are known before a trip, too.
    columns["partial"] = pc.is_null(columns["passengers"])
    return pa.table(columns)


def published(trips: pa.Table, taxi: str) -> pa.Table:
    """Clean trips in the columns that TLC publishes them in: what :func:`canonical` was given.

    Columns that no prediction reads are not among them.

    Args:
        trips: in canonical form.
        taxi: ``green`` or ``yellow``.
    """
    optional = {name.lower() for name in optional_columns(taxi)}
    names = {
        name: published_name
        for name, published_name in _PUBLISHED_NAMES.items()
        if name.endswith("_zone") or published_name.lower() in optional
    }
    return pa.table(
        {
            pickup_column(taxi): trips["pickup_at"],
            **{published_name: trips[name] for name, published_name in names.items()},
        }
    )


def check(trips: pa.Table) -> None:
    """The checks that every table of clean trips passes, whatever the rules of cleaning.

    Raises:
        ValueError: columns or types are not those of :data:`TRIP`, a column that has no nulls has
            some, or a value lies outside its range. This is a mistake of the code that cleans.
    """
    if not trips.schema.equals(TRIP):
        raise ValueError(f"clean trips have the columns {trips.schema.to_string()}")
    for field in TRIP:
        column = trips[field.name]
        if column.null_count and not field.nullable:
            raise ValueError(f"{column.null_count} clean trips have no {field.name}")
        if field.name not in RANGES or column.null_count == len(column):
            continue
        lowest, highest = RANGES[field.name]
        extremes = pc.min_max(column).as_py()
        if extremes["min"] < lowest or extremes["max"] > highest:
            raise ValueError(
                f"clean trips have {field.name} from {extremes['min']} to {extremes['max']}, "
                f"beyond {lowest} to {highest}"
            )
