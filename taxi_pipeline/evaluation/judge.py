"""The gate's verdict on a candidate: beside every baseline, and beside the serving champion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array, day_numbers
from taxi_pipeline.evaluation.comparison import (
    Difference,
    compare,
    compare_sums,
    paired_sums,
)
from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED, apply_gate, best_baseline
from taxi_pipeline.evaluation.metrics import metrics_with_intervals
from taxi_pipeline.evaluation.slices import slice_trips
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.month import Month

SLICES_NAMED = 3
"""Slices that a reason names: those with the largest losses."""


@dataclass(frozen=True)
class Rules:
    """What a candidate must show to become champion.

    Attributes:
        min_gain: the share by which its RMSE must be below that of the best baseline.
        min_champion_gain: the share by which it must be below that of the champion. At 0 it is
            enough that it is not worse beyond noise.
        max_slice_loss: the share by which its RMSE in a slice may be above that of the champion.
        min_slice_trips: slices with fewer trips are not compared.
    """

    min_gain: float
    min_champion_gain: float
    max_slice_loss: float
    min_slice_trips: int


@dataclass(frozen=True)
class SliceDifference:
    """The candidate beside the champion in a part of the month.

    Attributes:
        slice: how the month is cut.
        value: the part's name.
        rows: its trips.
        rmse: minutes, of the candidate.
        champion_rmse: minutes, of the champion.
        difference: of their RMSE.
        loses: whether the candidate loses more than is allowed, beyond noise.
    """

    slice: str
    value: str
    rows: int
    rmse: float
    champion_rmse: float
    difference: Difference
    loses: bool

    @property
    def loss(self) -> float:
        """The share by which the candidate's RMSE is above the champion's."""
        return self.difference.value / self.champion_rmse if self.champion_rmse else 0.0


@dataclass(frozen=True)
class Judgement:
    """The verdict on a candidate, and what led to it.

    Attributes:
        verdict: PROMOTED, KEPT (registered, but not champion) or REJECTED (a baseline is better).
        reasons: one for each thing that was looked at, in words.
        decisive: those of them that led to the verdict.
        baselines: the differences to each baseline, by its name.
        champion: those to the champion; empty if it was not compared.
        slices: those to the champion in parts of the month.
        champion_figures: the metrics of the champion on the same trips, with the ends of their
            intervals; empty if it was not compared.
    """

    verdict: str
    reasons: tuple[str, ...]
    decisive: tuple[str, ...]
    baselines: Mapping[str, Mapping[str, Difference]]
    champion: Mapping[str, Difference]
    slices: tuple[SliceDifference, ...]
    champion_figures: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """The judgement as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Opponent:
    """The champion as a candidate is compared with it.

    Attributes:
        name: in a few words, such as ``version 3 of 2021-01``.
        minutes: what it predicts for the candidate's evaluation month; None if it is not compared.
        why_not: why not, in words; empty if nothing speaks against the candidate for that.
    """

    name: str
    minutes: Minutes | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Evaluated:
    """A candidate's evaluation.

    Attributes:
        figures: ``model`` and ``baselines``, the metrics of each on the evaluation month.
        predictions: of candidate and baselines, a row for each trip of the evaluation month, as of
            :class:`taxi_pipeline.evaluation.report.Evaluation`.
        features: of the same trips, by which the parts of the month are told.
        month: the evaluation month.
    """

    figures: Mapping[str, Any]
    predictions: pd.DataFrame
    features: pd.DataFrame
    month: Month


def judge(
    evaluated: Evaluated,
    opponent: Opponent | None,
    rules: Rules,
    objections: Sequence[str] = (),
) -> Judgement:
    """The verdict on a candidate.

    Args:
        evaluated: the candidate.
        opponent: the champion; None if there is none.
        rules: what the candidate must show.
        objections: what else speaks against it; with any it does not become champion.
    """
    figures, predictions = evaluated.figures, evaluated.predictions
    days = day_numbers(predictions["pickup_day"].to_numpy(), evaluated.month)
    actual, predicted = (_minutes(predictions, name) for name in ("actual", "predicted"))
    baselines = {
        name: compare(actual, predicted, _minutes(predictions, f"{name}_baseline"), days)
        for name in figures["baselines"]
    }
    passed, reason = apply_gate(figures["model"], figures["baselines"], rules.min_gain)
    beside = baselines[best_baseline(figures["baselines"])]["rmse"]
    reason = f"{reason} (difference {_in_words(beside)})"
    champion: dict[str, Difference] = {}
    champion_figures: dict[str, float] = {}
    slices: tuple[SliceDifference, ...] = ()
    against, for_it = [], ["there is no champion to compare it with"]
    if opponent is not None and opponent.minutes is not None:
        champion = compare(actual, predicted, opponent.minutes, days)
        champion_figures = metrics_with_intervals(actual, opponent.minutes, days)
        minutes = (actual, predicted, opponent.minutes)
        slices = tuple(_slices(evaluated.features, minutes, days, rules))
        rmse = _rmse(actual, opponent.minutes)
        good, text = _beside_champion(champion["rmse"], rmse, opponent.name, rules)
        losses = _losses(slices, opponent.name, rules)
        for_it = [text] if good else []
        against = ([] if good else [text]) + losses
    elif opponent is not None:
        for_it, against = ([], [opponent.why_not]) if opponent.why_not else ([opponent.name], [])
    against = [*against, *objections]
    if not passed:
        verdict, decisive = REJECTED, [reason]
    elif against:
        verdict, decisive = KEPT, against
    else:
        verdict, decisive = PROMOTED, [reason, *for_it]
    return Judgement(
        verdict,
        (reason, *for_it, *against),
        tuple(decisive),
        baselines,
        champion,
        slices,
        champion_figures,
    )


