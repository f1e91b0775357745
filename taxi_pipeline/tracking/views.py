"""How a person finds the experiment: its description, and the tables that MLflow calls views."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import mlflow

from taxi_pipeline.tracking.records import KEY_TAG, NOTE_TAG, REASON_TAG, SEARCH_TAG, VERDICT_TAG
from taxi_pipeline.tracking.server import TRAINING

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

KIND_TAG = "mlflow.experimentKind"
"""The tag by which MLflow opens an experiment on its runs.

MLflow 3.17 does not look at it: it opens the pages of GenAI unless the person has once chosen
"Model training", or the link says so.
"""

VIEW_TAG = "mlflow.sharedViewState."
"""What the tags begin with that hold a saved view of the table of runs; an identifier follows."""

VIEWS: dict[str, dict[str, Any]] = {
    "candidates": {
        "selectedColumns": [
            "metrics.`rmse`",
            f"tags.`{VERDICT_TAG}`",
            f"tags.`{REASON_TAG}`",
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


def artifact_link(run: Run, file: str) -> str:
    """The part of a web address, of a file of a run, that follows the server's."""
    return f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/{file}"


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
        NOTE_TAG: f"Durations of taxi trips: [candidates with RMSE and verdict]({candidates}), "
        f"[searches for parameters]({searches})",
        **views,
    }
