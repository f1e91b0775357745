"""The version of a registered model that a candidate becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException

from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG, Candidate
from taxi_pipeline.tracking.runs import logged_model_id

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion


def get_or_create_version(
    client: mlflow.MlflowClient, run: Run, candidate: Candidate
) -> ModelVersion:
    """The candidate's model version: found or made."""
    found = client.search_model_versions(
        f"name = '{candidate.model_name}' and tag.{KEY_TAG} = '{candidate.key}'"
    )
    if found:
        return found[0]
    try:
        client.create_registered_model(
            candidate.model_name,
            description=f"Duration in minutes of {candidate.taxi} taxi trips in New York, "
            "from rows as TLC publishes them.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = logged_model_id(client, run)
    return client.create_model_version(
        candidate.model_name,
        f"models:/{model_id}",
        run.info.run_id,
        tags={KEY_TAG: candidate.key, MONTH_TAG: str(candidate.month), **candidate.tags},
        description=candidate.description,
        model_id=model_id,
    )
