"""A candidate becomes one run, one model and one version, whatever happened before."""

import dataclasses
import os
import sqlite3
import sys

import mlflow
import pytest

from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.tracking.registration import register

CALLS = [
    "create_run",
    "log_batch",
    "log_inputs",
    "log_artifact",
    "create_logged_model",
    "log_outputs",
    "log_model_artifacts",
    "finalize_logged_model",
    "set_terminated",
    "create_registered_model",
    "create_model_version",
    "set_registered_model_alias",
    "set_experiment_tag",
    "set_tag",
    "set_model_version_tag",
    "update_model_version",
]

FEW = {"create_run", "create_model_version", "set_registered_model_alias"}
"""Those of them at which a registration is interrupted in the short run as well."""


def assert_whole(held, client):
    """There is one run, with one model, that became one version."""
    (run,), (model,), (version,) = held()
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"rmse": 5.5, "mae": 4.5}
    assert run.data.params == {"recipe": "linear", "window": "1"}
    assert len(client.get_metric_history(run.info.run_id, "rmse")) == 1
    assert len(run.inputs.dataset_inputs) == 2
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert model.status == "READY"
    assert {metric.key: metric.value for metric in model.metrics} == run.data.metrics
    assert model.params == run.data.params
    assert (version.run_id, str(version.version)) == (run.info.run_id, "1")
    aliases = client.get_registered_model(version.name).aliases
    assert {name: str(held) for name, held in aliases.items()} == dict.fromkeys(
        ("challenger", "champion"), "1"
    )


def test_a_candidate_is_one_run_one_model_and_one_version(copy, held, client):
    registration = copy()
    assert_whole(held, client)
    assert registration.version == "1"
    assert registration.aliases == ("challenger", "champion")
    assert registration.promoted


def test_nothing_is_printed(copy, capfd):
    copy()
    assert capfd.readouterr() == ("", "")


def test_registering_again_makes_nothing_again(copy, held, client):
    first, again = copy(), copy()
    assert (again.run_id, again.version) == (first.run_id, first.version)
    assert not again.promoted
    assert_whole(held, client)


@pytest.fixture(params=[pytest.param("before", marks=pytest.mark.slow), "after"])
def interrupt(request, monkeypatch):
    """Lets a registration end before or after a call of MLflow's client, as if it were killed."""

    def at(call, copy):
        original = getattr(mlflow.MlflowClient, call)

        def interrupted(*arguments, **options):
            if request.param == "after":
                original(*arguments, **options)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(mlflow.MlflowClient, call, interrupted)
            with pytest.raises(KeyboardInterrupt):
                copy()

    return at


@pytest.mark.parametrize(
    "call", [call if call in FEW else pytest.param(call, marks=pytest.mark.slow) for call in CALLS]
)
def test_a_registration_that_was_interrupted_is_completed(copy, held, client, interrupt, call):
    interrupt(call, copy)
    copy()
    assert_whole(held, client)


@pytest.mark.parametrize("call", ["set_registered_model_alias", "set_model_version_tag"])
def test_a_promotion_that_was_interrupted_is_one_change_of_the_ledger(
    copy, ledger, interrupt, call
):
    interrupt(call, copy)
    copy()
    history = ledger.read()
    assert [change.to_version for change in history.changes] == ["1"]
    assert history.is_confirmed


# --- MLflow's own state in this process -------------------------------------------------------


@pytest.fixture
def busy(tmp_path, monkeypatch, new_database):
    """The process is in a run of its own, of another experiment on another server."""
    before = mlflow.get_tracking_uri()
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "of the environment")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/other.db")
    try:
        mlflow.set_experiment("another experiment")
        with mlflow.start_run() as run:
            monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
            yield run
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.tracking.fluent._active_experiment_id = None
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def state():
    return {
        "variables": dict(os.environ),
        "path": list(sys.path),
        "server": mlflow.get_tracking_uri(),
        "registry": mlflow.get_registry_uri(),
        "run": mlflow.active_run().info.run_id,
        "model": mlflow.get_active_model_id(),
        "last model": mlflow.last_logged_model(),
        "last run": mlflow.last_active_run().info.run_id,
    }


def test_the_state_of_mlflow_in_this_process_takes_no_part_and_stays(copy, held, client, busy):
    before = state()
    copy()
    copy()
    assert state() == before
    assert_whole(held, client)
    theirs = mlflow.get_run(busy.info.run_id)
    assert (theirs.data.params, theirs.data.metrics) == ({}, {})
    assert theirs.outputs is None or theirs.outputs.model_outputs == []
    names = {each.name for each in mlflow.search_experiments()}
    assert names == {"Default", "another experiment"}
    assert mlflow.search_logged_models(output_format="list") == []


# --- what people delete -----------------------------------------------------------------------


def test_a_run_that_was_deleted_is_made_again_with_a_version_of_its_own(copy, held, client):
    first = copy()
    client.delete_run(first.run_id)
    second = copy()
    assert second.run_id != first.run_id
    (run,), _, versions = held()
    assert run.info.run_id == second.run_id
    assert [version.run_id for version in versions] == [first.run_id, second.run_id]
    assert second.aliases == ("challenger", "champion")


def test_a_model_that_was_deleted_is_logged_again_in_the_same_run(copy, held, client):
    first = copy()
    _, (model,), _ = held()
    client.delete_logged_model(model.model_id)
    second = copy()
    assert second.run_id == first.run_id
    assert second.version == "2"
    _, (other,), _ = held()
    assert other.model_id != model.model_id
    assert {metric.key: metric.value for metric in other.metrics} == {"rmse": 5.5, "mae": 4.5}
    assert second.aliases == ("challenger", "champion")


def test_a_version_that_was_deleted_is_made_again(copy, held, client):
    first = copy()
    client.delete_model_version(first.model_name, first.version)
    second = copy()
    assert second.run_id == first.run_id
    assert second.aliases == ("challenger", "champion")
    _, _, (version,) = held()
    assert str(version.version) == second.version


def test_a_registered_model_that_was_deleted_is_made_again(copy, held, client):
    first = copy()
    client.delete_registered_model(first.model_name)
    assert copy().aliases == ("challenger", "champion")
    assert_whole(held, client)


def test_a_database_that_was_emptied_is_filled_again(copy, held, client, server):
    first = copy()
    with sqlite3.connect(server.uri.removeprefix("sqlite:///")) as database:
        tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            if table != "alembic_version":
                database.execute(f"delete from {table}")  # noqa: S608
    second = copy()
    assert second.run_id != first.run_id
    assert_whole(held, client)


def test_another_experiment_keeps_the_version_of_the_first(copy, held, server, ledger, candidate):
    first = copy()
    other = dataclasses.replace(server, experiment="another")
    second = register(other, ledger, candidate, Verdict(promote=True, reason="it is good"))
    assert second.version == first.version
    assert len(held()[2]) == 1
