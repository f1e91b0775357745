"""Metrics of parts of a month: by hour, weekday, distance and origin of the record."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from taxi_pipeline.evaluation.metrics import metrics
from taxi_pipeline.model.regressors import Minutes

MILES_EDGES = (0, 1, 2, 3, 5, 8, 12, 20, np.inf)


def slices(evaluation: pd.DataFrame, actual: Minutes, predicted: Minutes) -> pd.DataFrame:
    """The metrics of each part of the evaluation month, one row a part."""
    groups = {
        "hour": evaluation["hour"],
        "weekday": evaluation["weekday"],
        "miles": _bands(evaluation["miles"]),
        "origin": evaluation["partial"].map({0.0: "full record", 1.0: "partial record"}),
    }
    rows = []
    for name, group in groups.items():
        for value in group.dropna().sort_values().unique():
            part = (group == value).to_numpy()
            figures = metrics(actual[part], predicted[part])
            rows.append({"slice": name, "value": value, "rows": int(part.sum()), **figures})
    return pd.DataFrame(rows)


def _bands(miles: pd.Series[Any]) -> pd.Series[Any]:
    """The distance band of each trip, in order; the last is for unknown distances."""
    names = [f"{low:g} to {high:g}" for low, high in pairwise(MILES_EDGES)]
    bands = pd.cut(miles, MILES_EDGES, labels=names)
    return bands.cat.add_categories("unknown").fillna("unknown")
