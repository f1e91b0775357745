"""The file of a month of the synthetic city.

As in the published files, the rows of metered trips come first and those of dispatched trips
after them, each in the order of their pickups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import SeedSequence, default_rng

from taxi_pipeline.month import Month
from taxi_pipeline.trips import TAXIS
from taxi_pipeline.trips.synthetic.city import City
from taxi_pipeline.trips.synthetic.driving import Stream
from taxi_pipeline.trips.synthetic.populations import DISPATCHED, METERED, dispatched_share
from taxi_pipeline.trips.synthetic.published_schema import NEW_TYPES, check_taxi, columns
from taxi_pipeline.trips.synthetic.records import records

CHUNK_ROWS = 250_000
"""Rows of a row group, the most that is held in memory."""


def write_month(  # noqa: PLR0913 - what determines the file, and how to tell of its progress
    path: Path,
    taxi: str,
    month: Month,
    *,
    rows: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the file of a month, the same bytes for the same arguments.

    It is written in row groups of at most `CHUNK_ROWS` rows, so that memory does not grow with
    the number of rows. A failure may leave a part of the file at the path.

    Args:
        path: the file to write; its folder exists.
        taxi: "green" or "yellow".
        month: the month of the trips.
        rows: how many, at least 1.
        seed: chooses the city and, with all of the above but the path, the trips; at least 0.
        progress: is told the rows written so far and the rows in all, after each row group.

    Raises:
        ValueError: there is no such taxi, or rows or seed is too small.
    """
    check_taxi(taxi)
    check_at_least("rows", rows, 1)
    check_at_least("seed", seed, 0)
    compression = "zstd" if month >= NEW_TYPES else "gzip"
    published = columns(taxi, month)
    written = 0
    with pq.ParquetWriter(
        path, published, version="1.0", compression=compression, compression_level=1
    ) as writer:
        for batch in _batches(taxi, month, rows, seed):
            writer.write_batch(batch)
            written += batch.num_rows
            if progress is not None:
                progress(written, rows)


def _batches(taxi: str, month: Month, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    city = City.build(seed)
    dispatched = round(rows * dispatched_share(taxi, month))
    for number, (origin, size) in enumerate(
        [(METERED, rows - dispatched), (DISPATCHED, dispatched)]
    ):
        stream = Stream.of(city, taxi, month, origin)
        for first in range(0, size, CHUNK_ROWS):
            last = min(first + CHUNK_ROWS, size)
            chance = [seed, TAXIS.index(taxi), month.year, month.month, number, first]
            rng = default_rng(SeedSequence(chance))
            yield records(stream, rng, last - first, (first / size, last / size))


def check_at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small.

    Raises:
        ValueError: it is.
    """
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
