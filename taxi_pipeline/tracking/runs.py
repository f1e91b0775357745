"""The run of a candidate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import mlflow
from mlflow.entities import Dataset as LoggedDataset
from mlflow.entities import DatasetInput, InputTag, LoggedModel, Metric, Param

from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG, NOTE_TAG, Candidate, Dataset
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tracking.views import describe_experiment

if TYPE_CHECKING:
    from mlflow.entities import Run

Item = TypeVar("Item")

MAX_PARAMS = 100
"""Parameters that MLflow takes in a request."""

MAX_METRICS = 1000
"""Metrics that MLflow takes in a request."""

NOTE = (
    "`rmse`, `mae`, `median_abs_error`, `p90_abs_error`, `bias` (minutes), `r2`, "
    "`within_2_minutes` and `within_5_minutes` (shares of the trips) are measured on the "
    "evaluation month. Names with `_low` and `_high` are the ends of 95 % intervals, found by "
    "resampling its days. `interval_coverage` is the share of its trips within the 90 % intervals "
    "of their predictions, `interval_width` the mean length of these in minutes."
)
"""What the metrics are, for the run's page."""

TUNING_NOTE = (
    " `tuning_rmse` is the error in minutes of the chosen final fit on the last days of the "
    "training window, by which parameters and rounds were chosen."
)
"""What is said further of a recipe that was tuned."""


def get_or_create_run(
    server: TrackingServer, client: mlflow.MlflowClient, candidate: Candidate
) -> Run:
    """The candidate's run with all that it holds but its model and metrics."""
    run = server.find_run(client, KEY_TAG, candidate.key)
    if run is not None and run.info.status == "FINISHED":
        return run
    if run is None:
        experiment = server.experiment_id(client)
        describe_experiment(client, experiment)
        run = client.create_run(
            experiment,
            tags={
                KEY_TAG: candidate.key,
                MONTH_TAG: str(candidate.month),
                NOTE_TAG: _note(candidate),
                **candidate.tags,
            },
            run_name=candidate.name,
        )
    run_id = run.info.run_id
    params = [Param(name, str(value)) for name, value in candidate.parameters.items()]
    for batch in _batches(params, MAX_PARAMS):
        client.log_batch(run_id, params=batch, synchronous=True)
    client.log_inputs(run_id, [_dataset_input(dataset) for dataset in candidate.datasets])
    for place, file in candidate.artifacts:
        client.log_artifact(run_id, str(file), place)
    return run


def finish_run(
    client: mlflow.MlflowClient, run: Run, model: LoggedModel, candidate: Candidate
) -> None:
    """Log the metrics of a run and its model; the status FINISHED then says that it is whole."""
    if run.info.status == "FINISHED" and model.metrics:
        return
    run_id = run.info.run_id
    # Metrics of the same time are the same ones for MLflow, however often they are logged.
    metrics = [
        Metric(name, float(value), run.info.start_time, 0, model_id=model.model_id, run_id=run_id)
        for name, value in candidate.metrics.items()
    ]
    for batch in _batches(metrics, MAX_METRICS):
        client.log_batch(run_id, metrics=batch, synchronous=True)
    client.set_terminated(run_id)


def _note(candidate: Candidate) -> str:
    tuned = TUNING_NOTE if "tuning_rmse" in candidate.metrics else ""
    return f"{candidate.description}\n\n{NOTE}{tuned}"


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _dataset_input(dataset: Dataset) -> DatasetInput:
    """A published file in the form of MLflow's datasets."""
    web = dataset.url.startswith("http")
    source = {"url": dataset.url} if web else {"uri": dataset.url}
    return DatasetInput(
        LoggedDataset(
            name=dataset.name,
            digest=dataset.digest[:36],
            source_type="http" if web else "place",
            source=json.dumps(source),
        ),
        tags=[InputTag("mlflow.data.context", dataset.context)],
    )
