"""Files of features as a fit reads them: batch by batch, so that no window is too large."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_pipeline.model.encoders import Batch
from taxi_pipeline.model.feature_names import TARGET
from taxi_pipeline.model.features import load_features

BATCH_ROWS = 524_288
"""Trips that are encoded at a time; a smaller window is one batch."""


class FeatureFiles:
    """The trips of several files of features, one file after the other.

    Args:
        files: oldest first.
        columns: the features that are read.
        batch_rows: rows of a batch; the last may have fewer.
        progress: called after each batch with the trips read so far; a fit reads all several times.
    """

    def __init__(
        self,
        files: Iterable[Path],
        columns: Iterable[str],
        batch_rows: int = BATCH_ROWS,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.files = tuple(files)
        self.columns = tuple(dict.fromkeys(columns))
        self.batch_rows = batch_rows
        self._progress = progress
        self._read = 0

    @cached_property
    def rows(self) -> int:
        """The number of trips."""
        return sum(pq.read_metadata(file).num_rows for file in self.files)

    def __len__(self) -> int:
        """The number of batches."""
        return math.ceil(self.rows / self.batch_rows)

    def __iter__(self) -> Iterator[Batch]:
        """Features and minutes, batch by batch."""
        for table in self._tables(dict.fromkeys([TARGET, *self.columns])):
            frame = table.to_pandas()
            yield frame, frame[TARGET].to_numpy()
            self._read += len(frame)
            self._progress(self._read)

    def read(self) -> pd.DataFrame:
        """All trips in one table, with ``pickup_at`` and ``minutes``."""
        return load_features(self.files, self.columns)

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """A random sample in random order, or all trips if there are no more, like :meth:`read`.

        The index is the row among all trips. No more than a batch is in memory beside the sample,
        which is the one that ``DataFrame.sample`` draws of the whole.
        """
        if self.rows <= rows:
            return self.read()
        chosen = np.random.RandomState(seed).choice(self.rows, size=rows, replace=False)
        return self.take(chosen)

    def take(self, chosen: np.ndarray) -> pd.DataFrame:
        """Some trips by their row, in that order, like :meth:`sample`."""
        ordered = np.sort(chosen)
        found, start = [], 0
        for table in self._tables(dict.fromkeys(["pickup_at", TARGET, *self.columns])):
            first, last = np.searchsorted(ordered, (start, start + table.num_rows))
            found.append(table.take(ordered[first:last] - start))
            start += table.num_rows
        frame: pd.DataFrame = pa.concat_tables(found).to_pandas()
        return frame.set_index(ordered).loc[chosen]

    def _tables(self, columns: Iterable[str]) -> Iterator[pa.Table]:
        """Tables of ``batch_rows`` rows, the last of what is left."""
        wanted = list(columns)
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for file in self.files:
            for batch in pq.ParquetFile(file).iter_batches(self.batch_rows, columns=wanted):
                waiting.append(batch)
                rows += batch.num_rows
                while rows >= self.batch_rows:
                    table = pa.Table.from_batches(waiting)
                    yield table.slice(0, self.batch_rows)
                    waiting = table.slice(self.batch_rows).to_batches()
                    rows -= self.batch_rows
        if rows:
            yield pa.Table.from_batches(waiting)
