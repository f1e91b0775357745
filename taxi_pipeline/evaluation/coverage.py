"""Whether intervals hold as many trips as they say, and how long they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.bootstrap import Array
from taxi_pipeline.evaluation.slices import slice_trips
from taxi_pipeline.model.intervals import Intervals
from taxi_pipeline.model.regressors import Minutes

LEVEL = 0.9
"""The level at which parts of the month are looked at, and that is the run's metric."""

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""The levels that are measured on the month as a whole."""

MIN_SLICE_TRIPS = 500
"""A part of the month with no more trips is not judged by its coverage."""

WANTED, WANTED_IN_SLICES = (0.88, 0.92), (0.80, 0.97)
"""The coverage that is good enough at :data:`LEVEL`, of the whole month and of its parts."""

DOUBT = 0.2
"""How far the mean error may move, in expected errors, before exchangeability is in doubt."""


def measure_coverage(
    intervals: Intervals,
    evaluation: pd.DataFrame,
    predicted: Minutes,
    actual: Minutes,
    *,
    learned_bias: float,
) -> dict[str, Any]:
    """How many trips of the evaluation month lie within their intervals.

    Args:
        intervals: of the model.
        evaluation: features of the month's trips.
        predicted: minutes.
        actual: minutes.
        learned_bias: the mean of predicted less actual minutes of the trips that the intervals were
            learned from.

    Returns:
        ``level``; ``coverage``, ``below`` and ``above``: the shares of the trips that lie within,
        below and above; ``width``: the mean length in minutes; ``levels``: coverage and width of
        each of :data:`LEVELS`; ``slices``: likewise of each part of the month, with its ``rows``;
        ``learned_bias`` and ``bias``, that of this month; ``shift``: the difference of the two in
        expected errors, see :data:`DOUBT`.
    """
    low, high = intervals.bounds(evaluation, predicted, LEVEL)
    inside, width = (low <= actual) & (actual <= high), high - low
    below, above = float(np.mean(actual < low)), float(np.mean(actual > high))
    bias = float(np.mean(predicted - actual))
    return {
        "level": LEVEL,
        "rows": len(actual),
        "coverage": float(inside.mean()),
        "width": float(width.mean()),
        "below": below,
        "above": above,
        "levels": [
            _of_level(intervals.bounds(evaluation, predicted, level), actual, level)
            for level in LEVELS
        ],
        "learned_bias": learned_bias,
        "bias": bias,
        "shift": (bias - learned_bias) / float(intervals.spread(evaluation, predicted).mean()),
        "slices": list(_of_slices(evaluation, inside, width)),
    }


def _of_level(ends: tuple[Minutes, Minutes], actual: Minutes, level: float) -> dict[str, float]:
    low, high = ends
    return {
        "level": level,
        "coverage": float(np.mean((low <= actual) & (actual <= high))),
        "width": float(np.mean(high - low)),
    }


def _of_slices(evaluation: pd.DataFrame, inside: Array, width: Minutes) -> Iterator[dict[str, Any]]:
    for name, sliced in slice_trips(evaluation).items():
        rows = np.bincount(sliced.part, minlength=len(sliced.parts))
        sums = [np.bincount(sliced.part, one, len(sliced.parts)) for one in (inside, width)]
        for place in np.flatnonzero(rows):
            yield {
                "slice": name,
                "value": sliced.parts[place],
                "rows": int(rows[place]),
                "coverage": float(sums[0][place] / rows[place]),
                "width": float(sums[1][place] / rows[place]),
            }


def judged_slices(coverage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of the month with enough trips, each with whether its coverage is ``good``."""
    low, high = WANTED_IN_SLICES
    return [
        {**one, "good": low <= one["coverage"] <= high}
        for one in coverage["slices"]
        if one["rows"] > MIN_SLICE_TRIPS
    ]
