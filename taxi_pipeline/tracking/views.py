"""How a person finds the experiment: its description, and the tables that MLflow calls views."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import mlflow

from taxi_pipeline.tracking.records import KEY_TAG, MONTH_TAG, NOTE_TAG, SEARCH_TAG, VERDICT_TAG

if TYPE_CHECKING:
    from mlflow.entities import Experiment

KIND_TAG = "mlflow.experimentKind"
"""The tag by which releases of MLflow from 3.3 on open an experiment on its runs."""

VIEW_TAG = "mlflow.sharedViewState."
"""What the tags begin with that hold a saved view of the table of runs; an identifier follows."""

TRAINING = "workflowType=machine_learning"
"""What later releases want in a link instead; without it they open an empty page of traces."""

VIEWS: dict[str, dict[str, Any]] = {
    "candidates": {
        "selectedColumns": [
            "metrics.`rmse`",
            f"tags.`{VERDICT_TAG}`",
            f"params.`{MONTH_TAG}`",
            "params.`recipe`",
            "params.`rows`",
        ],
        "searchFilter": f"tags.{KEY_TAG} != ''",
    },
    "searches": {
        "selectedColumns": ["metrics.`best_rmse`", "tags.`recipe`", "tags.`taxi`"],
        "searchFilter": f"tags.{SEARCH_TAG} != ''",
    },
}
"""The state of each view: which runs are shown, and which columns."""


def view_link(experiment_id: str, view: str) -> str:
    """The part of a view's web address that follows the server's."""
    return f"#/experiments/{experiment_id}/runs?{TRAINING}&viewStateShareKey={view}"


def describe_experiment(client: mlflow.MlflowClient, experiment_id: str) -> None:
    """Give an experiment a description and views, unless a person has given it others."""
    experiment = client.get_experiment(experiment_id)
    for name, value in _tags(experiment).items():
        if name not in experiment.tags:
            client.set_experiment_tag(experiment_id, name, value)


def _tags(experiment: Experiment) -> dict[str, str]:
    candidates, searches = (view_link(experiment.experiment_id, view) for view in VIEWS)
    views = {
        f"{VIEW_TAG}{view}": json.dumps(
            {
                "name": view.capitalize(),
                "createdAt": experiment.creation_time,
                "updatedAt": experiment.creation_time,
                "state": json.dumps(state),
            }
        )
        for view, state in VIEWS.items()
    }
    return {
        KIND_TAG: "custom_model_development",
        NOTE_TAG: f"Durations of taxi trips: [candidates by month, with RMSE and verdict]"
        f"({candidates}) and [searches for parameters]({searches}), each with its trials.",
        **views,
    }
