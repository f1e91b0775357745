"""How far apart two distributions are: counts of the same values, before and now.

All figures depend on shares alone, not on how many values were counted.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = "NDArray[Any]"

EMPTY_SHARE = 1e-4
"""A bin's share counts as no smaller than this, so that an empty bin has a logarithm."""

BINS = 10
"""Bins of a number's distribution. The customary thresholds are for about so many."""

MIN_CATEGORY_SHARE = 0.01
"""Categories with a smaller share, on average of both samples, are one category together."""


def population_stability_index(before: Counts, now: Counts) -> float:
    """The population stability index (PSI) of counts in the same bins.

    The sum over the bins of ``(p - q) ln(p / q)``, where p and q are the shares of a bin: the
    symmetric divergence of Jeffreys (1946), which credit scoring took over under this name
    (Siddiqi, Credit Risk Scorecards, 2006). By custom there is no change worth a look below 0.1,
    and a large one from 0.25 on (Siddiqi, and Lewis, An Introduction to Credit Scoring, 1994). A
    share below :data:`EMPTY_SHARE` counts as that: a bin that is empty on one side adds at most
    9.2, and 0.46 if the other side has a twentieth of the values there.

    Args:
        before: counts, of which at least one is not 0.
        now: likewise, of the same bins.

    Returns:
        0 for equal shares, more the further they are apart; the same if the two are exchanged.
    """
    p, q = (np.maximum(shares(counts), EMPTY_SHARE) for counts in (before, now))
    return float(np.sum((p - q) * np.log(p / q)))


def kolmogorov_smirnov(before: Counts, now: Counts) -> float:
    """The largest difference of the two cumulated shares, from 0 to 1.

    The statistic of Kolmogorov and Smirnov's test of two samples, of values as far as the bins tell
    them apart. ``scipy.stats.ks_2samp`` has no counts: it would need each value by itself. Its
    p-value is left out, since among so many trips any difference is beyond chance.

    Args:
        before: counts by value, in the values' order.
        now: likewise, of the same values.
    """
    return float(min(np.abs(np.cumsum(shares(before) - shares(now))).max(), 1.0))


def wasserstein(values: Counts, before: Counts, now: Counts) -> float:
    """How far the values moved on average, in their own unit (earth mover's distance).

    Args:
        values: a value for each bin, such as its middle.
        before: counts by value.
        now: likewise.
    """
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(values, values, before, now))


def shares(counts: Counts) -> Counts:
    """Each count as a share of their sum."""
    numbers = np.asarray(counts, dtype=np.float64)
    found: Counts = numbers / numbers.sum()
    return found


def merge_bins(before: Counts, now: Counts) -> tuple[Counts, Counts]:
    """Counts in about :data:`BINS` bins, each of neighbours that have a tenth of the values.

    The tenths are those of both samples together, which weigh the same: so no bin is empty on both
    sides, and it makes no difference which sample is which. (The tenths of the first sample alone,
    which are customary, would be as blind to where values beyond its last tenth went.)

    Args:
        before: counts by value, in the values' order.
        now: likewise, of the same values.
    """
    pooled = (shares(before) + shares(now)) / 2
    middles = np.cumsum(pooled) - pooled / 2
    groups = np.clip((middles * BINS).astype(np.int64), 0, BINS - 1)
    return np.bincount(groups, before), np.bincount(groups, now)


def merge_categories(before: Counts, now: Counts) -> tuple[Counts, Counts]:
    """Counts of the categories, those with few values in one that comes last."""
    pooled = (shares(before) + shares(now)) / 2
    large = pooled >= MIN_CATEGORY_SHARE
    first, second = (
        np.append(np.asarray(counts)[large], np.asarray(counts)[~large].sum())
        for counts in (before, now)
    )
    return first, second
