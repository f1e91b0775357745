"""Registration with a real MLflow server, over HTTP."""

import mlflow
import pandas as pd
import pytest
import servers
from command_line import SMALL

NAME = "nyc-green-taxi-duration-linear"
RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear", "--local-scheduler")


@pytest.fixture
def server(tmp_path):
    with servers.mlflow_server(tmp_path) as url:
        yield url


def test_a_model_is_registered_with_a_server_once_and_loaded_from_it(luigi, server):
    first = luigi(*RUN, *SMALL, "--tracking-uri", server)
    assert first.returncode == 0, first.stderr
    second = luigi(*RUN, *SMALL, "--tracking-uri", server)
    assert "Did not run any tasks" in second.stderr

    client = mlflow.MlflowClient(server)
    assert len(client.search_model_versions(f"name = '{NAME}'")) == 1
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server)
    try:
        model = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")
    finally:
        mlflow.set_tracking_uri(before)
    (published,) = luigi.folder.glob("data/ingest/green/2021-02/*/trips.parquet")
    assert len(model.predict(pd.read_parquet(published))) == 3000
