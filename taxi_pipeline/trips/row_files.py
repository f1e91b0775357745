"""Files of published rows that a person has: Parquet as TLC publishes it, or CSV, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from taxi_pipeline.trips import column_checks, reading, schema
from taxi_pipeline.trips.reading import UnusableFile

CSV_BLOCK_BYTES = 16 << 20
"""Bytes of a CSV file that are in memory at a time."""

CSV_SUFFIXES = (".csv", ".csv.gz")

MAGIC = b"PAR1"
"""How a Parquet file begins."""

OWN_ADVICE = {
    reading.DAMAGED: "name a whole Parquet file, or a CSV file by a name that ends in .csv or "
    ".csv.gz",
    reading.ENCRYPTED: "write it without encryption",
}
"""What to do about a file of one's own, in place of one that was published."""


@dataclass(frozen=True)
class Rows:
    """The rows of an open file.

    Attributes:
        columns: the columns that are read, in the file's order and types; of CSV, text.
        total: how many rows there are; None where that is known only at the end.
        batches: the rows in their order.
    """

    columns: pa.Schema
    total: int | None
    batches: Iterator[pa.Table]


@contextmanager
def open_rows(path: Path, taxi: str, batch_rows: int = reading.BATCH_ROWS) -> Iterator[Rows]:
    """Open a file of rows to predict from.

    The columns that are read are those that a prediction reads and the drop-off time, which
    identifies a trip. Names are matched without case.

    Args:
        path: Parquet; CSV if its name ends so.
        taxi: ``green`` or ``yellow``.
        batch_rows: rows of a batch at most; batches of CSV have a number of bytes instead.

    Raises:
        UnusableFile: it is damaged, lacks pickup time or zones, or a column that a prediction
            reads cannot be understood. Values are checked as the batches are read.
    """
    if path.name.lower().endswith(CSV_SUFFIXES):
        with _open_csv(path, taxi) as rows:
            yield rows
        return
    with _advised(path), reading.open_file(path) as file:
        columns = _columns(file.schema_arrow, taxi)
        batches = reading.read_batches(file, columns.names, batch_rows)
        yield Rows(columns, file.metadata.num_rows, _checked(batches, taxi))


@contextmanager
def _advised(path: Path) -> Iterator[None]:
    """What is wrong with a Parquet file, with what somebody can do about their own."""
    try:
        yield
    except UnusableFile as error:
        if error.advice not in OWN_ADVICE:
            raise
        with path.open("rb") as file:
            is_parquet = file.read(len(MAGIC)) == MAGIC
        problem = error.problem if is_parquet else "is no Parquet file"
        raise UnusableFile(problem, OWN_ADVICE[error.advice]) from None


@contextmanager
def _open_csv(path: Path, taxi: str) -> Iterator[Rows]:
    blocks = pyarrow.csv.ReadOptions(block_size=CSV_BLOCK_BYTES)
    with _explained():
        with pyarrow.csv.open_csv(path, read_options=blocks) as reader:
            names = reader.schema.names
        columns = _columns(pa.schema([(name, pa.string()) for name in names]), taxi)
        as_text = pyarrow.csv.ConvertOptions(
            include_columns=columns.names, column_types=dict.fromkeys(names, pa.string())
        )
        reader = pyarrow.csv.open_csv(path, read_options=blocks, convert_options=as_text)
    with reader:
        yield Rows(columns, None, _checked(_csv_batches(reader), taxi))


def _csv_batches(reader: pyarrow.csv.CSVStreamingReader) -> Iterator[pa.Table]:
    while True:
        with _explained():
            batch = next(reader, None)
        if batch is None:
            return
        yield pa.Table.from_batches([batch])


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        line = " ".join(str(error).split())
        raise UnusableFile(f"is no CSV file that can be read ({line:.200})", "mend it") from None


def _columns(columns: pa.Schema, taxi: str) -> pa.Schema:
    """Of a file's columns, those that are read."""
    column_checks.check_names(columns.names, taxi)
    needed = schema.columns_to_predict_from(columns.names, taxi)
    lowered = {name.lower() for name in needed}
    required = (schema.pickup_column(taxi), "PULocationID", "DOLocationID")
    if missing := [name for name in required if name.lower() not in lowered]:
        raise UnusableFile(
            f"has no column {', '.join(missing)}",
            f"check that these are rows of {taxi} taxis as TLC publishes them",
        )
    dropoff = schema.dropoff_column(taxi)
    read = pa.schema(
        [
            pa.field(name, columns.field(name).type)
            for name in columns.names
            if name in needed or name.lower() == dropoff
        ]
    )
    column_checks.check_types(read, taxi)
    return read


def _checked(batches: Iterator[pa.Table], taxi: str) -> Iterator[pa.Table]:
    """The batches, none with a value that cannot be understood."""
    for batch in batches:
        needed = schema.columns_to_predict_from(batch.column_names, taxi)
        column_checks.check_values(batch.select(needed), taxi)
        yield batch
