"""Registration with a real MLflow server, over HTTP."""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from command_line import SMALL

NAME = "nyc-green-taxi-duration-linear"
RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear", "--local-scheduler")


@pytest.fixture
def server(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("mlflow")), "server", "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    files = ["--artifacts-destination", str(tmp_path / "artifacts")]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *store, *place, *files],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url, process):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(url, timeout=5)  # noqa: S310  (http on loopback)
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"{url} does not answer")


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
