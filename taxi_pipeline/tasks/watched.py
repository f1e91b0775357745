"""What a registered version does in a month, and what its evaluation promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.evaluation.decay import why_not_counted
from taxi_pipeline.tasks.base import ModelStage
from taxi_pipeline.tasks.base.ledgers import ServingVersion
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.features import BuildFeatures
from taxi_pipeline.tasks.opponents import (
    evaluated_output,
    inputs_of,
    predict_as_champion,
    trained_output,
)

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.evaluation.monitoring import Watched
    from taxi_pipeline.evaluation.promise import Promise


def watch(
    task: ModelStage, version: ServingVersion, trips: Path, *, required: bool = True
) -> Watched:
    """What a version predicts for the trips of a task's month, unless it was trained on them.

    Args:
        task: that asks; of the same registered model.
        version: the version.
        trips: the file of TransformTrips.
        required: whether a version that can be loaded in no way is an error, rather than one that
            does not count.

    Raises:
        InvalidTraining: it can be loaded in no way.
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    from taxi_pipeline.evaluation.monitoring import Watched

    number, trained = version.version, version.training_month
    if why := why_not_counted(trained, task.calendar_month):
        return Watched(number, trained, why_not=why)
    try:
        minutes, _ = predict_as_champion(task, version, trips)
    except InvalidTraining as error:
        if required:
            raise InvalidTraining(f"{error}; name another with --model-version") from error
        return Watched(number, trained, why_not=str(error))
    return Watched(number, trained, minutes, promise=promise_of(task, version))


def promise_of(task: ModelStage, version: ServingVersion) -> Promise | None:
    """What the evaluation of a version found; None if that is not known.

    Args:
        task: that asks; of the same registered model.
        version: the version.

    Raises:
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    import pandas as pd

    from taxi_pipeline.evaluation.promise import Promise

    evaluated = evaluated_output(task.storage, task.taxi, version)
    if evaluated and evaluated.exists():
        figures = json.loads(evaluated.file(EvaluateModel.METRICS).read_text())
        slices = pd.read_parquet(evaluated.file(EvaluateModel.SLICES))
        return Promise(figures["evaluation_month"], figures["model"], slices, "its evaluation")

    from taxi_pipeline.tracking.evaluations import recorded_evaluation

    recorded = recorded_evaluation(task.server(), task.model_name, version.version)
    if recorded is None:
        return None
    return Promise(recorded.month, recorded.metrics, None, "its run in MLflow")


def window_trips(task: ModelStage, version: ServingVersion) -> Iterator[pd.DataFrame] | None:
    """Zones and minutes of the trips that a version was trained on, part by part.

    None if they are not there.

    Args:
        task: that asks; of the same registered model.
        version: the version.
    """
    from taxi_pipeline.evaluation.baselines import PAIR
    from taxi_pipeline.model.features import feature_parts

    trained = trained_output(task, version)
    outputs = inputs_of(trained, BuildFeatures) if trained else []
    if not outputs or not all(output.exists() for output in outputs):
        return None
    return feature_parts((output.file(BuildFeatures.FILE) for output in outputs), PAIR)
