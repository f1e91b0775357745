"""The logged model of a candidate's run: the files that predict."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model

from taxi_pipeline.model import intervals
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.provenance import version
from taxi_pipeline.tracking.artifacts import write_listing
from taxi_pipeline.tracking.packaging import SERVING_PACKAGES, copy_serving_code, signature
from taxi_pipeline.tracking.records import KEY_TAG, Candidate

if TYPE_CHECKING:
    from mlflow.entities import Run


def get_or_create_model(client: mlflow.MlflowClient, run: Run, candidate: Candidate) -> LoggedModel:
    """The run's model with its files: found, completed or made."""
    run_id = run.info.run_id
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    ready = [model for model in models if model.status == LoggedModelStatus.READY]
    if ready:
        return ready[0]
    if models:
        model = models[0]
    else:
        model = client.create_logged_model(
            run.info.experiment_id,
            name="model",
            source_run_id=run_id,
            tags={KEY_TAG: candidate.key, **candidate.tags},
            params={name: str(value) for name, value in candidate.parameters.items()},
        )
    outputs = run.outputs.model_outputs if run.outputs else []
    if model.model_id not in {output.model_id for output in outputs}:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    upload_model(client, model, candidate)
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def upload_model(client: mlflow.MlflowClient, model: LoggedModel, candidate: Candidate) -> None:
    """Write the files of a logged model, those that are there too."""
    with temporary_folder() as folder:
        files = folder / "model"
        mlflow.pyfunc.save_model(
            files,
            loader_module="taxi_pipeline.model.serving",
            data_path=str(_data(candidate, folder)),
            code_paths=[str(copy_serving_code(folder))],
            signature=signature(candidate.taxi),
            input_example=candidate.example,
            # The names that each platform knows.
            pip_requirements=[f"{name}=={version(name)}" for name in SERVING_PACKAGES],
            metadata={KEY_TAG: candidate.key},
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                model_uuid=model.model_id,
                run_id=model.source_run_id,
                model_id=model.model_id,
            ),
        )
        write_listing(files)
        client.log_model_artifacts(model.model_id, str(files))


def _data(candidate: Candidate, folder: Path) -> Path:
    """The folder that the registered model loads: the trained model, and its intervals beside."""
    if candidate.intervals is None:
        return candidate.model
    both = folder / "data" / candidate.model.name
    shutil.copytree(candidate.model, both)
    shutil.copy(candidate.intervals, both / intervals.FILE)
    return both
