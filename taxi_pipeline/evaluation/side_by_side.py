"""Two candidates on the same months: which is better, where, and whether beyond noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array, day_numbers
from taxi_pipeline.evaluation.comparison import Comparison, compare_sums, paired_sums
from taxi_pipeline.evaluation.slices import slice_trips
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.month import Month

IDENTIFYING = ("pickup_day", "actual")
"""The columns of predictions that tell which trips were judged, in which order."""

SLICES_SHOWN = 5
"""The parts with the largest gains, and those with the largest losses, that are listed."""


@dataclass(frozen=True)
class JudgedTwice:
    """A month on which both candidates were judged.

    Attributes:
        month: the evaluation month.
        first: the predictions of the first candidate, as of
            :class:`taxi_pipeline.evaluation.report.Evaluation`.
        second: those of the second, of the same trips.
        features: of the same trips, by which the parts of the month are told; None if they are not
            there.
    """

    month: Month
    first: pd.DataFrame
    second: pd.DataFrame
    features: pd.DataFrame | None


@dataclass(frozen=True)
class SliceComparison:
    """Both candidates in a part of the trips of all months.

    Attributes:
        slice: how the months are cut.
        value: the part's name.
        comparison: of the two.
    """

    slice: str
    value: str
    comparison: Comparison


@dataclass(frozen=True)
class SideBySide:
    """Two candidates, month by month, over all months, and in parts of them.

    Attributes:
        first: the name of the first candidate.
        second: that of the second.
        months: both on each evaluation month, in order.
        overall: both on the trips of all months.
        slices: both in each part of them that has enough trips.
    """

    first: str
    second: str
    months: tuple[tuple[Month, Comparison], ...]
    overall: Comparison
    slices: tuple[SliceComparison, ...]

    @property
    def sentence(self) -> str:
        """The answer: which is better, and by how much."""
        found = self.overall
        first, last = self.months[0][0], self.months[-1][0]
        span = f"{first} to {last}" if last > first else f"{last}"
        rmse = f"RMSE {found.first_rmse:.3f} against {found.second_rmse:.3f}"
        if not found.rmse.beyond_noise:
            return (
                f"{self.first} and {self.second} do not differ beyond noise on {span}: {rmse}, "
                f"{found.amount} {found.side} ({found.certainty})."
            )
        quality = "better" if found.rmse.value < 0 else "worse"
        return (
            f"{self.first} is {quality} than {self.second} by {found.amount} of RMSE "
            f"({found.certainty}) on {span}: {rmse}."
        )

    @property
    def gains(self) -> list[SliceComparison]:
        """The parts in which the first is better beyond noise, the largest gain first."""
        return self._largest(-1)

    @property
    def losses(self) -> list[SliceComparison]:
        """The parts in which the first is worse beyond noise, the largest loss first."""
        return self._largest(1)

    def _largest(self, sign: int) -> list[SliceComparison]:
        found = [
            one
            for one in self.slices
            if one.comparison.rmse.beyond_noise and sign * one.comparison.rmse.value > 0
        ]
        return sorted(found, key=lambda one: -abs(one.comparison.rmse.value))[:SLICES_SHOWN]

    def as_dict(self) -> dict[str, Any]:
        """The answer and what led to it as JSON values."""
        return {
            "sentence": self.sentence,
            "first": self.first,
            "second": self.second,
            "overall": asdict(self.overall),
            "months": [{"month": str(month), **asdict(found)} for month, found in self.months],
            "slices": [
                {"slice": one.slice, "value": one.value, **asdict(one.comparison)}
                for one in self.slices
            ],
        }


def same_trips(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether two predictions are of the same trips in the same order."""
    return len(first) == len(second) and all(
        np.array_equal(first[name].to_numpy(), second[name].to_numpy()) for name in IDENTIFYING
    )


def side_by_side(
    first: str, second: str, months: Iterable[JudgedTwice], min_slice_trips: int
) -> SideBySide:
    """Compare two candidates on the same trips, with a paired bootstrap of the days.

    Args:
        first: the name of the first candidate.
        second: that of the second.
        months: the months on which both were judged, at least one, in order. One at a time is held
            in memory.
        min_slice_trips: parts with fewer trips in all months together are not compared.
    """
    sums: list[tuple[Month, Array]] = []
    parts: dict[tuple[str, str], list[Array]] = defaultdict(list)
    for judged in months:
        pickup_day = judged.first["pickup_day"].to_numpy()
        days = day_numbers(pickup_day, judged.month)
        minutes = (
            judged.first["actual"].to_numpy(np.float64),
            judged.first["predicted"].to_numpy(np.float64),
            judged.second["predicted"].to_numpy(np.float64),
        )
        sums.append((judged.month, paired_sums(*minutes, days)))
        if judged.features is not None:
            for name, found in _part_sums(judged.features, minutes, days):
                parts[name].append(found)
    return SideBySide(
        first,
        second,
        tuple((month, compare_sums([found])) for month, found in sums),
        compare_sums([found for _, found in sums]),
        tuple(
            SliceComparison(*name, compare_sums(found))
            for name, found in parts.items()
            if sum(one[0].sum() for one in found) >= min_slice_trips
        ),
    )


def _part_sums(
    features: pd.DataFrame, minutes: tuple[Minutes, Minutes, Minutes], days: Array
) -> Iterator[tuple[tuple[str, str], Array]]:
    """The errors in each part of a month that has trips, by the name of the slice and the part's.

    The days of a part are those on which it has trips.
    """
    for name, sliced in slice_trips(features).items():
        for number in np.flatnonzero(np.bincount(sliced.part)):
            there = sliced.part == number
            _, own_days = np.unique(days[there], return_inverse=True)
            actual, first, second = (kind[there] for kind in minutes)
            yield (name, sliced.parts[number]), paired_sums(actual, first, second, own_days)
