"""The contract of a month: what its file must hold to be taken for the month's.

A file that breaks it is refused, or taken with a warning, by shares that the caller chooses. What
a warning depends on (the months around) is no part of what is made of the file: the same file gives
the same trips, whichever months were there before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxi_pipeline.month import Month
from taxi_pipeline.trips.columns import MICROSECONDS, Column, local_times, plain
from taxi_pipeline.trips.reading import UnusableFile

CHECK, CONVERT = "check", "convert"
ZONED_TIMES = (CHECK, CONVERT)
"""What to do with times that have a zone: see whether they are instants, or believe the label."""

NIGHT = range(4)
"""Hours of New York at which the four quietest hours of its taxis begin: 0 to 3."""

_QUIET_HOURS = 4
_MIN_PICKUPS = 1000  # fewer do not tell at which hour a city is quiet
_LOCKDOWN = "New York's lockdown from 22 March 2020 ended most trips"
_FIRST_WEEKS = "green taxis began to drive in August 2013"
KNOWN_LOSSES = {
    ("green", Month(2013, 8)): _FIRST_WEEKS,
    ("green", Month(2013, 9)): _FIRST_WEEKS,
    ("green", Month(2020, 3)): _LOCKDOWN,
    ("green", Month(2020, 4)): _LOCKDOWN,
    ("yellow", Month(2020, 3)): _LOCKDOWN,
    ("yellow", Month(2020, 4)): _LOCKDOWN,
}
"""Months that have far fewer trips than those beside them, and why."""


@dataclass(frozen=True)
class Contract:
    """What a month's file must hold.

    Attributes:
        min_month_share: share of the pickups that must lie in the month; 0 takes any file.
        warn_month_share: share of the pickups below which there is a warning.
        min_rows_share: rows that the file must have, as a share of those of each month beside it;
            0 takes any file.
        warn_rows_share: the same, below which there is a warning.
        zoned_times: one of :data:`ZONED_TIMES`.
    """

    min_month_share: float = 0.5
    warn_month_share: float = 0.95
    min_rows_share: float = 0.02
    warn_rows_share: float = 0.5
    zoned_times: str = CHECK


@dataclass
class _Reading:
    """Pickups, counted as one reading of their times has them."""

    before: int = 0
    inside: int = 0
    after: int = 0
    by_hour: np.ndarray[Any, np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(24, np.int64)
    )

    def add(self, times: Column, month: Month) -> None:
        """Count times without a zone."""
        start, end = (pa.scalar(bound, MICROSECONDS) for bound in (month.start, month.end))
        before = pc.sum(pc.less(times, start)).as_py() or 0
        after = pc.sum(pc.greater_equal(times, end)).as_py() or 0
        self.before += before
        self.after += after
        self.inside += len(times) - times.null_count - before - after

    def add_hours(self, times: Column) -> None:
        """Count the hours of times without a zone."""
        hours = pc.hour(pc.drop_null(times)).to_numpy()
        self.by_hour += np.bincount(hours, minlength=24)

    @property
    def total(self) -> int:
        return self.before + self.inside + self.after

    @property
    def quietest(self) -> int | None:
        """The hour at which the four quietest hours begin; None where no hours are quiet."""
        around = np.concatenate([self.by_hour, self.by_hour[: _QUIET_HOURS - 1]])
        pickups = np.convolve(around, np.ones(_QUIET_HOURS), "valid")
        is_quiet = pickups.min() < self.by_hour.mean() * _QUIET_HOURS / 2
        return int(pickups.argmin()) if is_quiet and self.by_hour.sum() >= _MIN_PICKUPS else None


class PickupCounts:
    """Counts the pickups of a file, batch by batch, for its contract.

    Args:
        month: the month that the file is published for.
    """

    def __init__(self, month: Month) -> None:
        self._month = month
        self._zone = ""
        self._read, self._as_written = _Reading(), _Reading()
        self._elsewhere: Counter[str] = Counter()

    def add(self, pickups: Column) -> None:
        """Count a batch of pickup times, of any type that :func:`local_times` understands."""
        times = local_times(pickups)
        before = self._read.inside
        self._read.add(times, self._month)
        if 2 * (self._read.inside - before) < len(times):
            months = pc.drop_null(times).to_numpy().astype("datetime64[M]")
            names, counts = np.unique(months, return_counts=True)
            for name, count in zip(names.astype(str), counts.tolist(), strict=True):
                self._elsewhere[str(name)] += count
        zoned = plain(pickups)
        if pa.types.is_timestamp(zoned.type) and zoned.type.tz is not None:
            written = local_times(pc.local_timestamp(zoned))
            if not written.equals(times):
                self._zone = zoned.type.tz
            self._as_written.add(written, self._month)
            self._as_written.add_hours(written)
            self._read.add_hours(times)

    def check(self, contract: Contract) -> list[str]:
        """What to warn of.

        Raises:
            UnusableFile: the file is not taken.
        """
        warnings = self._check_zone(contract) if self._zone else []
        share = self._read.inside / max(self._read.total, 1)
        if share >= max(contract.min_month_share, contract.warn_month_share):
            return warnings
        held = (
            f"has {self._read.inside:,} of {self._read.total:,} pickups in {self._month}"
            f"{self._mostly()}"
        )
        if share < contract.min_month_share:
            raise UnusableFile(
                f"{held}: it is another month's file, or a damaged one",
                "check `url`, or take it nevertheless by `min_month_share` 0",
            )
        return [*warnings, f"{held}: trips of other months are kept unless `only_month` is set"]

    def _mostly(self) -> str:
        """The month that most pickups lie in, if they lie elsewhere."""
        ((name, count),) = self._elsewhere.most_common(1) or [(str(self._month), 0)]
        return "" if name == str(self._month) else f" and {count:,} in {name}"

    def _check_zone(self, contract: Contract) -> list[str]:
        """See whether times with a zone are instants, or New York's wall clock under a label."""
        label = f"has times labelled {self._zone}"
        read = f"{label}, which are converted to New York's local time"
        if contract.zoned_times == CONVERT:
            return [read]
        evidence, hour = self._evidence(), self._read.quietest
        strays = f"{self._read.before:,} of {self._read.total:,} pickups fall before {self._month}"
        quiet = "" if hour is None else f", and the quietest hours begin at {hour}:00"
        if evidence > 0:
            return [f"{read}: {strays}{quiet}"]
        if evidence < 0:
            problem = f"{label} that are New York's wall clock: if converted, {strays}{quiet}"
        else:
            problem = f"{label}, and too few pickups to see whether they are New York's wall clock"
        raise UnusableFile(
            problem,
            "write them without a zone, in New York's local time, or have them converted by "
            "`zoned_times` convert",
        )

    def _evidence(self) -> int:
        """Whether the times are instants (1) or New York's wall clock (-1); 0 if nothing tells."""
        instants, wall = self._read.quietest in NIGHT, self._as_written.quietest in NIGHT
        if instants != wall:
            return 1 if instants else -1
        strays = self._as_written.before + self._as_written.after
        return int(np.sign(strays - self._read.before - self._read.after))


