"""Two predictions of the same trips: which is better, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from taxi_pipeline.evaluation.bootstrap import LEVEL, Array, draws, intervals, sums_by_day
from taxi_pipeline.model.regressors import Minutes


@dataclass(frozen=True)
class Difference:
    """By how much a figure of the first prediction is above that of the second.

    Attributes:
        value: minutes; below 0 the first is better.
        interval: both ends of the 95 % interval; None if there are too few days for one.
        share_better: the share of the replicates in which the first is better.
    """

    value: float
    interval: tuple[float, float] | None
    share_better: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the whole interval is on one side of 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True)
class Comparison:
    """Two predictions of the same trips, of a month or of several.

    Attributes:
        rows: the trips.
        days: on which they were.
        first_rmse: minutes, of the first prediction.
        second_rmse: likewise of the second.
        rmse: the difference of these.
        mae: the difference of the mean absolute errors.
    """

    rows: int
    days: int
    first_rmse: float
    second_rmse: float
    rmse: Difference
    mae: Difference

    @property
    def share(self) -> float:
        """The difference of the RMSE as a share of the second's."""
        return self.rmse.value / self.second_rmse if self.second_rmse else 0.0

    @property
    def amount(self) -> str:
        """By how much the RMSE differ, in words, whichever is larger."""
        return f"{abs(self.rmse.value):.3f} minutes"

    @property
    def certainty(self) -> str:
        """The amount as a share, and its interval, in words: below 0 the other one is larger."""
        share = f"{100 * abs(self.share):.1f} %"
        if self.rmse.interval is None:
            return f"{share}, of too few days for an interval"
        low, high = self.rmse.interval
        if self.rmse.value < 0:
            low, high = -high, -low
        return f"{share}, {round(100 * LEVEL)} % interval {low:.3f} to {high:.3f}"

    @property
    def side(self) -> str:
        """On which side of the second's RMSE the first's is."""
        return "below" if self.rmse.value < 0 else "above"


def compare(actual: Minutes, first: Minutes, second: Minutes, days: Array) -> dict[str, Difference]:
    """The differences of ``rmse`` and ``mae`` of two predictions.

    Both are measured in the same replicates, so that what makes a day hard for both of them is no
    part of the interval: that of a difference is far narrower than those of the two figures.

    Args:
        actual: minutes.
        first: predicted minutes.
        second: likewise, of the same trips.
        days: as of :func:`taxi_pipeline.evaluation.bootstrap.day_numbers`.
    """
    found = compare_sums([paired_sums(actual, first, second, days)])
    return {"rmse": found.rmse, "mae": found.mae}


def paired_sums(actual: Minutes, first: Minutes, second: Minutes, days: Array) -> Array:
    """The errors of two predictions, added up by day: all that a comparison needs of a month.

    Args:
        actual: minutes.
        first: predicted minutes.
        second: likewise, of the same trips.
        days: as of :func:`taxi_pipeline.evaluation.bootstrap.day_numbers`.
    """
    terms = _terms(actual, first, second)
    return np.concatenate([sums_by_day(days, term) for term in terms])


def _terms(actual: Minutes, *predictions: Minutes) -> Iterator[Array | None]:
    """One after the other: of many trips each takes much memory."""
    yield None
    for predicted in predictions:
        error = predicted - actual
        yield np.square(error)
        yield np.abs(error)


def compare_sums(months: Sequence[Array]) -> Comparison:
    """Two predictions over the trips of all days of some months.

    Days are drawn from those of all months together. The interval is of the months that are given:
    that models of other months may differ more or less is no part of it.

    Args:
        months: what :func:`paired_sums` gives of each.
    """
    sums = np.hstack(months)
    number = sums.shape[1]
    total = sums.sum(axis=1)
    values = _differences(total)
    replicates = _differences(sums @ draws(number))
    lows, highs = intervals(replicates, number)
    differences = [
        Difference(
            value=float(value),
            interval=(float(low), float(high)) if np.isfinite(low) else None,
            share_better=float((drawn < 0).mean()),
        )
        for value, low, high, drawn in zip(values, lows, highs, replicates, strict=True)
    ]
    trips, square, _, second_square, _ = total
    return Comparison(
        int(trips),
        number,
        float(np.sqrt(square / trips)),
        float(np.sqrt(second_square / trips)),
        *differences,
    )


def _differences(sums: Array) -> Array:
    """The first's RMSE and mean absolute error, less the second's."""
    trips, square, absolute, second_square, second_absolute = sums
    return np.array(
        [
            np.sqrt(square / trips) - np.sqrt(second_square / trips),
            absolute / trips - second_absolute / trips,
        ]
    )
