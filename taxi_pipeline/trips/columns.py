"""How a column of published records is understood, whatever its type.

Dictionaries are unfolded, and text is read as the number or the time that it spells; empty text is
missing. What means nothing is missing as well: ids that are negative or too large, distances that
no taxi drives, times beyond any calendar of trips.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Column: TypeAlias = "pa.ChunkedArray | pa.Array"

NEW_YORK = "America/New_York"
"""The zone of the times that TLC publishes, which have none."""

EARLIEST, LATEST = datetime(1700, 1, 1), datetime(2200, 1, 1)
"""Between these lies every time that means anything: libraries count nanoseconds from 1677 to 2262
only."""

LARGEST = 1e9
"""Beyond this a fractional number means nothing: squares and sums of what remains are finite."""

MICROSECONDS = pa.timestamp("us")

# Arrow's own: from Python's it would make one for each call, which for a single row takes longer
# than to compare it.
_ZERO, _LARGEST, _MISSING = pa.scalar(0.0), pa.scalar(LARGEST), pa.scalar(None, pa.float64())


def is_text(kind: pa.DataType) -> bool:
    """Whether values of a type are text."""
    return any(
        is_one(kind)
        for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, whether or not they stand in a dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain(column: Column) -> Column:
    """The column's values themselves; empty text is null.

    Raises:
        pyarrow.ArrowException: the values cannot be unfolded.
    """
    kind = value_type(column.type)
    if kind != column.type:
        column = pc.cast(column, kind)
    if is_text(kind):
        text = pc.utf8_trim_whitespace(pc.cast(column, pa.large_string()))
        return pc.if_else(pc.equal(text, ""), None, text)
    return column


def local_times(column: Column) -> Column:
    """Times in New York, without a zone, in microseconds.

    Times with a zone are instants, and become New York's local time.

    Raises:
        pyarrow.ArrowException: the column holds no times.
    """
    column = plain(column)
    if pa.types.is_timestamp(column.type):
        column = _within_calendar(column)
        if column.type.tz is not None:
            column = pc.local_timestamp(pc.cast(column, pa.timestamp("us", NEW_YORK), safe=False))
    return _within_calendar(pc.cast(column, MICROSECONDS, safe=False))


def _within_calendar(times: Column) -> Column:
    """The times, without those beyond any calendar of trips."""
    if times.type.unit == "ns" or not len(times):  # nanoseconds reach no further
        return times
    counts = pc.cast(times, pa.int64())
    lowest, highest = (
        pa.scalar(bound, pa.timestamp(times.type.unit)).cast(pa.int64())
        for bound in (EARLIEST, LATEST)
    )
    extremes = pc.min_max(counts)
    if extremes["min"].as_py() is None or (
        extremes["min"].as_py() >= lowest.as_py() and extremes["max"].as_py() <= highest.as_py()
    ):
        return times
    means = pc.and_(pc.greater_equal(counts, lowest), pc.less_equal(counts, highest))
    return pc.if_else(means, times, None)


def floats(column: Column) -> Column:
    """The column as fractional numbers, whatever they mean.

    Raises:
        pyarrow.ArrowException: the column holds no numbers.
    """
    return pc.cast(plain(column), pa.float64(), safe=False)


def numbers(column: Column, kind: pa.DataType) -> Column:
    """The column in another type of number; what means nothing becomes null.

    Raises:
        pyarrow.ArrowException: the column holds no numbers.
    """
    if pa.types.is_integer(kind) and _fits(column, kind):
        return pc.cast(column, kind)
    number = floats(column)
    if pa.types.is_integer(kind):
        largest = pa.scalar(2.0 ** (kind.bit_width - 1) - 1)
        means = pc.and_(pc.greater_equal(number, _ZERO), pc.less_equal(number, largest))
    else:
        means = pc.less_equal(pc.abs(number), _LARGEST)
    return pc.cast(pc.if_else(means, number, _MISSING), kind, safe=False)


def _fits(column: Column, kind: pa.DataType) -> bool:
    """Whether a column holds whole numbers of which each means something, as most do."""
    if not pa.types.is_integer(column.type):
        return False
    extremes = pc.min_max(column).as_py()
    largest = 2 ** (kind.bit_width - 1) - 1
    return extremes["min"] is None or 0 <= extremes["min"] <= extremes["max"] <= largest