def check_rows(
    rows: int, taxi: str, month: Month, neighbours: Mapping[Month, int], contract: Contract
) -> list[str]:
    """What to warn of in the number of a file's rows, beside those of the months around.

    Args:
        rows: of the file.
        taxi: ``green`` or ``yellow``.
        month: the month that the file is published for.
        neighbours: the rows of the months beside it, as far as they are known.
        contract: which shares are taken.

    Raises:
        UnusableFile: the file is not taken.
    """
    known = KNOWN_LOSSES.get((taxi, month))
    fewest = min(neighbours.values(), default=0)
    if not known and rows < contract.min_rows_share * fewest:
        raise UnusableFile(
            f"has {rows:,} rows, {_share(rows, fewest)} of those of the months beside it "
            f"({_listed(neighbours)}): it is a part of a file",
            "check `url`, or take it nevertheless by `min_rows_share` 0",
        )
    warnings = []
    for neighbour, others in neighbours.items():
        if rows < contract.warn_rows_share * others:
            reason = known or "see whether its source has the whole file"
            warnings.append(
                f"has {rows:,} rows, {_share(rows, others)} of the {others:,} of {neighbour}: "
                f"{reason}"
            )
        elif others < contract.warn_rows_share * rows:
            reason = KNOWN_LOSSES.get(
                (taxi, neighbour), "see whether its source has the whole file"
            )
            warnings.append(
                f"has {rows:,} rows, of which {neighbour} has only {_share(others, rows)} "
                f"({others:,}): {reason}"
            )
    return warnings


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %"


def _listed(neighbours: Mapping[Month, int]) -> str:
    return ", ".join(f"{month}: {rows:,}" for month, rows in neighbours.items())
