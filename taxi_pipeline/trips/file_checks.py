"""Whether a downloaded file is a whole trip record file of its month."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.formatting import format_bytes
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from taxi_pipeline.trips.contract import Contract


MAX_FOOTER_BYTES = 64 << 20
"""Bytes of the largest footer that is read: it takes five times as much memory."""


@dataclass(frozen=True)
class CheckedFile:
    """What a file holds that is taken.

    Attributes:
        rows: how many.
        warnings: what a person should know of it, each after the name of the file.
    """

    rows: int
    warnings: tuple[str, ...] = ()


def check_file(  # noqa: PLR0913  (each is a caller's to choose)
    path: Path,
    *,
    url: str,
    taxi: str,
    month: Month,
    contract: Contract,
    neighbours: Mapping[Month, int],
    batch_rows: int,
) -> CheckedFile:
    """Read the columns that cleaning needs, once, and check that they can be understood.

    Args:
        path: the file.
        url: where it comes from.
        taxi: ``green`` or ``yellow``.
        month: the month that it should hold.
        contract: which files are taken for the month's.
        neighbours: the rows of the months beside it, as far as they are known.
        batch_rows: rows that are in memory at a time.

    Raises:
        InvalidTripFile: it is something else, damaged or encrypted; lacks columns or rows; has
            columns that cannot be understood; or breaks the contract of its month.
    """
    from taxi_pipeline.trips import column_checks, reading, schema
    from taxi_pipeline.trips.contract import PickupCounts, check_rows

    try:
        _check_ends(path)
        pickups, rows = PickupCounts(month), 0
        with reading.open_file(path) as file:
            absent = _check_layout(file, taxi)
            columns = schema.columns_to_read(file.schema_arrow.names, taxi)
            pickup = next(n for n in columns if n.lower() == schema.pickup_column(taxi))
            for batch in reading.read_batches(file, columns, batch_rows):
                column_checks.check_values(batch, taxi)
                pickups.add(batch[pickup])
                rows += batch.num_rows
        warnings = [
            *(f"has no column {name}: its values count as missing" for name in absent),
            *pickups.check(contract),
            *check_rows(rows, taxi, month, neighbours, contract),
        ]
    except reading.UnusableFile as error:
        raise InvalidTripFile(
            f"{taxi} {month}: {redact_url(url)} {error.problem}; {error.advice}"
        ) from None
    return CheckedFile(rows, tuple(warnings))


def _check_ends(path: Path) -> None:
    """Refuse what does not begin and end as a Parquet file does, and name it for what it is."""
    from taxi_pipeline.trips.reading import UnusableFile

    with path.open("rb") as file:
        begin = file.read(512)
        file.seek(-min(8, len(begin)), os.SEEK_END)
        end = file.read()
    if not begin:
        raise UnusableFile("is empty", "try again later")
    if begin.startswith(b"PARE"):
        raise UnusableFile("is encrypted as a whole", "have it published in plain")
    if not begin.startswith(b"PAR1"):
        raise UnusableFile(
            f"is {sniff_format(begin)} instead of a parquet file",
            "check `url`, and whether it wants a login",
        )
    if not end.endswith(b"PAR1"):
        raise UnusableFile(
            "is truncated: the end of the parquet file is missing", "try again later"
        )
    footer = int.from_bytes(end[:4], "little")
    if MAX_FOOTER_BYTES < footer < path.stat().st_size:
        raise UnusableFile(
            f"has a footer of {format_bytes(footer)}, as of row groups without end",
            "have it published with larger ones",
        )


def _check_layout(file: pq.ParquetFile, taxi: str) -> list[str]:
    """Refuse a file without rows, or whose columns are not those of trips.

    Returns:
        The columns that the file lacks, and that cleaning can do without.
    """
    from taxi_pipeline.trips import column_checks, reading, schema

    names = file.schema_arrow.names
    _check_presence(names, taxi)
    column_checks.check_names(names, taxi)
    column_checks.check_types(file.schema_arrow, taxi)
    if not file.metadata.num_rows:
        raise reading.UnusableFile("has no rows", "choose another month")
    columns = schema.columns_to_read(names, taxi)
    lowered = {name.lower() for name in columns}
    optional = [*schema.optional_columns(taxi), "fare_amount"]
    absent = [name for name in optional if name.lower() not in lowered]
    # A column may be absent for a damaged name; else those that are not needed may be anything.
    reading.check_footer(file, names if absent else columns)
    return absent


def _check_presence(names: Collection[str], taxi: str) -> None:
    from taxi_pipeline.trips.reading import UnusableFile
    from taxi_pipeline.trips.schema import required_columns

    lowered = {name.lower() for name in names}
    missing = [name for name in required_columns(taxi) if name.lower() not in lowered]
    if not missing:
        return
    lacks = f"has no column {', '.join(missing)}"
    if any("longitude" in name or name.endswith("_lon") for name in lowered):
        raise UnusableFile(
            f"{lacks}, but coordinates: it is from before zone ids", "choose a later month"
        )
    raise UnusableFile(lacks, "check that `url` names this taxi's trip records")


def sniff_format(begin: bytes) -> str:
    """What a file that is not Parquet seems to be, by its first bytes."""
    text = begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<"):
        return "an XML document"
    if text.startswith((b"{", b"[")):
        return "a JSON document"
    return f"something that begins with {begin[:8]!r}"
