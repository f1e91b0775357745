"""The fit of a recipe on a whole training window."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from taxi_pipeline.model.components import describe_component
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.encoders import Batches
from taxi_pipeline.model.feature_files import FeatureFiles
from taxi_pipeline.model.feature_names import TARGET
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.model.regressors import Boosting, RoundProgress
from taxi_pipeline.processes import temporary_folder

if TYPE_CHECKING:
    from taxi_pipeline.compute.cluster import Cluster


def fit(  # noqa: PLR0913  (each is a choice of its own)
    recipe: str,
    trips: FeatureFiles | pd.DataFrame,
    parameters: Mapping[str, Any],
    rounds: int | None,
    *,
    taxi: str,
    max_miles: float,
    seed: int,
    threads: int,
    device: str = "cpu",
    external_memory: bool = False,
    progress: RoundProgress | None = None,
    cluster: Cluster | None = None,
) -> DurationModel:
    """The model of a recipe, fitted on all the trips given.

    Args:
        recipe: the recipe's name.
        trips: in the recipe's ``training_columns`` and ``minutes``. Those of files are read batch
            by batch if encoder and regressor can learn so.
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        taxi: ``green`` or ``yellow``.
        max_miles: from this metered distance on, the distance counts as unknown.
        seed: seed of the encoder and of the regressor.
        threads: threads of the fit.
        device: where trees are boosted, ``cpu`` or ``cuda``.
        external_memory: keep the binned trips in temporary files instead of in memory. The model
            is the same.
        progress: called after each boosting round.
        cluster: where trees are boosted; None for this process. The encoder, and any other
            regressor, learns here.

    Raises:
        ClusterError: the cluster was lost, or its workers died again and again.
        InvalidRecipe: there is no such recipe, or a class of its own could not be loaded again.
        InvalidTraining: the trips do not allow a fit.
        OSError: there is no room for temporary files.
    """
    chosen = get_recipe(recipe)
    encoder = chosen.encoder(seed)
    regressor = chosen.regressor(parameters, threads, seed)
    # What could not be saved is better known before the fit than after it.
    for component in (encoder, regressor):
        describe_component(component)
    if isinstance(regressor, Boosting):
        regressor.parameters["device"] = device
    if cluster is not None and isinstance(regressor, Boosting):
        from taxi_pipeline.model.cluster_boosting import boost

        regressor.boost_elsewhere = partial(boost, cluster)
    with temporary_folder() if external_memory else nullcontext() as folder:
        if isinstance(regressor, Boosting):
            regressor.bins_folder = folder
        if _in_batches(encoder, "fit_transform", "out_of_fold") and _in_batches(
            regressor, "fit", "fit_batches"
        ):
            _fit_in_batches(encoder, regressor, trips, rounds, progress)
        else:
            features = trips.read() if isinstance(trips, FeatureFiles) else trips
            minutes = features[TARGET].to_numpy()
            matrix = encoder.fit_transform(features, minutes)
            regressor = regressor.fit(matrix, minutes, rounds, progress)
    return DurationModel(
        recipe=recipe,
        recipe_version=chosen.version,
        taxi=taxi,
        max_miles=max_miles,
        encoder=encoder,
        regressor=regressor,
    )


def boosts(recipe: str) -> bool:
    """Whether the model of a recipe grows trees, which a cluster can do.

    Args:
        recipe: the recipe's name.

    Raises:
        InvalidRecipe: there is no such recipe.
    """
    return isinstance(get_recipe(recipe).regressor(), Boosting)


def _in_batches(component: object, whole: str, batches: str) -> bool:
    """Whether a component learns batch by batch what it learns of the whole.

    A subclass that has its own way with the whole, and none with batches, is given the whole.
    """
    owner = next((kind for kind in type(component).__mro__ if whole in vars(kind)), object)
    return batches in vars(owner)


def _fit_in_batches(
    encoder: Any,
    regressor: Any,
    trips: FeatureFiles | pd.DataFrame,
    rounds: int | None,
    progress: RoundProgress | None,
) -> None:
    """Fit encoder and regressor; what is one batch is read and encoded once."""
    batches: Batches
    if isinstance(trips, FeatureFiles):
        batches, rows = trips if len(trips) > 1 else list(trips), trips.rows
    else:
        batches, rows = [(trips, trips[TARGET].to_numpy())], len(trips)
    encoder.learn(batches)

    def draw(number: int) -> Batches:
        encoded: Batches = encoder.out_of_fold(batches, number)
        return list(encoded) if len(encoded) == 1 else encoded

    regressor.fit_batches(draw, rows, rounds, progress)
