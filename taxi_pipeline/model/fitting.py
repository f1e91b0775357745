"""The fit of a recipe on a whole training window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from taxi_pipeline.model.components import describe_component
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.features import TARGET
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.model.regressors import RoundProgress


def fit(  # noqa: PLR0913  (each is a choice of its own)
    recipe: str,
    features: pd.DataFrame,
    parameters: Mapping[str, Any],
    rounds: int | None,
    *,
    taxi: str,
    max_miles: float,
    seed: int,
    threads: int,
    progress: RoundProgress | None = None,
) -> DurationModel:
    """The model of a recipe, fitted on all the trips given.

    Args:
        recipe: the recipe's name.
        features: the trips, in the recipe's ``training_columns`` and ``minutes``.
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        taxi: ``green`` or ``yellow``.
        max_miles: from this metered distance on, the distance counts as unknown.
        seed: seed of the encoder and of the regressor.
        threads: threads of the fit.
        progress: called after each boosting round.

    Raises:
        InvalidRecipe: there is no such recipe, or a class of its own could not be loaded again.
        InvalidTraining: the trips do not allow a fit.
    """
    minutes = features[TARGET].to_numpy()
    chosen = get_recipe(recipe)
    encoder = chosen.encoder(seed)
    regressor = chosen.regressor(parameters, threads, seed)
    # What could not be saved is better known before the fit than after it.
    for component in (encoder, regressor):
        describe_component(component)
    matrix = encoder.fit_transform(features, minutes)
    return DurationModel(
        recipe=recipe,
        recipe_version=chosen.version,
        taxi=taxi,
        max_miles=max_miles,
        encoder=encoder,
        regressor=regressor.fit(matrix, minutes, rounds, progress),
    )
