"""The features of a trip: what can be computed from one trip by itself.

The same function computes them for the trips of a training month and for the rows of a
prediction, so the two cannot drift apart. What has to be learned from many trips (encodings)
belongs to a recipe.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_pipeline.model.feature_names import FEATURES, TARGET
from taxi_pipeline.trips.schema import UNKNOWN_ZONES

__all__ = ["FEATURES", "TARGET", "compute_features", "feature_parts", "load_features"]

SUNDAY = 6
CALENDAR = (2000, 2200)
"""The years whose holidays are looked for: records may hold any date."""

PART_ROWS = 131_072
"""Trips of a part, see :func:`feature_parts`."""


def compute_features(trips: pa.Table, max_miles: float) -> pa.Table:
    """The features of trips in canonical form, with pickup time and, if there, the target.

    Args:
        trips: columns of :data:`taxi_pipeline.trips.schema.TRIP`; ``minutes`` may be absent.
        max_miles: from this metered distance on, as for zero or less, ``miles`` is null.

    Returns:
        ``pickup_at``, ``minutes`` if the trips have it, and the columns of :data:`FEATURES`;
        numbers as float32 but for the zones (int16), ``metered_miles`` and ``minutes`` (float64).
    """
    pickup = trips["pickup_at"]
    hour, weekday = pc.hour(pickup), pc.day_of_week(pickup)
    metered = trips["metered_miles"]
    # Scalars of Arrow's: it would make one of Python's anew, which for a single row takes longer.
    nothing, largest = pa.scalar(0.0), pa.scalar(float(max_miles))
    plausible = pc.and_(pc.greater(metered, nothing), pc.less(metered, largest))
    features = {
        "pickup_zone": pc.fill_null(trips["pickup_zone"], UNKNOWN_ZONES[0]),
        "dropoff_zone": pc.fill_null(trips["dropoff_zone"], UNKNOWN_ZONES[0]),
        "hour": hour,
        "weekday": weekday,
        "effective_weekday": pc.if_else(_on_holiday(pickup), SUNDAY, weekday),
        "minute_of_day": pc.add(pc.multiply(hour, 60), pc.minute(pickup)),
        "whole_minute": pc.equal(pc.second(pickup), 0),
        "metered_miles": metered,
        "miles": pc.if_else(plausible, metered, pa.scalar(None, metered.type)),
        "vendor": trips["vendor"],
        "rate_code": trips["rate_code"],
        "passengers": trips["passengers"],
        "trip_type": trips["trip_type"],
        "partial": trips["partial"],
    }
    own_types = ("pickup_zone", "dropoff_zone", "metered_miles")
    columns = {"pickup_at": pickup}
    if TARGET in trips.column_names:
        columns[TARGET] = trips[TARGET]
    for name in FEATURES:
        column = features[name]
        columns[name] = column if name in own_types else pc.cast(column, pa.float32())
    return pa.table(columns)


def _on_holiday(pickup: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether each pickup is on a federal holiday, when the roads are as on a Sunday."""
    span = pc.min_max(pickup).as_py()
    if span["min"] is None:
        return pc.is_valid(pickup)
    first, last = (min(max(day.year, CALENDAR[0]), CALENDAR[1]) for day in span.values())
    return pc.is_in(pc.cast(pickup, pa.date32()), _holidays(first, last))


@functools.lru_cache(maxsize=64)
def _holidays(first: int, last: int) -> pa.Array:
    """The federal holidays of some years; to find them takes longer than to predict a trip."""
    from pandas.tseries.holiday import USFederalHolidayCalendar

    days = USFederalHolidayCalendar().holidays(dt.date(first, 1, 1), dt.date(last, 12, 31))
    return pa.array(days.date, pa.date32())


def load_features(files: Iterable[Path], columns: Iterable[str]) -> pd.DataFrame:
    """Pickup time, target and some features of the trips in several files, one after the other."""
    wanted = _wanted(columns)
    table = pa.concat_tables(pq.read_table(file, columns=wanted) for file in files)
    # Each column is given back once it is converted: the trips are not in memory twice.
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    del table
    # What decoding took, which Arrow would keep for a next time: as much again as the trips.
    pa.default_memory_pool().release_unused()
    return frame


def feature_parts(files: Iterable[Path], columns: Iterable[str]) -> Iterator[pd.DataFrame]:
    """The same, so many trips at a time that memory does not grow with their number."""
    wanted = _wanted(columns)
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(PART_ROWS, columns=wanted):
            yield batch.to_pandas()


def _wanted(columns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(["pickup_at", TARGET, *columns]))
