"""What a champion predicts, wherever its model is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline.errors import InvalidRecipe, InvalidTraining
from taxi_pipeline.logger import logger
from taxi_pipeline.storage import Output, layout
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.base.ledgers import ServingVersion
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.train import TrainModel

if TYPE_CHECKING:
    from taxi_pipeline.model.regressors import Minutes


def predict_as_champion(
    task: RecipeStage, champion: ServingVersion, trips: Path
) -> tuple[Minutes, str]:
    """What a champion predicts for clean trips, and how it was loaded.

    Its model is the one that was trained under the root. If that is gone, or if its features mean
    something else than this code's, it is loaded as MLflow packaged it.

    Args:
        task: that asks; of the same registered model.
        champion: whose model it is.
        trips: the file of TransformTrips.

    Raises:
        InvalidTraining: it can be loaded in no way.
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    import pyarrow.parquet as pq

    from taxi_pipeline.model.duration import DurationModel
    from taxi_pipeline.tracking.packaged import predict_packaged
    from taxi_pipeline.trips import schema

    table = pq.read_table(trips)
    task.report(f"the champion predicts {table.num_rows:,} trips")
    if trained := trained_output(task, champion):
        try:
            model = DurationModel.load(trained.file(TrainModel.MODEL), task.thread_count)
        except (InvalidTraining, InvalidRecipe) as error:
            logger.warning("%s: %s; it is loaded as MLflow packaged it", task.label, error)
        else:
            return model.predict_trips(table), "from the storage"
    published = schema.published(table, task.taxi)
    minutes = predict_packaged(task.server(), task.model_name, champion.version, published)
    return minutes, "as MLflow packaged it"


def trained_output(task: RecipeStage, champion: ServingVersion) -> Output | None:
    """The output of TrainModel that a champion is; None if it is not under the root (any more).

    It may have been trained on another window than the task's.
    """
    storage, month = task.storage, champion.training_month
    evaluations = layout.task_dir(EvaluateModel.stage, task.taxi, month)
    for variant in storage.list_dirs(evaluations):
        task_dir = layout.task_dir(EvaluateModel.stage, task.taxi, month, variant)
        found = Output(storage, layout.output_dir(task_dir, champion.candidate_key))
        if champion.candidate_key and storage.exists(layout.manifest_file(found.location)):
            inputs = found.manifest()["identity"]["inputs"]
            (key,) = (key for label, key in inputs.items() if label.startswith("TrainModel "))
            task_dir = layout.task_dir(TrainModel.stage, task.taxi, month, variant)
            trained = Output(storage, layout.output_dir(task_dir, key))
            return trained if trained.exists() else None
    return None
