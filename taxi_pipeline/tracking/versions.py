"""The version of a registered model that a candidate becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException

from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion
from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG, Candidate
from taxi_pipeline.tracking.server import found
from taxi_pipeline.tracking.views import view_link

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion

MODEL_TAG = "logged_model_id"
"""The tag of a version that holds the id of its logged model."""


def get_or_create_version(
    client: mlflow.MlflowClient, run: Run, model: LoggedModel, candidate: Candidate
) -> ModelVersion:
    """The candidate's model version: the newest whose run and model are there, or a new one."""
    versions = client.search_model_versions(
        f"name = '{candidate.model_name}' and tag.{KEY_TAG} = '{candidate.key}'"
    )
    for version in sorted(versions, key=lambda one: int(one.version), reverse=True):
        if _has_run(client, version, run) and has_model(client, version):
            return version
    try:
        client.create_registered_model(
            candidate.model_name,
            description=f"Duration in minutes of {candidate.taxi} taxi trips in New York, "
            "from rows as TLC publishes them. [All candidates, with RMSE and verdict]"
            f"({view_link(run.info.experiment_id, 'candidates')}).",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        candidate.model_name,
        # Not models:/<id>, which MLflow looks up on the default server of this process.
        model.artifact_location,
        run.info.run_id,
        tags={
            KEY_TAG: candidate.key,
            MONTH_TAG: str(candidate.month),
            MODEL_TAG: model.model_id,
            **candidate.tags,
        },
        description=candidate.description,
        model_id=model.model_id,
    )


def registered_model(client: mlflow.MlflowClient, name: str) -> RegisteredModel | None:
    """What the registry holds of a model, asked through MLflow, whatever kind of registry it is.

    Returns:
        The model; None if the registry has none of this name.
    """
    model = found(lambda: client.get_registered_model(name))
    if model is None:
        return None
    versions = {
        str(version.version): RegisteredVersion(
            version.run_id or "",
            datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
            version.tags,
        )
        for version in client.search_model_versions(f"name = '{name}'")
    }
    aliases = {alias: str(version) for alias, version in model.aliases.items()}
    return RegisteredModel(versions, aliases)


def model_id(version: ModelVersion) -> str:
    """The id of a version's logged model."""
    # A version of 0.1.0 has no tag: it names the model as its source.
    return str(version.tags.get(MODEL_TAG) or str(version.source).removeprefix("models:/"))


def has_model(client: mlflow.MlflowClient, version: ModelVersion) -> bool:
    """Whether the logged model of a version is there, that is, was not deleted."""
    return found(lambda: client.get_logged_model(model_id(version))) is not None


def _has_run(client: mlflow.MlflowClient, version: ModelVersion, run: Run) -> bool:
    """Whether the run of a version, which may be of another experiment, was not deleted."""
    if version.run_id == run.info.run_id:
        return True
    other = found(lambda: client.get_run(str(version.run_id)))
    return other is not None and other.info.lifecycle_stage == "active"
