"""Batch scoring: what a model predicts for each row of a file, in the file's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_pipeline.errors import InvalidRecords
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.trips import reading, schema
from taxi_pipeline.trips.row_files import open_rows

Predict: TypeAlias = Callable[[pa.Table], Minutes]
"""Minutes for each trip in canonical form, see :data:`taxi_pipeline.trips.schema.TRIP`.

One that answers with intervals has three columns instead: minutes, low and high.
"""

ROW = "row"
"""The column with the number of a row in the scored file, from 0."""

MINUTES = "minutes"
"""The column with the predicted duration, in minutes; null where nothing can be predicted."""

LOW, HIGH = "low", "high"
"""The columns with the ends of the interval, in minutes, likewise."""

NEEDED = ("pickup_at", "pickup_zone", "dropoff_zone")
"""Without any of these nothing is predicted."""


@dataclass(frozen=True)
class Scored:
    """What was written.

    Attributes:
        rows: as many as the file has.
        unscored: those of them that have no pickup time or lack a zone, and so no minutes.
    """

    rows: int
    unscored: int


def score(published: pa.Table, taxi: str, predict: Predict) -> pa.Array:
    """Minutes for each row as TLC publishes it; null without pickup time or zones.

    Args:
        published: may hold the drop-off time, which takes no part.
        taxi: ``green`` or ``yellow``.
        predict: the model, without intervals.
    """
    (minutes,) = _score(published, taxi, predict, 1)
    return minutes


def _score(published: pa.Table, taxi: str, predict: Predict, number: int) -> list[pa.Array]:
    """As many columns as the model answers with."""
    known_before = schema.columns_to_predict_from(published.column_names, taxi)
    trips = schema.canonical(published.select(known_before), taxi)
    is_known = pc.is_valid(trips[NEEDED[0]])
    for name in NEEDED[1:]:
        is_known = pc.and_(is_known, pc.is_valid(trips[name]))
    known = is_known.to_numpy()
    found = np.zeros((len(known), number))
    if known.any():
        predicted = predict(trips if known.all() else trips.filter(is_known))
        found[known] = predicted.reshape(-1, number)
    return [pa.array(column, pa.float64(), mask=~known) for column in found.T]


def score_file(  # noqa: PLR0913  (each is a caller's to choose)
    published: Path,
    destination: Path,
    *,
    taxi: str,
    predict: Predict,
    about: Mapping[str, str],
    with_intervals: bool = False,
    batch_rows: int = reading.BATCH_ROWS,
    progress: Callable[[int, int | None], None] = lambda *_: None,
) -> Scored:
    """Write the minutes of all rows of a file beside what identifies them, batch by batch.

    The columns are :data:`ROW`, the published columns that identify a trip, as far as the file has
    them, :data:`MINUTES` and, with intervals, :data:`LOW` and :data:`HIGH`. A failure may leave a
    part of the file at the destination.

    Args:
        published: a file of rows as TLC publishes them, Parquet or CSV.
        destination: a Parquet file.
        taxi: ``green`` or ``yellow``.
        predict: the model.
        about: what the file's metadata says of the model.
        with_intervals: whether the model answers with intervals.
        batch_rows: rows that are in memory at a time.
        progress: is told the rows written so far and, where it is known, of how many.

    Raises:
        InvalidRecords: the file cannot be read or understood; one line says why.
    """
    rows = unscored = 0
    names = (MINUTES, LOW, HIGH) if with_intervals else (MINUTES,)
    try:
        with open_rows(published, taxi, batch_rows) as opened:
            keys = schema.identifying_columns(opened.columns.names, taxi)
            columns = pa.schema(
                [
                    pa.field(ROW, pa.int64(), nullable=False),
                    *(opened.columns.field(name) for name in keys),
                    *(pa.field(name, pa.float64()) for name in names),
                ],
                metadata=dict(about),
            )
            with pq.ParquetWriter(destination, columns, compression="zstd") as writer:
                for batch in opened.batches:
                    found = _score(batch, taxi, predict, len(names))
                    numbers = pa.array(np.arange(rows, rows + batch.num_rows))
                    values = [numbers, *(batch[name] for name in keys), *found]
                    writer.write_table(pa.table(values, schema=columns))
                    rows += batch.num_rows
                    unscored += found[0].null_count
                    progress(rows, opened.total)
    except reading.UnusableFile as error:
        raise InvalidRecords(f"{published} {error.problem}; {error.advice}") from None
    return Scored(rows, unscored)
