"""Whether trips take as long as predicted, by what is predicted for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from taxi_pipeline.model.regressors import Minutes

EDGES = (*np.arange(5.0, 61.0, 5.0),)
"""Predicted minutes at which one bin ends and the next begins."""


def calibration(actual: Minutes, predicted: Minutes) -> pd.DataFrame:
    """The mean predicted and the mean actual minutes of each bin of predicted minutes.

    Returns:
        A row for each bin that has trips: ``from_minutes`` and ``below_minutes`` (null for the
        first and the last bin, which have one end only), ``rows``, ``predicted``, ``actual``.
    """
    bins = np.searchsorted(EDGES, predicted, side="right")
    rows = np.bincount(bins, minlength=len(EDGES) + 1)
    found = pd.DataFrame(
        {
            "from_minutes": [np.nan, *EDGES],
            "below_minutes": [*EDGES, np.nan],
            "rows": rows,
            "predicted": np.bincount(bins, predicted, len(rows)) / np.maximum(rows, 1),
            "actual": np.bincount(bins, actual, len(rows)) / np.maximum(rows, 1),
        }
    )
    return found[rows > 0].reset_index(drop=True)
