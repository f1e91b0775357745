"""What a month's trips are like, counted: what two months are compared by.

Most is in the quality report of the month's clean trips, see :mod:`taxi_pipeline.trips.quality`.
The rest is counted from the columns of the clean trips, batch by batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_pipeline.month import Month
from taxi_pipeline.trips.reading import BATCH_ROWS

CONTINUOUS = ("minutes", "metered_miles")
"""The distributions of the quality report whose bins hold more than one value."""

COUNTED = ("vendor", "rate_code", "trip_type", "partial")
"""The columns of clean trips whose values are counted, since the quality report has none."""


@dataclass
class Distribution:
    """How often each value is there.

    Attributes:
        counts: by value: a category's code, a whole number, or the middle of a bin.
        missing: how often there is none.
    """

    counts: Counter[float] = field(default_factory=Counter)
    missing: int = 0

    def add(self, other: Distribution) -> None:
        """Add the counts of another part."""
        self.counts.update(other.counts)
        self.missing += other.missing


@dataclass
class MonthCounts:
    """A month, or several together.

    Attributes:
        months: in order.
        rows_read: published rows.
        rows_kept: those that passed the rules of cleaning; all that follows but ``nulls`` is of
            these.
        dropped: rows that each rule dropped.
        nulls: rows without a value, by published column, of those that cleaning reads.
        distributions: by the names of the quality report and of the columns in :data:`COUNTED`.
        days: trips by the date of their pickup.
        columns: the type of each published column, by its name; of several months the last that
            has it.
    """

    months: list[Month] = field(default_factory=list)
    rows_read: int = 0
    rows_kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    nulls: Counter[str] = field(default_factory=Counter)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    days: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def calendar_days(self) -> int:
        """The number of days that the months have."""
        return sum((month.end - month.start).days for month in self.months)

    @property
    def in_words(self) -> str:
        """``2021-01``, or ``2020-11 to 2021-01``."""
        first, last = self.months[0], self.months[-1]
        return str(first) if first == last else f"{first} to {last}"


def count_month(
    month: Month, quality: Mapping[str, Any], trips: Path, published: pa.Schema
) -> MonthCounts:
    """What a month is like.

    Args:
        month: which it is.
        quality: as of :meth:`taxi_pipeline.trips.quality.QualityReport.as_dict`.
        trips: the month's clean trips.
        published: the columns of its published file.
    """
    rows_read = int(quality["rows_read"])
    counts = MonthCounts(
        months=[month],
        rows_read=rows_read,
        rows_kept=int(quality["rows_kept"]),
        dropped=Counter(quality["rows_dropped"]),
        nulls=Counter(
            {name: round(share * rows_read) for name, share in quality["null_shares"].items()}
        ),
        distributions={
            name: _of_histogram(summary, is_continuous=name in CONTINUOUS)
            for name, summary in quality["distributions"].items()
        },
        columns={field.name: str(field.type) for field in published},
    )
    file = pq.ParquetFile(trips)
    for name in COUNTED:
        counts.distributions[name] = Distribution()
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=["pickup_at", *COUNTED]):
        days = pc.value_counts(pc.cast(batch["pickup_at"], pa.date32()))
        counts.days.update({str(one["values"]): one["counts"] for one in days.to_pylist()})
        for name in COUNTED:
            found = counts.distributions[name]
            for one in pc.value_counts(batch[name]).to_pylist():
                if one["values"] is None:
                    found.missing += one["counts"]
                else:
                    found.counts[float(one["values"])] += one["counts"]
    return counts


def _of_histogram(summary: Mapping[str, Any], *, is_continuous: bool) -> Distribution:
    found = Distribution(missing=int(summary["nulls"]))
    if summary["count"]:  # of no values there is no histogram
        edges = np.asarray(summary["histogram"]["edges"])
        values = (edges[:-1] + edges[1:]) / 2 if is_continuous else edges[:-1]
        counts = summary["histogram"]["counts"]
        found.counts.update(dict(zip(values.tolist(), counts, strict=True)))
    return found


def add_up(parts: Iterable[MonthCounts]) -> MonthCounts:
    """Several months together."""
    total = MonthCounts()
    for part in parts:
        total.months += part.months
        total.rows_read += part.rows_read
        total.rows_kept += part.rows_kept
        for name in ("dropped", "nulls", "days"):
            getattr(total, name).update(getattr(part, name))
        for name, found in part.distributions.items():
            total.distributions.setdefault(name, Distribution()).add(found)
        total.columns |= part.columns
    return total


def sample_trips(files: Sequence[Path], number: int) -> pa.Table:
    """So many clean trips, spread evenly over some files; all if there are no more."""
    readers = [pq.ParquetFile(file) for file in files]
    rows = sum(reader.metadata.num_rows for reader in readers)
    chosen = np.linspace(0, rows - 1, min(number, rows)).astype(np.int64)
    tables, start = [], 0
    for reader in readers:
        for batch in reader.iter_batches(batch_size=BATCH_ROWS):
            end = start + batch.num_rows
            here = chosen[(chosen >= start) & (chosen < end)] - start
            tables.append(pa.Table.from_batches([batch]).take(here))
            start = end
    return pa.concat_tables(tables)
