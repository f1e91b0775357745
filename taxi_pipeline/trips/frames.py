"""Published records as the caller of a model has them: rows of any DataFrame become a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from taxi_pipeline.errors import InvalidRecords
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.columns import NEW_YORK


def to_table(records: pd.DataFrame, taxi: str) -> pa.Table:
    """The columns that a prediction reads, as times and numbers; rows keep their order.

    Numbers may be of any type, and text that reads as a number. Times may be datetimes of any unit,
    dates, and text in ISO 8601, each with or without a zone. What is missing may be ``None``,
    ``NaN``, ``NaT``, ``pd.NA`` or empty text.

    Args:
        records: rows as TLC publishes them; the index takes no part.
        taxi: ``green`` or ``yellow``.

    Raises:
        InvalidRecords: a column holds something else; the text names column and value.
    """
    pickup = schema.pickup_column(taxi).lower()
    return pa.table(
        {
            name: _times(records[name]) if name.lower() == pickup else _numbers(records[name])
            for name in schema.columns_to_predict_from(records.columns, taxi)
        }
    )


def _numbers(column: pd.Series[Any]) -> pa.Array:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pa.array(column.to_numpy(np.float64, na_value=np.nan))
    return pa.array(_each(column, float, "number"), pa.float64())


def _times(column: pd.Series[Any]) -> pa.Array:
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pa.array(_each(column, _time, "time in ISO 8601"), pa.timestamp("us"))
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    array = pa.Array.from_pandas(column)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _each(column: pd.Series[Any], read: Callable[[Any], Any], kind: str) -> list[Any]:
    """Each value of a column as it reads; None where it is missing."""
    values: list[Any] = []
    for value in column:
        text = value.strip() if isinstance(value, str) else value
        try:
            missing = text == "" if isinstance(text, str) else bool(pd.isna(text))
            values.append(None if missing else read(text))
        except (TypeError, ValueError, OverflowError):
            raise InvalidRecords(
                f"the column {column.name} holds {value!r:.80}, which is no {kind}"
            ) from None
    return values


def _time(value: Any) -> dt.datetime:
    """A time without a zone, as TLC publishes it."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    elif not isinstance(value, (dt.date, np.datetime64)):
        raise TypeError(value)
    time = pd.Timestamp(value)
    if time.tzinfo is not None:
        time = time.tz_convert(NEW_YORK).tz_localize(None)
    return time.to_pydatetime(warn=False)
