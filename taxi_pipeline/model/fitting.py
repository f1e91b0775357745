"""The fit of a recipe on a whole training window."""

from __future__ import annotations

import pandas as pd

from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.model.regressors import Progress
from taxi_pipeline.tuning.results import TuningResult


def fit(  # noqa: PLR0913  (each is a choice of its own)
    recipe: str,
    features: pd.DataFrame,
    choice: TuningResult,
    *,
    taxi: str,
    max_miles: float,
    seed: int,
    threads: int,
    progress: Progress | None = None,
) -> DurationModel:
    """The recipe's model, fitted on all trips given with the parameters chosen."""
    minutes = features[TARGET].to_numpy()
    encoder = RECIPES[recipe].encoder(seed)
    matrix = encoder.fit_transform(features, minutes)
    regressor = RECIPES[recipe].regressor(choice.parameters, threads, seed)
    return DurationModel(
        recipe=recipe,
        taxi=taxi,
        max_miles=max_miles,
        encoder=encoder,
        regressor=regressor.fit(matrix, minutes, choice.rounds, progress),
    )
