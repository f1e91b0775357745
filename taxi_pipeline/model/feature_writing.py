"""A file of clean trips becomes a file of their features, in bounded memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_pipeline.compute.prefetch import prefetch
from taxi_pipeline.model.features import compute_features
from taxi_pipeline.trips.writing import open_writer

REPEATED = ("minutes", "pickup_zone", "dropoff_zone", "metered_miles", "miles", "vendor")
"""Columns whose many values each come often, as :mod:`taxi_pipeline.trips.writing` asks for."""

BATCH_ROWS = 131_072
"""Trips that are in memory at a time."""


def write_features(
    trips: Path,
    destination: Path,
    *,
    max_miles: float,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> int:
    """Write the features of a file of clean trips, batch by batch, and return their number."""
    file = pq.ParquetFile(trips)
    rows = 0
    features = (
        compute_features(pa.Table.from_batches([batch]), max_miles)
        for batch in prefetch(file.iter_batches(batch_size=BATCH_ROWS))
    )
    with contextlib.ExitStack() as stack:
        writer = None
        for batch in stack.enter_context(contextlib.closing(prefetch(features))):
            writer = writer or stack.enter_context(open_writer(destination, batch.schema, REPEATED))
            writer.write_table(batch)
            rows += batch.num_rows
            progress(rows, file.metadata.num_rows)
    return rows
