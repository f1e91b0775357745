"""What versions of a model do in a later month, beside what their evaluations promised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.baselines import baselines
from taxi_pipeline.evaluation.bootstrap import Array, day_numbers
from taxi_pipeline.evaluation.comparison import Difference, compare
from taxi_pipeline.evaluation.decay import AS_PROMISED, DECAYED, NOT_KNOWN
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.evaluation.promise import (
    Excess,
    Promise,
    Thresholds,
    compare_with_promise,
    slices_beside_promise,
)
from taxi_pipeline.evaluation.slices import slices
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.month import Month

PAIR_BASELINE = "zone_pair"
"""The baseline beside which the champion is shown."""


@dataclass(frozen=True)
class MonthTrips:
    """The clean trips of the month.

    Attributes:
        features: of each trip, with pickup time and minutes.
        month: of the trips.
    """

    features: pd.DataFrame
    month: Month

    @cached_property
    def actual(self) -> Minutes:
        """The minutes that each trip took."""
        minutes: Minutes = self.features[TARGET].to_numpy(dtype=np.float64)
        return minutes

    @cached_property
    def days(self) -> Array:
        """The number of the day of each pickup."""
        return day_numbers(self.features["pickup_at"].to_numpy(), self.month)


@dataclass(frozen=True)
class Watched:
    """A version that is looked at.

    Attributes:
        version: its number.
        training_month: the last month that it was trained on; empty if that is not known.
        minutes: what it predicts for each trip; None if it does not count.
        why_not: why it does not count, in words; empty if it does.
        promise: what its evaluation found; None if that is not known.
    """

    version: str
    training_month: str
    minutes: Minutes | None = None
    why_not: str = ""
    promise: Promise | None = None


@dataclass(frozen=True)
class Realised:
    """What a version did in the month.

    Attributes:
        version: its number.
        training_month: the last month that it was trained on; empty if that is not known.
        verdict: DECAYED, AS_PROMISED or NOT_KNOWN.
        reasons: a sentence for each thing that was looked at.
        decisive: those of them that led to the verdict.
        figures: the metrics with the ends of their intervals; empty if it does not count.
        promise: what its evaluation found; None if that is not known.
        rmse: minutes beside the promised ones; None if there is nothing to compare.
        spread: RMSE as a share of the standard deviation of the durations; likewise.
        slices: errors by slice, beside the promised ones; empty if it does not count.
    """

    version: str
    training_month: str
    verdict: str
    reasons: tuple[str, ...]
    decisive: tuple[str, ...]
    figures: Mapping[str, float]
    promise: Promise | None
    rmse: Excess | None = None
    spread: Excess | None = None
    slices: pd.DataFrame = field(default_factory=pd.DataFrame)

    def as_dict(self) -> dict[str, Any]:
        """All but the slices, as JSON values."""
        promise = self.promise and {
            "month": self.promise.month,
            "source": self.promise.source,
            "figures": self.promise.figures,
        }
        excess = {name: getattr(self, name) for name in ("rmse", "spread")}
        return {
            "version": self.version,
            "training_month": self.training_month,
            "verdict": self.verdict,
            "reasons": self.reasons,
            "decisive": self.decisive,
            "figures": self.figures,
            "promise": promise,
            **{name: one and {**asdict(one), "share": one.share} for name, one in excess.items()},
        }


@dataclass(frozen=True)
class Monitored:
    """What was found in the month.

    Attributes:
        rows: trips.
        days: days that have trips.
        champion: who served.
        frozen: the version that is kept beside it as a yardstick; None if it is the champion.
        difference: of the champion's RMSE to that of the other, on the same trips; None if there is
            no other, or one of them does not count.
        baselines: metrics of what could be predicted without a model, learned from the champion's
            training window; empty if that is not known.
    """

    rows: int
    days: int
    champion: Realised
    frozen: Realised | None
    difference: Difference | None
    baselines: Mapping[str, Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """All but the slices, as JSON values."""
        return {
            "rows": self.rows,
            "days": self.days,
            "champion": self.champion.as_dict(),
            "frozen": self.frozen and self.frozen.as_dict(),
            "difference": self.difference and asdict(self.difference),
            "baselines": self.baselines,
        }

    def slices(self) -> pd.DataFrame:
        """The errors by slice of those that count; ``version`` says whose they are."""
        frames = [
            one.slices.assign(version=one.version)
            for one in (self.champion, self.frozen)
            if one and not one.slices.empty
        ]
        return pd.concat(frames, ignore_index=True)


def monitor(
    trips: MonthTrips,
    champion: Watched,
    frozen: Watched | None,
    window: pd.DataFrame | Iterable[pd.DataFrame] | None,
    thresholds: Thresholds,
) -> Monitored:
    """What champion and frozen version did in a month.

    Args:
        trips: of the month.
        champion: who served.
        frozen: the yardstick; None if it is the champion.
        window: zones and minutes of the champion's training window, as a whole or part by part;
            None if they are not known.
        thresholds: from where on it is called decay.
    """
    difference = None
    if frozen and frozen.minutes is not None and champion.minutes is not None:
        both = (champion.minutes, frozen.minutes)
        difference = compare(trips.actual, *both, trips.days)["rmse"]
    simple: dict[str, Mapping[str, float]] = {}
    if window is not None:
        lookup = baselines(window, trips.features)[PAIR_BASELINE]
        simple = {PAIR_BASELINE: metrics_with_intervals(trips.actual, lookup, trips.days)}
    return Monitored(
        rows=len(trips.features),
        days=int(trips.days.max()) + 1,
        champion=_realised(trips, champion, thresholds),
        frozen=_realised(trips, frozen, thresholds) if frozen else None,
        difference=difference,
        baselines=simple,
    )


def _realised(trips: MonthTrips, watched: Watched, thresholds: Thresholds) -> Realised:
    name = f"version {watched.version}"
    if watched.minutes is None:
        sentence = (f"{name} is not counted: {watched.why_not}",)
        facts = (watched.version, watched.training_month, NOT_KNOWN, sentence, sentence)
        return Realised(*facts, {}, watched.promise)
    promise = watched.promise
    figures = metrics_with_intervals(trips.actual, watched.minutes, trips.days)
    by_slice = slices_beside_promise(
        slices(trips.features, trips.actual, watched.minutes, trips.days), promise, thresholds
    )
    notes = tuple(_notes(watched, trips))
    kept = compare_with_promise(figures, by_slice, promise, thresholds) if promise else None
    decisive: tuple[str, ...]
    reasons: tuple[str, ...]
    if kept is None:
        verdict, decisive = NOT_KNOWN, (f"RMSE {figures['rmse']:.4f} minutes",)
        reasons = decisive
    else:
        verdict, decisive = (DECAYED, kept.broken) if kept.broken else (AS_PROMISED, kept.kept)
        reasons = (*kept.broken, *kept.kept)
    return Realised(
        version=watched.version,
        training_month=watched.training_month,
        verdict=verdict,
        reasons=(*reasons, *notes),
        decisive=(*decisive, *notes),
        figures=figures,
        promise=promise,
        rmse=kept.rmse if kept else None,
        spread=kept.spread if kept else None,
        slices=by_slice,
    )


def _notes(watched: Watched, trips: MonthTrips) -> Iterator[str]:
    """What a reader must know of the figures."""
    if watched.promise is None:
        yield "no promise is known: its evaluation is neither under the root nor in the registry"
    elif watched.promise.month == str(trips.month):
        yield "this is the month of its evaluation, whose figures are the promise"
    elif watched.promise.slices is None:
        yield "slices are not compared: those of its evaluation are not under the root any more"
    if not watched.training_month:
        yield "on which months it was trained is not known: these trips may be among them"
