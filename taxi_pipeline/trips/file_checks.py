"""Whether a downloaded file is a whole trip record file."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from taxi_pipeline.errors import InvalidTripFile
from taxi_pipeline.redaction import redact_url


def check_file(path: Path, *, label: str, url: str, required: Collection[str]) -> int:
    """Check that a file is a whole trip record file; reads no more than its ends.

    Args:
        path: the file.
        label: what it should hold, for a person: ``green 2021-01``.
        url: where it comes from.
        required: names of the columns that it must have, in any case.

    Returns:
        The number of rows.

    Raises:
        InvalidTripFile: it is something else, cut off, without these columns or without rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def invalid(problem: str, advice: str) -> InvalidTripFile:
        return InvalidTripFile(f"{label}: {redact_url(url)} {problem}; {advice}")

    with path.open("rb") as file:
        begin = file.read(512)
        file.seek(-min(4, len(begin)), os.SEEK_END)
        end = file.read()
    if not begin:
        raise invalid("is empty", "try again later")
    if not begin.startswith(b"PAR1"):
        raise invalid(
            f"is {sniff_format(begin)} instead of a parquet file",
            "check `url`, and whether it wants a login",
        )
    if end != b"PAR1":
        raise invalid("is truncated: the end of the parquet file is missing", "try again later")
    try:
        with pq.ParquetFile(path) as parquet:
            names = {name.lower() for name in parquet.schema_arrow.names}
            rows = int(parquet.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise invalid(f"is a damaged parquet file ({text})", "try again later") from None
    if missing := [name for name in required if name.lower() not in names]:
        lacks = f"has no column {', '.join(missing)}"
        if any("longitude" in name or name.endswith("_lon") for name in names):
            raise invalid(
                f"{lacks}, but coordinates: it is from before zone ids", "choose a later month"
            )
        raise invalid(lacks, "check that `url` names this taxi's trip records")
    if not rows:
        raise invalid("has no rows", "choose another month")
    return rows


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
