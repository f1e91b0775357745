"""The runs of a search: one for the search, and in it one for each trial."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities import Metric, Param

from taxi_pipeline.tracking.records import NOTE_TAG, SEARCH_TAG, RunLink, Search
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tracking.views import describe_experiment
from taxi_pipeline.tuning.trials import FAILED, Trial

if TYPE_CHECKING:
    from mlflow.entities import Run

TRIAL_TAG = "trial"
"""The tag that holds a trial's number."""

PARENT_TAG = "mlflow.parentRunId"
"""The tag by which MLflow shows a run within another."""

NOTE = (
    "`best_rmse` is the smallest error in minutes of the trials so far, each fitted on a sample of "
    "the earlier days of the training window and judged on its last days. The candidate's "
    "`tuning_rmse` is another figure: that of the final fit on all of the earlier days."
)
"""What the metric is, for the run's page."""


def log_search(
    server: TrackingServer,
    search: Search,
    *,
    ended: bool,
    wanted: Callable[[], bool] = lambda: True,
) -> RunLink:
    """Copy a search to MLflow: a run, and in it a run for each trial that is not there yet.

    Args:
        server: where to.
        search: its trials so far.
        ended: whether no more will follow.
        wanted: asked before each trial; once it returns False, the rest is not copied now.

    Raises:
        TrackingError: the server cannot be reached or refuses.
    """
    with server.client() as client, server.lock(search.key):
        run = server.find_run(client, SEARCH_TAG, search.key)
        if run is None:
            experiment = server.experiment_id(client)
            describe_experiment(client, experiment)
            run = client.create_run(
                experiment,
                tags={SEARCH_TAG: search.key, NOTE_TAG: NOTE, **search.tags},
                run_name=search.name,
            )
        logged = _trial_runs(client, run)
        if not ended and run.info.status != "RUNNING":
            client.update_run(run.info.run_id, status="RUNNING")
        for trial in search.trials:
            if not wanted():
                ended = False
                break
            child = logged.get(str(trial.number))
            if child is None or child.info.status == "RUNNING":
                _log_trial(client, run, child, trial)
        measured = [trial.rmse for trial in search.trials if trial.rmse is not None]
        if measured:
            client.log_metric(run.info.run_id, "best_rmse", min(measured), step=len(measured))
        if ended:
            client.set_terminated(run.info.run_id)
        return RunLink(run.info.run_id, server.run_url(run))


def _trial_runs(client: mlflow.MlflowClient, search: Run) -> dict[str, Run]:
    """The runs of a search's trials, by number."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs(
            [search.info.experiment_id],
            f"tags.{PARENT_TAG} = '{search.info.run_id}'",
            max_results=1000,
            page_token=token,
        )
        found |= {run.data.tags[TRIAL_TAG]: run for run in page if TRIAL_TAG in run.data.tags}
        token = page.token
        if not token:
            return found


def _log_trial(client: mlflow.MlflowClient, search: Run, child: Run | None, trial: Trial) -> None:
    """Make or complete the run of a trial: its parameters and metrics in one request."""
    tags = {PARENT_TAG: search.info.run_id, TRIAL_TAG: str(trial.number), "status": trial.status}
    if trial.error:
        tags["error"] = trial.error
    child = child or client.create_run(
        search.info.experiment_id, tags=tags, run_name=f"trial {trial.number}"
    )
    metrics = {"rmse": trial.rmse, "rounds": trial.rounds, "seconds": trial.seconds}
    now = int(time.time() * 1000)
    client.log_batch(
        child.info.run_id,
        metrics=[
            Metric(name, float(value), now, 0)
            for name, value in metrics.items()
            if value is not None
        ],
        params=[Param(name, str(value)) for name, value in trial.parameters.items()],
        synchronous=True,
    )
    client.set_terminated(child.info.run_id, "FAILED" if trial.status == FAILED else "FINISHED")
