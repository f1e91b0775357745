"""Whether the columns that cleaning reads have types and values that can be understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from taxi_pipeline.trips import schema
from taxi_pipeline.trips.columns import MICROSECONDS, Column, floats, is_text, plain, value_type
from taxi_pipeline.trips.reading import UnusableFile

_TIMES = "write it as timestamps in New York's local time, without a zone"
_IDS = "write it as whole numbers"
_NUMBERS = "write it as numbers"

_MEASURES = {"trip_distance", "fare_amount"}  # the rest of the numbers are ids and counts

SHORTEST_TIME = len("2021-01-01 00:00")
"""Characters of the shortest text that is a time and no date."""


def check_names(names: Collection[str], taxi: str) -> None:
    """Refuse a file with two columns that may be the one that is meant.

    Args:
        names: of the file's columns.
        taxi: ``green`` or ``yellow``.

    Raises:
        UnusableFile: a needed column is there twice, or in two spellings.
    """
    needed = schema.columns_to_read(names, taxi)
    for lowered, count in Counter(name.lower() for name in needed).items():
        if count > 1:
            spellings = sorted({name for name in needed if name.lower() == lowered})
            twice = f"has the column {spellings[0]} {'twice' if count == 2 else f'{count} times'}"  # noqa: PLR2004
            raise UnusableFile(
                twice if len(spellings) == 1 else f"has the columns {' and '.join(spellings)}",
                "leave the right one",
            )


def check_types(columns: pa.Schema, taxi: str) -> None:
    """Refuse needed columns whose type leaves open what they mean.

    Args:
        columns: the file's, each name once.
        taxi: ``green`` or ``yellow``.

    Raises:
        UnusableFile: the text names the column and its type.
    """
    for name in schema.columns_to_read(columns.names, taxi):
        kind = value_type(columns.field(name).type)
        problem = _time_problem(kind) if _is_time(name, taxi) else _number_problem(kind)
        if problem:
            raise UnusableFile(
                f"has the column {name} of type {columns.field(name).type}, {problem}",
                _advice(name, taxi),
            )


def check_values(batch: pa.Table, taxi: str) -> None:
    """Refuse values that are no number or no time where their types leave that open.

    Args:
        batch: rows of the file, with the columns that :func:`schema.columns_to_read` names.
        taxi: ``green`` or ``yellow``.

    Raises:
        UnusableFile: the text names the column, its type and a value.
    """
    for name in batch.column_names:
        column = batch[name]
        wrong = _wrong_value(column, is_time=_is_time(name, taxi), is_id=_is_id(name, taxi))
        if wrong is not None:
            what = "time in ISO 8601" if _is_time(name, taxi) else "number"
            raise UnusableFile(
                f"has the column {name} of type {column.type} with the value {wrong!r:.60}, "
                f"which is no {'whole number' if _is_id(name, taxi) else what}",
                _advice(name, taxi),
            )


def _is_time(name: str, taxi: str) -> bool:
    return name.lower() in (schema.pickup_column(taxi), schema.dropoff_column(taxi))


def _is_id(name: str, taxi: str) -> bool:
    return not _is_time(name, taxi) and name.lower() not in _MEASURES


def _advice(name: str, taxi: str) -> str:
    if _is_time(name, taxi):
        return _TIMES
    return _IDS if _is_id(name, taxi) else _NUMBERS


def _time_problem(kind: pa.DataType) -> str:
    """Why values of a type are no times; empty if they may be some."""
    if pa.types.is_timestamp(kind) or is_text(kind):
        return ""
    if pa.types.is_date(kind):
        return "a date without the time of day"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "which may count seconds, milliseconds or days since any day"
    return "which holds no times"


def _number_problem(kind: pa.DataType) -> str:
    """Why values of a type are no numbers; empty if they may be some."""
    may_be = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
        or is_text(kind)
    )
    return "" if may_be else "which holds no numbers"


def _wrong_value(column: Column, *, is_time: bool, is_id: bool) -> object:
    """A value that cannot be understood; None if all can."""
    kind = value_type(column.type)
    if is_text(kind):
        return next(_wrong_texts(plain(column), is_time=is_time, is_id=is_id), None)
    if is_id and (pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return next(_fractions(floats(column)), None)
    return None


def _wrong_texts(texts: Column, *, is_time: bool, is_id: bool) -> Iterator[object]:
    try:
        if not is_time:
            read = pc.cast(texts, pa.float64())
            yield from _fractions(read) if is_id else ()
            return
        pc.cast(texts, MICROSECONDS, safe=False)
        short = pc.less(pc.utf8_length(texts), SHORTEST_TIME)
        yield from texts.filter(pc.fill_null(short, fill_value=False)).to_pylist()
    except pa.ArrowInvalid:
        kind = MICROSECONDS if is_time else pa.float64()
        for text in pc.unique(pc.drop_null(texts)).to_pylist():
            try:
                pc.cast(pa.scalar(text), kind)
            except pa.ArrowInvalid:
                yield text


def _fractions(numbers: Column) -> Iterator[object]:
    is_fraction = pc.and_(pc.is_finite(numbers), pc.not_equal(pc.floor(numbers), numbers))
    if pc.any(is_fraction).as_py():
        yield from numbers.filter(is_fraction).to_pylist()
