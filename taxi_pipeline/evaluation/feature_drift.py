"""How far each feature of trips drifted from one time to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from taxi_pipeline.evaluation.divergence import (
    Counts,
    kolmogorov_smirnov,
    merge_bins,
    merge_categories,
    population_stability_index,
    shares,
    wasserstein,
)
from taxi_pipeline.evaluation.month_counts import Distribution, MonthCounts
from taxi_pipeline.model.feature_names import TARGET

STABLE, MODERATE, STRONG, TOO_FEW = "stable", "moderate", "strong", "too few trips"
"""The words for how far a feature drifted."""

MATTERS = 0.05
"""A feature matters to a model if this share of what moves its predictions is the feature's."""


@dataclass(frozen=True)
class Feature:
    """What is compared of the trips.

    Attributes:
        text: what it is.
        distribution: its name in :class:`taxi_pipeline.evaluation.month_counts.MonthCounts`.
        column: the published column, or columns, that it is made of.
        unit: of its values; empty for categories, which have no distance from each other.
    """

    text: str
    distribution: str
    column: str
    unit: str = ""


OF_ORIGIN = ("passengers", "rate_code", "trip_type")
"""What partial records lack: of these, the full records are compared."""

PICKUP = "pickup time"
FEATURES: dict[str, Feature] = {
    TARGET: Feature(
        "duration, which is predicted", "minutes", "pickup and drop-off time", "minutes"
    ),
    "miles": Feature("metered distance", "metered_miles", "trip_distance", "miles"),
    "hour": Feature("hour of the pickup", "hour", PICKUP, "hours"),
    "weekday": Feature("weekday of the pickup", "weekday", PICKUP),
    "pickup_zone": Feature("zone of the pickup", "pickup_zone", "PULocationID"),
    "dropoff_zone": Feature("zone of the drop-off", "dropoff_zone", "DOLocationID"),
    "passengers": Feature("number of passengers", "passengers", "passenger_count", "passengers"),
    "vendor": Feature("provider of the record", "vendor", "VendorID"),
    "rate_code": Feature("rate code", "rate_code", "RatecodeID"),
    "trip_type": Feature("street hail or dispatch", "trip_type", "trip_type"),
    "origin": Feature(
        "origin of the record, full or partial",
        "partial",
        "passenger_count, given or not",
    ),
}
"""The features that are compared."""


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature drifted.

    Attributes:
        feature: its name in :data:`FEATURES`.
        text: what it is.
        column: what it is made of.
        psi: population stability index; values that are missing count as a value of their own.
        ks: Kolmogorov and Smirnov's distance of the values that are known; None for categories.
        wasserstein: how far they moved on average, in the unit; likewise.
        unit: of the values; empty for categories.
        mean_before: of the values that are known, as far as bins tell; None for categories.
        mean_now: likewise.
        importance: minutes by which the model's predictions change, on average, if the feature's
            values are swapped among trips; None for what is predicted, and if there is no model.
        share: of the importance of all features; None likewise.
        verdict: one of the words above.
    """

    feature: str
    text: str
    column: str
    psi: float
    ks: float | None
    wasserstein: float | None
    unit: str
    mean_before: float | None
    mean_now: float | None
    importance: float | None
    share: float | None
    verdict: str

    @property
    def is_target(self) -> bool:
        """Whether it is what the model predicts."""
        return self.feature == TARGET

    @property
    def matters(self) -> bool:
        """Whether the model rests on it, or predicts it."""
        return self.is_target or (self.share is not None and self.share >= MATTERS)

    @property
    def drifted(self) -> bool:
        """Whether it is not stable."""
        return self.verdict in {MODERATE, STRONG}


@dataclass(frozen=True)
class Thresholds:
    """From which population stability index on a feature has drifted.

    Attributes:
        warn_psi: moderately.
        alert_psi: strongly.
        min_rows: trips that both sides must have for a verdict.
    """

    warn_psi: float = 0.1
    alert_psi: float = 0.25
    min_rows: int = 2000


def of_feature(part: MonthCounts, name: str) -> Distribution:
    """The distribution of a feature.

    What partial records lack does not count as missing, as long as any record has it: how many of
    these there are is a feature of its own.
    """
    found = part.distributions[FEATURES[name].distribution]
    if name not in OF_ORIGIN or not found.counts.total():
        return found
    partial = int(part.distributions["partial"].counts[1.0])
    return Distribution(found.counts, max(found.missing - partial, 0))


def aligned(before: Distribution, now: Distribution) -> tuple[Counts, Counts, Counts]:
    """The values of both in order, and the counts of each."""
    values = sorted(before.counts.keys() | now.counts.keys())
    first, second = (
        np.array([part.counts.get(value, 0) for value in values]) for part in (before, now)
    )
    return np.array(values), first, second


def drift_of_features(
    before: MonthCounts,
    now: MonthCounts,
    thresholds: Thresholds,
    importance: Mapping[str, float] | None,
) -> Iterator[FeatureDrift]:
    """How far each feature drifted that either side has; for the arguments see ``compare``."""
    total = sum((importance or {}).values())
    for name, feature in FEATURES.items():
        first, second = (of_feature(part, name) for part in (before, now))
        values, earlier, later = aligned(first, second)
        if not len(values):  # such as trip_type, which yellow taxis do not have
            continue
        both_known = earlier.sum() > 0 and later.sum() > 0
        merged = (earlier, later)
        if both_known:
            merge = merge_bins if feature.unit else merge_categories
            merged = merge(earlier, later)
        psi = population_stability_index(
            np.append(merged[0], first.missing), np.append(merged[1], second.missing)
        )
        is_number = bool(feature.unit) and both_known
        minutes = None
        if importance is not None and name != TARGET:
            minutes = importance.get(name, 0.0)
        yield FeatureDrift(
            feature=name,
            text=feature.text,
            column=feature.column,
            psi=round(psi, 6),
            ks=round(kolmogorov_smirnov(earlier, later), 6) if is_number else None,
            wasserstein=round(wasserstein(values, earlier, later), 6) if is_number else None,
            unit=feature.unit,
            mean_before=round(float(values @ shares(earlier)), 4) if is_number else None,
            mean_now=round(float(values @ shares(later)), 4) if is_number else None,
            importance=None if minutes is None else round(minutes, 6),
            share=round(minutes / total, 6) if minutes is not None and total else None,
            verdict=_verdict(psi, min(before.rows_kept, now.rows_kept), thresholds),
        )


def _verdict(psi: float, rows: int, thresholds: Thresholds) -> str:
    if rows < thresholds.min_rows:
        return TOO_FEW
    if psi >= thresholds.alert_psi:
        return STRONG
    return MODERATE if psi >= thresholds.warn_psi else STABLE


def ranked(features: Iterable[FeatureDrift]) -> list[FeatureDrift]:
    """The features by importance, or else by the index; what is predicted comes first."""
    return sorted(features, key=lambda one: (not one.is_target, -(one.share or 0.0), -one.psi))


def too_far(features: Iterable[FeatureDrift], max_psi: float) -> list[FeatureDrift]:
    """The features that matter and drifted beyond a population stability index.

    Those that less than :data:`MATTERS` of the predictions' movement rests on do not count, nor do
    those of months with too few trips for a verdict.
    """
    return [one for one in features if one.matters and one.psi > max_psi and one.verdict != TOO_FEW]


def in_words(feature: FeatureDrift) -> str:
    """A feature's drift in a few words."""
    text = f"{feature.text} (PSI {feature.psi:.3f}"
    if feature.mean_before is not None and feature.mean_now is not None:
        text += f", mean {feature.mean_before:.1f} before and {feature.mean_now:.1f} now"
    return f"{text})"
