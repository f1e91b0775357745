"""The errors of predictions, and how sure each figure is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from taxi_pipeline.evaluation.bootstrap import Array, draws, intervals, sums_by_day
from taxi_pipeline.model.regressors import Minutes

QUANTILES = {"median_abs_error": 0.5, "p90_abs_error": 0.9}
"""The quantiles of the absolute error that are reported."""

WITHIN = {"within_2_minutes": 2.0, "within_5_minutes": 5.0}
"""The absolute errors, in minutes, up to which the share of the trips is reported."""

BINS = 600
"""Bins of the histograms from which the replicates' quantiles are read."""

ROUNDING = 1e-12
"""The share of a mean square below which a variance is nothing but rounding."""

REACH = 3.0
"""How far the bins of equal width go, in 90th percentiles of the absolute error."""


def metrics(actual: Minutes, predicted: Minutes) -> dict[str, float]:
    """The errors of predictions, in minutes but for ``r2`` and the shares.

    ``rmse`` root mean square error, ``mae`` mean absolute error, ``r2`` coefficient of
    determination (0 where the actual values do not vary), ``median_abs_error`` and
    ``p90_abs_error`` the absolute errors that half and nine of ten predictions keep below, ``bias``
    mean of predicted less actual, ``within_2_minutes`` and ``within_5_minutes`` the share of the
    trips whose absolute error is that or less.
    """
    return _figures(actual, predicted, _sums(actual, predicted, np.zeros(len(actual), np.int64)))


def metrics_with_intervals(actual: Minutes, predicted: Minutes, days: Array) -> dict[str, float]:
    """The same, and the ends of each figure's 95 % interval, such as ``rmse_low``, ``rmse_high``.

    There are no intervals for fewer than :data:`taxi_pipeline.evaluation.bootstrap.MIN_DAYS` days.

    Args:
        actual: minutes.
        predicted: minutes.
        days: as of :func:`taxi_pipeline.evaluation.bootstrap.day_numbers`.
    """
    sums = _sums(actual, predicted, days)
    figures = _figures(actual, predicted, sums)
    number = sums.shape[1]
    drawn = draws(number)
    replicates = {**_of_sums(sums @ drawn), **_quantiles(actual, predicted, days, figures, drawn)}
    lows, highs = intervals(np.array([replicates[name] for name in figures]), number)
    measured = {}
    for (name, value), low, high in zip(figures.items(), lows, highs, strict=True):
        measured[name] = value
        if np.isfinite(low):
            measured |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return measured


def _figures(actual: Minutes, predicted: Minutes, sums: Array) -> dict[str, float]:
    absolute = np.abs(predicted - actual)
    values = np.quantile(absolute, list(QUANTILES.values()))
    found = {**_of_sums(sums.sum(axis=1)), **dict(zip(QUANTILES, values, strict=True))}
    order = ("rmse", "mae", "r2", *QUANTILES, "bias", *WITHIN)
    return {name: float(found[name]) for name in order}


def _sums(actual: Minutes, predicted: Minutes, days: Array) -> Array:
    """What :func:`_of_sums` reads, summed by day."""
    return np.concatenate([sums_by_day(days, term) for term in _terms(actual, predicted)])


def _terms(actual: Minutes, predicted: Minutes) -> Iterator[Array | None]:
    """One after the other: of many trips each takes much memory."""
    yield None
    error = predicted - actual
    yield error
    yield np.abs(error)
    yield np.square(error)
    for limit in WITHIN.values():
        yield np.abs(error) <= limit
    del error
    # Around their mean: the variance is not lost to the size of the values.
    around = actual - actual.mean()
    yield around
    yield np.square(around)


def _of_sums(sums: Array) -> Mapping[str, Array]:
    """The figures that follow from sums over trips."""
    trips, error, absolute, square, *within, around, around_square = sums
    mean_square = square / trips
    variance = around_square / trips - np.square(around / trips)
    # Where they do not vary the difference is what rounding leaves.
    varies = variance > ROUNDING * around_square / trips
    unexplained = np.divide(mean_square, variance, out=np.ones_like(mean_square), where=varies)
    return {
        "rmse": np.sqrt(mean_square),
        "mae": absolute / trips,
        "r2": 1 - unexplained,
        "bias": error / trips,
        **{name: count / trips for name, count in zip(WITHIN, within, strict=True)},
    }


def _quantiles(
    actual: Minutes, predicted: Minutes, days: Array, figures: Mapping[str, float], drawn: Array
) -> dict[str, Array]:
    """Quantiles of the absolute error in each replicate, from a histogram for each day."""
    absolute = np.abs(predicted - actual)
    width = REACH * figures["p90_abs_error"] / BINS or 1.0
    bins = np.minimum(absolute / width, BINS).astype(np.int64)
    histograms = np.bincount(days * (BINS + 1) + bins, minlength=len(drawn) * (BINS + 1))
    cumulative = np.cumsum(histograms.reshape(-1, BINS + 1), axis=1).T
    edges = np.arange(BINS + 2) * width
    edges[-1] = max(edges[-1], absolute.max())
    found = {}
    for name, share in QUANTILES.items():
        measured = _read_quantile(cumulative.sum(axis=1, keepdims=True), edges, share)
        replicates = _read_quantile(cumulative @ drawn, edges, share)
        # What the bins blur is the same in both, and so not in their difference.
        found[name] = np.maximum(figures[name] + replicates - measured, 0)
    return found


def _read_quantile(cumulative: Array, edges: Array, share: float) -> Array:
    """The quantile of each column of cumulative counts by bin, straight within a bin."""
    wanted = share * cumulative[-1]
    place = (cumulative < wanted).sum(axis=0)
    column = np.arange(cumulative.shape[1])
    before = np.where(place > 0, cumulative[place - 1, column], 0)
    part = (wanted - before) / (cumulative[place, column] - before)
    value: Array = edges[place] + part * (edges[place + 1] - edges[place])
    return value
