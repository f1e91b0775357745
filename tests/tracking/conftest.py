"""Candidates, and a store of MLflow's that they are copied to."""

import dataclasses
import shutil

import mlflow
import pytest

from taxi_pipeline.evaluation.champions import Verdict
from taxi_pipeline.model import serving
from taxi_pipeline.month import Month
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tracking.ledger import Ledger
from taxi_pipeline.tracking.records import Candidate, Dataset
from taxi_pipeline.tracking.registration import register
from taxi_pipeline.tracking.server import TrackingServer

NAME = "nyc-green-taxi-duration-linear"


@pytest.fixture(scope="session")
def new_database(tmp_path_factory):
    """A database of MLflow's without any run; making one takes a second."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with TrackingServer(f"sqlite:///{file}", "").client() as client:
        client.search_experiments()
    return file


@pytest.fixture
def server(tmp_path, new_database):
    shutil.copy(new_database, tmp_path / "mlflow.db")
    place = str(tmp_path / "artifacts")
    return TrackingServer(f"sqlite:///{tmp_path}/mlflow.db", "nyc-taxi-duration", place)


@pytest.fixture
def client(server):
    return mlflow.MlflowClient(server.uri, server.uri)


@pytest.fixture
def candidate(tmp_path, folder, models):
    models["linear"].save(tmp_path / "model")
    report = tmp_path / "metrics.json"
    report.write_text("{}")
    return Candidate(
        key="a key",
        name="2021-01 linear",
        model_name=NAME,
        taxi="green",
        month=Month(2021, 1),
        model=tmp_path / "model",
        example=serving.example(folder / "published.parquet", "green"),
        description="A linear model.",
        parameters={"recipe": "linear", "window": 1},
        metrics={"rmse": 5.5, "mae": 4.5},
        tags={"recipe": "linear"},
        datasets=(
            Dataset("green 2021-01", "training", "https://tlc.example/green.parquet", "a" * 64),
            Dataset("green 2021-02", "evaluation", "/files/green.parquet", "b" * 64),
        ),
        artifacts=(("evaluation", report),),
    )


@pytest.fixture
def ledger(tmp_path):
    return Ledger(open_storage(str(tmp_path / "root")), NAME, "the registry")


@pytest.fixture
def copy(server, ledger, candidate):
    """Registers the candidate, or one that differs from it."""

    def registered(promote=True, **changes):
        changed = dataclasses.replace(candidate, **changes)
        return register(server, ledger, changed, Verdict(promote, "it is good"))

    return registered


@pytest.fixture
def held(server, client):
    """All that the store holds of candidates: runs, models and versions that were not deleted."""

    def look():
        experiments = [each.experiment_id for each in client.search_experiments()]
        return (
            client.search_runs(experiments),
            client.search_logged_models(experiments),
            sorted(client.search_model_versions(), key=lambda version: int(version.version)),
        )

    return look
