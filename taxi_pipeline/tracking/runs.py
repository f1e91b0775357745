"""The run of a candidate."""

from __future__ import annotations

import importlib.metadata
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset

from taxi_pipeline.tracking.packaging import SERVING_PACKAGES, copy_serving_code, signature
from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG, Candidate
from taxi_pipeline.tracking.server import TrackingServer

if TYPE_CHECKING:
    from mlflow.entities import Run


def get_or_create_run(
    server: TrackingServer, client: mlflow.MlflowClient, candidate: Candidate
) -> Run:
    """The candidate's run, whole: found, completed or made.

    The server must be MLflow's default one, see :meth:`TrackingServer.as_default`.
    """
    found = server.find_run(client, KEY_TAG, candidate.key)
    if found and found.info.status == "FINISHED":
        return found
    tags = {KEY_TAG: candidate.key, MONTH_TAG: str(candidate.month), **candidate.tags}
    run = found or client.create_run(
        server.experiment_id(client),
        tags=tags,
        run_name=f"{candidate.model_name} {candidate.month}",
    )
    # The status FINISHED, set at the end, says that the run is whole.
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_params(dict(candidate.parameters))
        mlflow.log_metrics(dict(candidate.metrics))
        for dataset in candidate.datasets:
            mlflow.log_input(
                MetaDataset(  # type: ignore[abstract]  # MLflow's own example makes one
                    _source(dataset.url), dataset.name, dataset.digest[:36]
                ),
                dataset.context,
            )
        for place, file in candidate.artifacts:
            mlflow.log_artifact(str(file), place)
        if logged_model_id(client, run) is None:
            _log_model(candidate)
    return client.get_run(run.info.run_id)


def logged_model_id(client: mlflow.MlflowClient, run: Run) -> str | None:
    """The id of the run's model, if one was logged whole."""
    models = client.search_logged_models(
        experiment_ids=[run.info.experiment_id],
        filter_string=f"source_run_id = '{run.info.run_id}'",
    )
    ready = [str(model.model_id) for model in models if model.status == "READY"]
    return ready[0] if ready else None


def _log_model(candidate: Candidate) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mlflow.pyfunc.log_model(
            name="model",
            loader_module="taxi_pipeline.model.serving",
            data_path=str(candidate.model),
            code_paths=[str(copy_serving_code(Path(folder)))],
            signature=signature(candidate.taxi),
            input_example=candidate.example,
            pip_requirements=[
                f"{name}=={importlib.metadata.version(name)}" for name in SERVING_PACKAGES
            ],
            metadata={KEY_TAG: candidate.key},
        )


class _PlaceDatasetSource(DatasetSource):
    """A dataset source that is not on the web: a file, a bucket, the synthetic city."""

    def __init__(self, place: str) -> None:
        self.place = place

    @staticmethod
    def _get_source_type() -> str:
        return "place"

    def load(self) -> Any:
        """Not supported: the pipeline's own ingestion loads datasets."""
        raise NotImplementedError

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:  # noqa: ARG004  (MLflow's signature)
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> _PlaceDatasetSource:
        return cls(str(raw_source))

    def to_dict(self) -> dict[Any, Any]:
        """The form that MLflow keeps."""
        return {"uri": self.place}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> _PlaceDatasetSource:
        """The source that :meth:`to_dict` described."""
        return cls(source_dict["uri"])


def _source(url: str) -> DatasetSource:
    return HTTPDatasetSource(url) if url.startswith("http") else _PlaceDatasetSource(url)
