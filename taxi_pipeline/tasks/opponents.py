"""What a champion predicts, wherever its model is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidRecipe, InvalidTraining
from taxi_pipeline.identity import is_key
from taxi_pipeline.logger import logger
from taxi_pipeline.storage import Output, Storage, layout, open_storage
from taxi_pipeline.tasks.base import ModelStage, Stage
from taxi_pipeline.tasks.base.ledgers import ServingVersion
from taxi_pipeline.tasks.base.recipe import model_name, tracking_server
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.train import TrainModel

if TYPE_CHECKING:
    import pyarrow as pa

    from taxi_pipeline.model.duration import DurationModel
    from taxi_pipeline.model.regressors import Minutes
    from taxi_pipeline.model.scoring import Predict


def predict_as_champion(
    task: ModelStage, champion: ServingVersion, trips: Path
) -> tuple[Minutes, str]:
    """What a champion predicts for clean trips, read batch by batch, and how it was loaded.

    Args:
        task: that asks; of the same registered model.
        champion: whose model it is.
        trips: the file of TransformTrips.

    Raises:
        InvalidTraining: it can be loaded in no way.
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from taxi_pipeline.model.features import PART_ROWS

    file = pq.ParquetFile(trips)
    task.report(f"the champion predicts {file.metadata.num_rows:,} trips")
    with load_version(task.taxi, task.recipe, champion, task.thread_count) as (predict, loaded):
        parts = map(pa.Table.from_batches, ([batch] for batch in file.iter_batches(PART_ROWS)))
        return np.concatenate([predict(part) for part in parts]), loaded


@contextlib.contextmanager
def load_version(
    taxi: str,
    recipe: str,
    version: ServingVersion,
    threads: int,
    interval: float | None = None,
) -> Iterator[tuple[Predict, str]]:
    """What predicts as a version of a registered model, and how it was loaded.

    Its model is the one that was trained under the root. If that is gone, or if its features mean
    something else than this code's, it is loaded as MLflow packaged it.

    Args:
        taxi: ``green`` or ``yellow``.
        recipe: the recipe of the model.
        version: the version.
        threads: of a prediction.
        interval: the level of the intervals to answer with; None for minutes alone.

    Raises:
        InvalidParameter: the version has no intervals.
        InvalidTraining: it can be loaded in no way.
        TrackingError: it is no more than in MLflow, whose server cannot be reached.
    """
    from taxi_pipeline.model.duration import DurationModel

    name = model_name(taxi, recipe)
    storage = open_storage(config.storage().root)
    trained = _trained_output(storage, taxi, version)
    calibrated = None if interval is None else _calibrated_output(storage, taxi, version)
    if trained and (interval is None or calibrated):
        try:
            model = DurationModel.load(trained.file(TrainModel.MODEL), threads)
        except (InvalidTraining, InvalidRecipe) as error:
            logger.warning("%s: %s; it is loaded as MLflow packaged it", name, error)
        else:
            yield _predict(model, calibrated, interval), "from the storage"
            return

    from taxi_pipeline.tracking.packaged import packaged_model
    from taxi_pipeline.trips import schema

    with packaged_model(tracking_server(), name, version.version, interval) as predict:
        yield lambda trips: predict(schema.published(trips, taxi)), "as MLflow packaged it"


def _predict(model: DurationModel, calibrated: Output | None, interval: float | None) -> Predict:
    """What predicts the minutes of trips or, beside them, the ends of their intervals."""
    if calibrated is None or interval is None:
        return model.predict_trips

    import numpy as np

    from taxi_pipeline.model.features import compute_features
    from taxi_pipeline.model.intervals import Intervals

    intervals = Intervals.load(calibrated.file(CalibrateIntervals.FILE))

    def with_intervals(trips: pa.Table) -> Minutes:
        features = compute_features(trips, model.max_miles).to_pandas()
        minutes = model.predict(features)
        return np.column_stack([minutes, *intervals.bounds(features, minutes, interval)])

    return with_intervals


def trained_output(task: ModelStage, champion: ServingVersion) -> Output | None:
    """The output of TrainModel that a champion is; None if it is not under the root (any more).

    It may have been trained on another window than the task's.
    """
    return _trained_output(task.storage, task.taxi, champion)


def window_months(taxi: str, version: ServingVersion) -> int | None:
    """How many months a version was trained on, as its evaluation under the root says.

    None if the root does not hold that (any more).
    """
    storage = open_storage(config.storage().root)
    found = evaluated_output(storage, taxi, version)
    return int(found.manifest()["identity"]["parameters"]["window"]) if found else None


def _trained_output(storage: Storage, taxi: str, version: ServingVersion) -> Output | None:
    evaluated = evaluated_output(storage, taxi, version)
    if evaluated is None:
        return None
    (trained,) = inputs_of(evaluated, TrainModel)
    return trained if trained.exists() else None


def evaluated_output(storage: Storage, taxi: str, version: ServingVersion) -> Output | None:
    """The output of EvaluateModel that a version is; None if it is not under the root (any more).

    Args:
        storage: the root.
        taxi: ``green`` or ``yellow``.
        version: the version.
    """
    month = version.training_month
    evaluations = layout.task_dir(EvaluateModel.stage, taxi, month)
    for variant in storage.list_dirs(evaluations):
        task_dir = layout.task_dir(EvaluateModel.stage, taxi, month, variant)
        found = Output(storage, layout.output_dir(task_dir, version.candidate_key))
        if version.candidate_key and storage.exists(layout.manifest_file(found.location)):
            return found
    return None


def inputs_of(output: Output, stage: type[Stage]) -> list[Output]:
    """The outputs of a stage that an output was made from; they need not be there any more."""
    inputs = output.manifest()["identity"]["inputs"]
    return [
        Output(output.storage, layout.output_dir(_task_dir(stage, label), key))
        for label, key in inputs.items()
        if label.startswith(f"{stage.__name__} ")
    ]


def _task_dir(stage: type[Stage], label: str) -> str:
    """Where the outputs are of the task that a label names."""
    _, taxi, month, *variant = label.split(" ")
    return layout.task_dir(stage.stage, taxi, month, *variant)


def _calibrated_output(storage: Storage, taxi: str, version: ServingVersion) -> Output | None:
    """The output of CalibrateIntervals with the intervals of a version; None if there is none."""
    intervals = layout.task_dir(CalibrateIntervals.stage, taxi, version.training_month)
    for variant in storage.list_dirs(intervals):
        task_dir = layout.task_dir(CalibrateIntervals.stage, taxi, version.training_month, variant)
        for key in filter(is_key, storage.list_dirs(task_dir)):
            found = Output(storage, layout.output_dir(task_dir, key))
            if not version.candidate_key or not found.exists():
                continue
            manifest = found.manifest()
            is_of_it = version.candidate_key in manifest["identity"]["inputs"].values()
            if is_of_it and CalibrateIntervals.FILE in manifest["files"]:
                return found
    return None
