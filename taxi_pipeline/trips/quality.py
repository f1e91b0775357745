"""What a month of trip records is like: rows, rows dropped by each rule, nulls, distributions.

Figures are added up batch by batch in bounded memory. Quantiles come from histograms with fixed
bins, and are as precise as these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass
class HistogramSummary:
    """A summary of numbers that come in parts.

    Values outside the edges are counted in the outermost bins.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64] = field(init=False)
    nulls: int = 0
    total: float = 0.0
    total_of_squares: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.edges) - 1, dtype=np.int64)

    def add(self, column: pa.ChunkedArray | pa.Array) -> None:
        """Add a column's values; nulls are counted apart."""
        self.nulls += column.null_count
        # The values of a month of trips are few: each is looked at once.
        counted = pc.value_counts(pc.drop_null(column))
        values = pc.cast(counted.field("values"), pa.float64()).to_numpy()
        if not len(values):
            return
        counts = counted.field("counts").to_numpy()
        inside = np.clip(values, self.edges[0], np.nextafter(self.edges[-1], -np.inf))
        self.counts += np.histogram(inside, self.edges, weights=counts)[0]
        self.total += float((values * counts).sum())
        self.total_of_squares += float((np.square(values) * counts).sum())
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))

    def summary(self) -> dict[str, Any]:
        """Count, nulls, mean, standard deviation, extremes, quantiles and the histogram."""
        count = int(self.counts.sum())
        if not count:
            return {"count": 0, "nulls": self.nulls}
        mean = self.total / count
        variance = max(self.total_of_squares / count - mean**2, 0.0)
        return {
            "count": count,
            "nulls": self.nulls,
            "mean": round(mean, 4),
            "std": round(variance**0.5, 4),
            "min": self.minimum,
            "max": self.maximum,
            "quantiles": {f"{share:g}": round(self._quantile(share), 4) for share in QUANTILES},
            "histogram": {"edges": self.edges.tolist(), "counts": self.counts.tolist()},
        }

    def _quantile(self, share: float) -> float:
        cumulated = np.concatenate([[0], np.cumsum(self.counts)])
        value = float(np.interp(share * cumulated[-1], cumulated, self.edges))
        return min(max(value, self.minimum), self.maximum)


def _distributions() -> dict[str, HistogramSummary]:
    return {
        "minutes": HistogramSummary(
            np.concatenate([np.linspace(0, 60, 121), np.arange(90, 1441, 30)])
        ),
        "metered_miles": HistogramSummary(np.concatenate([np.linspace(0, 30, 121), [50, 100]])),
        "passengers": HistogramSummary(np.arange(11.0)),
        "hour": HistogramSummary(np.arange(25.0)),
        "weekday": HistogramSummary(np.arange(8.0)),
        "pickup_zone": HistogramSummary(np.arange(1.0, 267.0)),
        "dropoff_zone": HistogramSummary(np.arange(1.0, 267.0)),
    }


@dataclass
class QualityReport:
    """What was read, what was dropped and why, and what the kept trips look like.

    Attributes:
        rows_read: rows read so far.
        nulls: nulls in each published column that was read.
        dropped: rows dropped by each rule, in the order of the rules.
        distributions: of the trips kept.
    """

    rows_read: int = 0
    nulls: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    distributions: dict[str, HistogramSummary] = field(default_factory=_distributions)

    def read(self, published: pa.Table) -> None:
        """Count published rows and the nulls in each of their columns."""
        self.rows_read += published.num_rows
        for name in published.column_names:
            self.nulls[name] = self.nulls.get(name, 0) + published[name].null_count

    @property
    def rows_kept(self) -> int:
        """Rows that passed every rule so far."""
        return self.rows_read - sum(self.dropped.values())

    def drop(self, rule: str, rows: int) -> None:
        """Count rows that a rule dropped."""
        self.dropped[rule] = self.dropped.get(rule, 0) + rows

    def add_trips(self, trips: pa.Table) -> None:
        """Add clean trips to the distributions."""
        derived = {
            "hour": pc.hour(trips["pickup_at"]),
            "weekday": pc.day_of_week(trips["pickup_at"]),
        }
        for name, distribution in self.distributions.items():
            distribution.add(derived[name] if name in derived else trips[name])

    def as_dict(self) -> dict[str, Any]:
        """The report in a form that JSON can hold."""
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_dropped": self.dropped,
            "null_shares": {
                name: round(count / max(self.rows_read, 1), 6) for name, count in self.nulls.items()
            },
            "distributions": {
                name: distribution.summary() for name, distribution in self.distributions.items()
            },
        }
