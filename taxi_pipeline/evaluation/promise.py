"""What the evaluation of a model promised, and how later figures stand beside it.

Months differ in how hard they are: where trips are shorter, errors are smaller, and a model that
has decayed may still keep its promise in minutes. So two figures are compared: the RMSE, and its
share of the standard deviation of the month's durations, which is the square root of 1 - R².
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from taxi_pipeline.evaluation.judge import SLICES_NAMED


@dataclass(frozen=True)
class Thresholds:
    """From where on it is called decay.

    Attributes:
        max_rmse_excess: the share by which the RMSE may be above the promise.
        max_slice_excess: the same in a slice.
        min_slice_trips: slices with fewer trips are not compared.
    """

    max_rmse_excess: float
    max_slice_excess: float
    min_slice_trips: int


@dataclass(frozen=True)
class Promise:
    """What the evaluation of a version found.

    Attributes:
        month: of the evaluation; empty if it is not known.
        figures: the metrics on it, with the ends of their intervals.
        slices: its errors by slice; None if they are not known.
        source: where this is from, in words.
    """

    month: str
    figures: Mapping[str, float]
    slices: pd.DataFrame | None
    source: str


@dataclass(frozen=True)
class Excess:
    """A figure beside the promised one; of both less is better.

    Attributes:
        value: in the month.
        low: the lower end of its interval; None where there are too few days for one.
        promised: by the evaluation.
    """

    value: float
    low: float | None
    promised: float

    @property
    def share(self) -> float:
        """The share by which the value is above the promise."""
        return self.value / self.promised - 1 if self.promised else 0.0

    def is_beyond(self, allowed: float) -> bool:
        """Whether it is above the promise by more than a share, which noise does not explain."""
        return self.low is not None and self.low > (1 + allowed) * self.promised


@dataclass(frozen=True)
class Kept:
    """Whether a promise is kept.

    Attributes:
        rmse: minutes beside the promised ones.
        spread: RMSE as a share of the standard deviation of the durations; None if the promise
            does not say it.
        broken: a sentence for each thing that is worse than promised beyond noise.
        kept: likewise for each that is not.
    """

    rmse: Excess
    spread: Excess | None
    broken: tuple[str, ...]
    kept: tuple[str, ...]


def compare_with_promise(
    figures: Mapping[str, float], by_slice: pd.DataFrame, promise: Promise, thresholds: Thresholds
) -> Kept:
    """Whether a promise is kept in a month.

    Args:
        figures: the metrics of the month.
        by_slice: as of :func:`slices_beside_promise`.
        promise: what the evaluation found.
        thresholds: from where on it is broken.
    """
    rmse, spread = _rmse(figures, promise.figures), _spread(figures, promise.figures)
    broken: list[str] = []
    kept: list[str] = []
    texts = [(rmse, _in_minutes(rmse, promise))]
    if spread:
        texts.append((spread, _in_spread(spread, rmse)))
    for excess, text in texts:
        beyond = excess.is_beyond(thresholds.max_rmse_excess)
        (broken if beyond else kept).append(text + _allowed(excess, thresholds))
    broken += _broken_slices(by_slice, thresholds)
    return Kept(rmse, spread, tuple(broken), tuple(kept))


def slices_beside_promise(
    found: pd.DataFrame, promise: Promise | None, thresholds: Thresholds
) -> pd.DataFrame:
    """Errors by slice, with ``promised_rows``, ``promised_rmse``, ``excess`` and ``decayed``."""
    keys = ["slice", "value"]
    promised = found[keys].iloc[:0].assign(rows=0, rmse=0.0)
    if promise and promise.slices is not None:
        promised = promise.slices
    promised = promised[[*keys, "rows", "rmse"]]
    promised = promised.rename(columns={"rows": "promised_rows", "rmse": "promised_rmse"})
    beside = found.merge(promised, on=keys, how="left", validate="one_to_one")
    fewest = beside[["rows", "promised_rows"]].astype("float64").min(axis=1, skipna=False)
    allowed = (1 + thresholds.max_slice_excess) * beside["promised_rmse"]
    beside["excess"] = beside["rmse"] / beside["promised_rmse"] - 1
    beside["decayed"] = (fewest >= thresholds.min_slice_trips) & (beside["rmse_low"] > allowed)
    return beside


def _rmse(figures: Mapping[str, float], promised: Mapping[str, float]) -> Excess:
    return Excess(figures["rmse"], figures.get("rmse_low"), promised["rmse"])


def _spread(figures: Mapping[str, float], promised: Mapping[str, float]) -> Excess | None:
    if "r2" not in promised:
        return None
    best = figures.get("r2_high")
    low = None if best is None else _unexplained(best)
    return Excess(_unexplained(figures["r2"]), low, _unexplained(promised["r2"]))


def _unexplained(r2: float) -> float:
    return math.sqrt(max(1 - r2, 0.0))


def _in_minutes(rmse: Excess, promise: Promise) -> str:
    return (
        f"RMSE {rmse.value:.4f} minutes, {_beside(rmse)} the {rmse.promised:.4f} that its "
        f"evaluation{f' on {promise.month}' if promise.month else ''} promised"
    )


def _in_spread(spread: Excess, rmse: Excess) -> str:
    return (
        f"RMSE {rmse.value:.4f} minutes is {spread.value:.1%} of the standard deviation of the "
        f"month's durations, {_beside(spread)} the promised {spread.promised:.1%}"
    )


def _beside(excess: Excess) -> str:
    return f"{abs(excess.share):.1%} {'below' if excess.share < 0 else 'above'}"


def _allowed(excess: Excess, thresholds: Thresholds) -> str:
    allowed = thresholds.max_rmse_excess
    text = f": `max_rmse_excess` allows {allowed:.1%}"
    if excess.is_beyond(allowed):
        return f"{text}, and the interval begins above that"
    if excess.share <= allowed:
        return text if excess.share > 0 else ""
    return f"{text}, " + (
        "and there are too few days for an interval"
        if excess.low is None
        else "but the interval begins below that: it may be noise"
    )


def _broken_slices(by_slice: pd.DataFrame, thresholds: Thresholds) -> list[str]:
    """The sentence that names the slices that have decayed most; none if none has."""
    decayed = by_slice[by_slice["decayed"]].sort_values("excess", ascending=False, kind="stable")
    if decayed.empty:
        return []
    named = ", ".join(
        f"{one['slice']} {one['value']} ({one['excess']:.1%} above, {one['rows']:,} trips)"
        for one in decayed.head(SLICES_NAMED).to_dict("records")
    )
    more = f" and {len(decayed) - SLICES_NAMED} more" if len(decayed) > SLICES_NAMED else ""
    sentence = (
        "RMSE above the promise by more than `max_slice_excess` "
        f"({thresholds.max_slice_excess:.1%}) beyond noise in {named}{more}"
    )
    return [sentence]
