"""A registered model is tried before it may serve: as it lies in MLflow, not as it was made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
from mlflow.pyfunc import FLAVOR_NAME, PyFuncModel

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.logger import logger
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.redaction import redact
from taxi_pipeline.tracking.artifacts import damage_of_files
from taxi_pipeline.tracking.models import upload_model
from taxi_pipeline.tracking.records import Candidate
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tracking.versions import model_id

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from taxi_pipeline.model.regressors import Minutes


def verify_version(
    server: TrackingServer,
    client: mlflow.MlflowClient,
    version: ModelVersion,
    candidate: Candidate,
) -> None:
    """Compare what a version predicts for the input example with what the trained model does.

    Where the files are missing, damaged or others, they are copied again.

    Raises:
        TrackingError: the version does not predict the same after that either.
    """
    expected = DurationModel.load(candidate.model).predict_published(candidate.example)
    location = client.get_model_version_download_uri(candidate.model_name, version.version)
    problem = _problem(server, location, candidate, expected)
    if not problem:
        return
    name = f"{candidate.model_name} version {version.version}"
    logger.warning("%s %s: its files are copied to MLflow again", name, problem)
    try:
        upload_model(client, client.get_logged_model(model_id(version)), candidate)
    except OSError as error:
        problem = f"{problem}, and its files cannot be written again ({_line(error)})"
    else:
        problem = _problem(server, location, candidate, expected)
    if problem:
        raise TrackingError(
            f"{name}, loaded from {redact(location)}, {problem}; the aliases stay as they were: "
            "delete that version and its run in MLflow, and run the same command again, which "
            "registers the model anew"
        )


def _problem(server: TrackingServer, location: str, candidate: Candidate, expected: Minutes) -> str:
    """What is wrong with the registered files, in a few words; empty if nothing is."""
    with temporary_folder() as folder:
        try:
            files = mlflow.artifacts.download_artifacts(
                artifact_uri=location, dst_path=str(folder), tracking_uri=server.uri
            )
            if problem := damage_of_files(Path(files)):
                return f"cannot be loaded as it was registered ({problem})"
            minutes = _load(Path(files)).predict(candidate.example)
        except Exception as error:  # noqa: BLE001  (damaged files fail in any way)
            return f"cannot be loaded ({_line(error).replace(f'{folder}/', '')})"
    if not np.allclose(np.asarray(minutes), expected, rtol=1e-6, atol=0, equal_nan=True):
        return "predicts other minutes for the input example than the trained model"
    return ""


def _load(files: Path) -> PyFuncModel:
    """The model as anyone loads it; its code does not stay on the path of modules."""
    path = sys.path
    try:
        model: PyFuncModel = mlflow.pyfunc.load_model(str(files), suppress_warnings=True)
    finally:
        sys.path = path
    # Here the modules of this process were used.
    flavor = model.metadata.flavors[FLAVOR_NAME]
    code = Path(flavor["code"], *flavor["loader_module"].split(".")).with_suffix(".py")
    if not (files / code).is_file():
        raise FileNotFoundError(f"no file {code}")
    return model


def _line(error: Exception) -> str:
    return redact((str(error).strip() or type(error).__name__).splitlines()[0])
