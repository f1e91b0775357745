"""Drift: how a month differs from the months that a model was trained on, and whether it matters.

Pure comparison of two counts, see :mod:`taxi_pipeline.evaluation.month_counts`. How much a feature
matters to a model is told by :mod:`taxi_pipeline.evaluation.sensitivity`.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from taxi_pipeline.evaluation.divergence import population_stability_index, shares
from taxi_pipeline.evaluation.feature_drift import (
    FEATURES,
    TOO_FEW,
    FeatureDrift,
    Thresholds,
    aligned,
    drift_of_features,
    in_words,
    of_feature,
    ranked,
)
from taxi_pipeline.evaluation.month_counts import Distribution, MonthCounts
from taxi_pipeline.trips.schema import columns_to_read
from taxi_pipeline.trips.taxi_zones import taxi_zones

ZONES_SHOWN = 6
"""The zones of the largest gains, and of the largest losses, that are named."""


@dataclass(frozen=True)
class Change:
    """A share before and now.

    Attributes:
        name: of what.
        before: the share then.
        now: the share now.
        detail: what more there is to say of it.
    """

    name: str
    before: float
    now: float
    detail: str = ""


@dataclass(frozen=True)
class SchemaChange:
    """A published column that is not what it was.

    Attributes:
        column: its name.
        before: its type; empty if it was not there.
        now: its type; empty if it is gone.
        is_read: whether the pipeline reads it.
    """

    column: str
    before: str
    now: str
    is_read: bool


@dataclass(frozen=True)
class Drift:
    """A month beside the months before it.

    Attributes:
        month: the month.
        reference: the months that it is compared with, in words.
        model: whose predictions tell what matters; empty if there is no model.
        sentence: what moved most, and whether it matters.
        notes: what a reader must know of the figures.
        features: ranked by importance, what is predicted first.
        trips_per_day: before and now.
        kept: shares of the published rows that were kept, and that each rule dropped.
        missing: shares of the published rows without a value, by column, of those that changed.
        zones: shares of pickups and drop-offs, of the zones of the largest changes.
        schema: published columns that came, went or changed their type.
        days: trips by date, of the reference's last month and of the month.
        distributions: shares of the values of each feature, before and now, for charts.
    """

    month: str
    reference: str
    model: str
    sentence: str
    notes: tuple[str, ...]
    features: tuple[FeatureDrift, ...]
    trips_per_day: tuple[float, float]
    kept: tuple[Change, ...]
    missing: tuple[Change, ...]
    zones: Mapping[str, tuple[Change, ...]]
    schema: tuple[SchemaChange, ...]
    days: Mapping[str, Mapping[str, int]]
    distributions: Mapping[str, Mapping[str, Sequence[float]]]

    def as_dict(self) -> dict[str, Any]:
        """The drift as JSON values."""
        return asdict(self)


def compare(  # noqa: PLR0913  (each is a caller's to choose)
    before: MonthCounts,
    now: MonthCounts,
    thresholds: Thresholds,
    *,
    taxi: str,
    model: str = "",
    importance: Mapping[str, float] | None = None,
    notes: Iterable[str] = (),
) -> Drift:
    """How a month differs from those before it.

    Args:
        before: the months that it is compared with.
        now: the month.
        thresholds: from where on a feature has drifted.
        taxi: ``green`` or ``yellow``.
        model: the name of the model that is asked; empty if none is.
        importance: of its features, as of
            :func:`taxi_pipeline.evaluation.sensitivity.sensitivity`; None ranks by the index alone.
        notes: what there is to say beside what is found here.
    """
    features = tuple(ranked(drift_of_features(before, now, thresholds, importance)))
    return Drift(
        month=now.in_words,
        reference=before.in_words,
        model=model,
        sentence=_sentence(before, now, features, model if importance is not None else ""),
        notes=(*notes, *_notes(before, now, features, thresholds)),
        features=features,
        trips_per_day=(
            before.rows_kept / before.calendar_days,
            now.rows_kept / now.calendar_days,
        ),
        kept=tuple(_kept(before, now)),
        missing=tuple(_missing(before, now)),
        zones={
            name: tuple(_zones(before.distributions[name], now.distributions[name]))
            for name in ("pickup_zone", "dropoff_zone")
        },
        schema=tuple(_schema(before.columns, now.columns, taxi)),
        days={str(part.months[-1]): _days(part) for part in (before, now)},
        distributions=dict(_distributions(before, now)),
    )


# --- words ------------------------------------------------------------------------------------


def _sentence(
    before: MonthCounts, now: MonthCounts, features: Sequence[FeatureDrift], model: str
) -> str:
    beside = f"{now.in_words} beside {before.in_words}"
    most = max(features, key=lambda one: one.psi)
    if most.verdict == TOO_FEW:
        return f"{beside}: too few trips to tell; {in_words(most)} differs most"
    drifted = sorted((one for one in features if one.drifted), key=lambda one: -one.psi)
    if not drifted:
        return f"{beside}: no drift; {in_words(most)} differs most"
    text = f"{beside}: {in_words(most)} drifted most, {most.verdict}"
    if not model:
        return text
    others = [one for one in drifted if one.matters]
    return f"{text}, {_whether_it_matters(most, others, model)}"


def _whether_it_matters(most: FeatureDrift, others: Sequence[FeatureDrift], model: str) -> str:
    if most.is_target:
        return f"and it is what {model} predicts"
    share = f"{most.share or 0.0:.1%} of what moves the predictions of {model}"
    if most.matters:
        return f"and it matters: {share}"
    rest = "what matters is stable"
    if others:
        rest = f"of what matters, {in_words(others[0])} drifted most, {others[0].verdict}"
    return f"but it matters little: {share}; {rest}"


def _notes(
    before: MonthCounts,
    now: MonthCounts,
    features: Sequence[FeatureDrift],
    thresholds: Thresholds,
) -> Iterator[str]:
    fewest = min(before.rows_kept, now.rows_kept)
    if fewest < thresholds.min_rows:
        yield (
            f"There are {fewest:,} trips, and a verdict asks for {thresholds.min_rows:,} "
            "(`min_rows`): of fewer, shares differ by chance."
        )
    weekday = next((one for one in features if one.feature == "weekday"), None)
    if weekday is None:
        return
    first, second = (np.array([_calendar(part)[day] for day in range(7)]) for part in (before, now))
    calendars = population_stability_index(first, second)
    yield (
        f"Months begin on different weekdays: the calendar alone, with the same trips on each day, "
        f"would give weekdays a PSI of {calendars:.3f}; they have {weekday.psi:.3f}."
    )


def _calendar(part: MonthCounts) -> Counter[int]:
    """How often the months have each weekday, 0 for Monday."""
    days: Counter[int] = Counter()
    for month in part.months:
        first, length = calendar.monthrange(month.year, month.month)
        days.update((first + day) % 7 for day in range(length))
    return days


# --- what is told beside the features ---------------------------------------------------------


def _kept(before: MonthCounts, now: MonthCounts) -> Iterator[Change]:
    def share(part: MonthCounts, rows: int) -> float:
        return round(rows / max(part.rows_read, 1), 6)

    yield Change("kept", share(before, before.rows_kept), share(now, now.rows_kept))
    for rule in {**before.dropped, **now.dropped}:
        first, second = (share(part, part.dropped[rule]) for part in (before, now))
        if first or second:
            yield Change(f"dropped by {rule}", first, second)


def _missing(before: MonthCounts, now: MonthCounts) -> list[Change]:
    """Columns of both whose share of missing values is not the same to a tenth of a per cent."""
    found = []
    for name in before.nulls.keys() & now.nulls.keys():
        first, second = (
            round(part.nulls[name] / max(part.rows_read, 1), 6) for part in (before, now)
        )
        if round(first, 3) != round(second, 3):
            found.append(Change(name, first, second))
    return sorted(found, key=lambda one: (-abs(one.now - one.before), one.name))


def _zones(before: Distribution, now: Distribution) -> list[Change]:
    """The zones that lost and gained most, in the order of their change, losses first."""
    values, earlier, later = aligned(before, now)
    names = taxi_zones()
    changes = []
    for value, first, second in zip(values, shares(earlier), shares(later), strict=True):
        zone = names.get(int(value))
        name = zone.name if zone else f"zone {int(value)}"
        detail = f"{zone.borough}, zone {int(value)}" if zone else "no zone of TLC's"
        changes.append(Change(name, round(float(first), 6), round(float(second), 6), detail))
    changes.sort(key=lambda one: one.now - one.before)
    lost = [one for one in changes[:ZONES_SHOWN] if one.now < one.before]
    gained = [one for one in changes[-ZONES_SHOWN:] if one.now > one.before]
    return [*lost, *gained]


def _schema(before: Mapping[str, str], now: Mapping[str, str], taxi: str) -> Iterator[SchemaChange]:
    read = set(columns_to_read({**before, **now}, taxi))
    for name in {**before, **now}:
        first, second = before.get(name, ""), now.get(name, "")
        if first != second:
            yield SchemaChange(name, first, second, name in read)


def _days(part: MonthCounts) -> dict[str, int]:
    """Trips by date in the last of the months; a date without trips has none."""
    month = part.months[-1]
    days = range(1, calendar.monthrange(month.year, month.month)[1] + 1)
    dates = (str(date(month.year, month.month, day)) for day in days)
    return {day: part.days[day] for day in dates}


def _distributions(
    before: MonthCounts, now: MonthCounts
) -> Iterator[tuple[str, dict[str, list[float]]]]:
    for name in FEATURES:
        first, second = (of_feature(part, name) for part in (before, now))
        values, earlier, later = aligned(first, second)
        if len(values):
            totals = [max(part.counts.total() + part.missing, 1) for part in (first, second)]
            yield (
                name,
                {
                    "values": values.tolist(),
                    "before": np.round(earlier / totals[0], 6).tolist(),
                    "now": np.round(later / totals[1], 6).tolist(),
                    "missing": [
                        round(first.missing / totals[0], 6),
                        round(second.missing / totals[1], 6),
                    ],
                },
            )
