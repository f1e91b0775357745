"""A server of MLflow's, and the states that an experiment of it may have."""

import dataclasses
import re
import sys
from pathlib import Path

import mlflow
import pytest
from processes import clean_environment, run

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.tracking.registration import register

MLFLOW = str(Path(sys.executable).with_name("mlflow"))


def test_an_experiment_is_made_once(server, client):
    made = server.experiment_id(client)
    assert server.experiment_id(client) == made
    assert client.get_experiment(made).name == "nyc-taxi-duration"


def test_an_experiment_that_another_process_makes_at_the_same_time_is_taken(
    server, client, monkeypatch
):
    create = mlflow.MlflowClient.create_experiment

    def created_by_both(self, *arguments):
        create(self, *arguments)
        return create(self, *arguments)

    monkeypatch.setattr(mlflow.MlflowClient, "create_experiment", created_by_both)
    assert client.get_experiment(server.experiment_id(client)).name == "nyc-taxi-duration"


def test_a_deleted_experiment_is_one_line_and_restoring_it_helps(copy, held, server, client):
    first = copy()
    client.delete_experiment(server.experiment_id(client))
    with pytest.raises(TrackingError) as raised:
        copy()
    text = str(raised.value)
    assert "\n" not in text
    assert f"the experiment nyc-taxi-duration of the MLflow server {server.uri} was deleted" in text
    advice = re.search(r"MLFLOW_TRACKING_URI=(\S+) mlflow (.*?), or", text)
    environment = clean_environment() | {"MLFLOW_TRACKING_URI": advice[1]}
    command = [MLFLOW, *advice[2].split()]
    restored = run(command, environment=environment, timeout=120)
    assert restored.returncode == 0, restored.stderr
    again = copy()
    assert (again.run_id, again.version) == (first.run_id, first.version)


def test_instead_of_a_deleted_experiment_another_may_be_used(copy, held, server, ledger, candidate):
    first = copy()
    with server.client() as client:
        client.delete_experiment(server.experiment_id(client))
    other = dataclasses.replace(server, experiment="another")
    second = register(other, ledger, candidate, Verdict(promote=True, reason="it is good"))
    assert second.run_id != first.run_id
    assert second.aliases == ("challenger", "champion")
    (found,), _, _ = held()
    assert found.info.run_id == second.run_id
