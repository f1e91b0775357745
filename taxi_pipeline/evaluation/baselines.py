"""Baselines: predictions without a model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.regressors import Minutes

PAIR = ["pickup_zone", "dropoff_zone"]


def baselines(training: pd.DataFrame, evaluation: pd.DataFrame) -> dict[str, Minutes]:
    """Predictions without a model, learned from the training window.

    ``mean`` is the mean duration. ``zone_pair`` is the mean duration of the same pair of zones;
    where the pair did not occur, the mean of the pickup zone, and else the overall mean.
    """
    mean = float(training[TARGET].mean())
    by_pair = training.groupby(PAIR)[TARGET].mean()
    by_pickup = training.groupby(PAIR[0])[TARGET].mean()
    pairs = pd.MultiIndex.from_frame(evaluation[PAIR])
    of_pair = by_pair.reindex(pairs).to_numpy(np.float64)
    of_pickup = by_pickup.reindex(evaluation[PAIR[0]]).fillna(mean).to_numpy(np.float64)
    return {
        "mean": np.full(len(evaluation), mean),
        "zone_pair": np.where(np.isnan(of_pair), of_pickup, of_pair),
    }
