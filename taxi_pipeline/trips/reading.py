"""Reading a published Parquet file in bounded memory, although any byte of it may be damaged."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 131_072
"""Rows that are in memory at a time, unless a caller says otherwise: some 10 MB."""

BUFFER_BYTES = 1 << 20
"""Bytes of a column that are read at a time, however large its row groups are."""


class UnusableFile(Exception):
    """A file is of no use.

    Attributes:
        problem: what is wrong with it, after the file's name.
        advice: what to do about it; names arguments in backticks.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem, advice)
        self.problem, self.advice = problem, advice


DAMAGED = "try again later, or have it published again"
"""What to do about a damaged file that was published."""

ENCRYPTED = "have it published in plain"
"""What to do about an encrypted one."""


def open_file(path: Path) -> pq.ParquetFile:
    """A Parquet file whose pages are read one after the other, and compared with their checksums.

    Raises:
        UnusableFile: its footer is damaged or encrypted.
    """
    with _explained():
        return pq.ParquetFile(
            path, pre_buffer=False, buffer_size=BUFFER_BYTES, page_checksum_verification=True
        )


def read_batches(
    file: pq.ParquetFile, columns: Sequence[str], batch_rows: int = BATCH_ROWS
) -> Iterator[pa.Table]:
    """The rows of a file in their order, a batch at a time.

    A batch may hold rows of many row groups, or a part of the rows of one.

    Args:
        file: what :func:`open_file` opened.
        columns: the columns to read.
        batch_rows: rows of a batch at most.

    Raises:
        UnusableFile: the file is damaged, or a column is encrypted; the text names the column.
    """
    try:
        yield from _batches(file, columns, batch_rows)
    except UnusableFile as error:
        raise _of_its_column(file, columns, batch_rows, error) from None


def _batches(file: pq.ParquetFile, columns: Sequence[str], batch_rows: int) -> Iterator[pa.Table]:
    with _explained():
        batches = iter(file.iter_batches(batch_size=batch_rows, columns=list(columns)))
    rows = 0
    while True:
        with _explained():
            batch = next(batches, None)
        if batch is None:
            break
        rows += batch.num_rows
        yield pa.Table.from_batches([batch])
    if rows != file.metadata.num_rows:
        raise UnusableFile(
            f"is damaged: it announces {file.metadata.num_rows:,} rows and holds {rows:,}", DAMAGED
        )


def _of_its_column(
    file: pq.ParquetFile, columns: Sequence[str], batch_rows: int, error: UnusableFile
) -> UnusableFile:
    """The error with the name of the first column that cannot be read by itself."""
    for name in columns:
        try:
            for _ in _batches(file, [name], batch_rows):
                pass
        except UnusableFile as found:
            return UnusableFile(f"{found.problem}, in the column {name}", found.advice)
    return error


def check_footer(file: pq.ParquetFile, names: Collection[str]) -> None:
    """Compare the two places in which a footer has name and type of each column.

    No checksum takes care of a footer.

    Args:
        file: what :func:`open_file` opened.
        names: the columns to look at.

    Raises:
        UnusableFile: a column has two names or types, or is encrypted.
    """
    metadata = file.metadata
    if not metadata.num_row_groups or metadata.row_group(0).num_columns != metadata.num_columns:
        return
    for number in range(metadata.num_columns):
        column = metadata.schema.column(number)
        if column.path not in names:
            continue
        # pyarrow ends the process where it is asked for what an encrypted column is stored as.
        next(read_batches(file, [column.path], 1), None)
        stored = metadata.row_group(0).column(number)
        for what, one, other in (
            ("name", column.path, stored.path_in_schema),
            ("type", column.physical_type, stored.physical_type),
        ):
            if one != other:
                raise UnusableFile(
                    f"is damaged: its footer has two {what}s for the column "
                    f"{_printable(column.path)}, {_printable(one)} and {_printable(other)}",
                    DAMAGED,
                )


@contextmanager
def _explained() -> Iterator[None]:
    """What the Parquet library makes of damaged bytes, in one line."""
    try:
        yield
    except (UnusableFile, KeyboardInterrupt):
        raise
    except Exception as error:  # a decoder of damaged bytes may raise anything
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the decoder's
            raise
        text = _printable(str(error) or type(error).__name__)
        if "crypt" in text:
            raise UnusableFile(f"is encrypted ({text})", ENCRYPTED) from None
        raise UnusableFile(f"is a damaged parquet file ({text})", DAMAGED) from None


def _printable(text: str) -> str:
    """A text that may hold bytes of a damaged file, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{line:.200}"
