"""The files that the run of a registered candidate holds, and those that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from taxi_pipeline.identity import Identity
from taxi_pipeline.storage import MANIFEST, Output
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.calibrate import CalibrateIntervals
from taxi_pipeline.tasks.evaluate import EvaluateModel
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.ingest import IngestTrips
from taxi_pipeline.tasks.report import ReportCandidate
from taxi_pipeline.tasks.train import TrainModel
from taxi_pipeline.tasks.transform import TransformTrips
from taxi_pipeline.tasks.tune import TuneHyperparameters

if TYPE_CHECKING:
    import pandas as pd

    from taxi_pipeline.tracking.records import Dataset


def datasets(task: RecipeStage) -> Iterator[Dataset]:
    """The published files that a candidate was made from and judged on.

    Args:
        task: RegisterModel, of the candidate; likewise below.
    """
    from taxi_pipeline.tracking.records import Dataset

    later = task.input()["published later"]
    for output in (*task.input()["published"], later):
        manifest = output.manifest()
        yield Dataset(
            name=manifest["label"].removeprefix("IngestTrips "),
            context="evaluation" if output is later else "training",
            url=manifest["url"],
            digest=manifest["files"][IngestTrips.FILE]["sha256"],
        )


def example_rows(task: RecipeStage) -> pd.DataFrame:
    """A few published rows of the evaluation month, in the columns that a model reads."""
    from taxi_pipeline.model.serving import example

    return example(task.input()["published later"].file(IngestTrips.FILE), task.taxi)


def artifacts(task: RecipeStage) -> Iterator[tuple[str, Path]]:
    """Folders of the run, and the files that go there."""
    evaluation, tuning = task.input()["evaluation"], task.input()["tuning"]
    for name in evaluation.manifest()["files"]:
        # What has a row for each trip stays in the storage.
        if name != EvaluateModel.PREDICTIONS:
            yield "evaluation", evaluation.file(name)
    for name in tuning.manifest()["files"]:
        if name != TuneHyperparameters.LATE:
            yield "tuning", tuning.file(name)
    yield "evaluation", task.input()["intervals"].file(CalibrateIntervals.COVERAGE)
    for name in (TrainModel.IMPORTANCE, MANIFEST):
        yield "training", task.input()["model"].file(name)
    for trips, output in zip(task.requires()["trips"], task.input()["trips"], strict=True):
        yield f"quality/{trips.calendar_month}", output.file(TransformTrips.QUALITY)


def judgement(task: RecipeStage, judged: Identity, page: Output) -> Iterator[tuple[str, Path]]:
    """The record of the gate that decided, and the page that tells it.

    Args:
        task: as above.
        judged: the identity of the gate's record.
        page: the output of ReportCandidate.
    """
    gate: ApplyGate = task.requires()["gate"]
    yield "gate", Output(task.storage, gate.location(judged)).file(ApplyGate.RECORD)
    yield "report", page.file(ReportCandidate.PAGE)