def _minutes(predictions: pd.DataFrame, name: str) -> Minutes:
    minutes: Minutes = predictions[name].to_numpy(dtype=np.float64)
    return minutes


def _rmse(actual: Minutes, predicted: Minutes) -> float:
    return float(np.sqrt(np.mean(np.square(predicted - actual))))


def _beside_champion(
    difference: Difference, rmse: float, name: str, rules: Rules
) -> tuple[bool, str]:
    """Whether a candidate may take over from a champion, and the sentence that says so.

    Args:
        difference: of the candidate's RMSE to the champion's.
        rmse: of the champion.
        name: of the champion.
        rules: what the candidate must show.
    """
    low, high = difference.interval or (difference.value, difference.value)
    least = rules.min_champion_gain
    if least > 0:
        good = -difference.value >= least * rmse and high < 0
        asked = f"`min_champion_gain` asks for {least:.1%} below, beyond noise"
    else:
        good = low <= 0
        asked = "not worse beyond noise" if good else "worse beyond noise"
    share = abs(difference.value) / rmse if rmse else 0.0
    side = "below" if difference.value < 0 else "above"
    return good, (
        f"RMSE {share:.1%} {side} that of the champion, {name}, which has {rmse:.4f} minutes on "
        f"the same trips (difference {_in_words(difference)}): {asked}"
    )


def _slices(
    features: pd.DataFrame, minutes: tuple[Minutes, Minutes, Minutes], days: Array, rules: Rules
) -> Iterator[SliceDifference]:
    """The candidate beside the champion in each part of the month that has enough trips.

    Args:
        features: by which the parts are told.
        minutes: those that the trips took, and those that candidate and champion predict.
        days: the number of each trip's day.
        rules: what the candidate must show.
    """
    number = int(days.max()) + 1
    for name, sliced in slice_trips(features).items():
        # Of all parts at once: a part's trips by themselves would be copies of most of the month.
        sums = paired_sums(*minutes, sliced.part * number + days)
        for place, part in enumerate(sliced.parts):
            own = sums[:, place * number : (place + 1) * number]
            own = own[:, own[0] > 0]
            if own.shape[1] == 0 or own[0].sum() < rules.min_slice_trips:
                continue
            compared = compare_sums([own])
            difference = compared.rmse
            allowed = rules.max_slice_loss * compared.second_rmse
            yield SliceDifference(
                slice=name,
                value=part,
                rows=compared.rows,
                rmse=compared.first_rmse,
                champion_rmse=compared.second_rmse,
                difference=difference,
                # Of some eighty parts a few lose by chance: the whole interval must be a loss.
                loses=difference.interval is not None and difference.interval[0] > allowed,
            )


def _losses(slices: tuple[SliceDifference, ...], name: str, rules: Rules) -> list[str]:
    """The sentence that names the slices in which a candidate loses too much, if there are any."""
    worst = sorted((one for one in slices if one.loses), key=lambda one: -one.loss)
    if not worst:
        return []
    named = ", ".join(
        f"{one.slice} {one.value} ({one.loss:.1%} above, {one.rows:,} trips)"
        for one in worst[:SLICES_NAMED]
    )
    more = f" and {len(worst) - SLICES_NAMED} more" if len(worst) > SLICES_NAMED else ""
    sentence = (
        f"RMSE above that of the champion, {name}, by more than `max_slice_loss` "
        f"({rules.max_slice_loss:.1%}) beyond noise in {named}{more}"
    )
    return [sentence]


def _in_words(difference: Difference) -> str:
    if difference.interval is None:
        return f"{difference.value:+.4f} minutes, of too few days for an interval"
    low, high = difference.interval
    return f"{difference.value:+.4f} minutes, 95 % interval {low:+.4f} to {high:+.4f}"
