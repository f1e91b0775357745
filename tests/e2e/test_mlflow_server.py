"""Registration with a real MLflow server, over HTTP, and in a real database on a server."""

import mlflow
import pandas as pd
import postgresql
import pytest
import servers
from command_line import SMALL
from places import REPOSITORY
from processes import python

RUN = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler")


def name_of(recipe):
    return f"nyc-green-taxi-duration-{recipe}"


@pytest.fixture(scope="module")
def database():
    with postgresql.database() as running:
        yield running


def test_a_model_is_registered_in_a_database_once_and_its_password_is_nowhere(luigi, database):
    database.empty()
    told = (*RUN, "--recipe", "linear", *SMALL, "--tracking-uri", database.full_url)
    first = luigi(*told)
    assert first.returncode == 0, first.stderr
    second = luigi(*told)
    assert "Did not run any tasks" in second.stderr
    client = mlflow.MlflowClient(database.full_url)
    (version,) = client.search_model_versions(f"name = '{name_of('linear')}'")
    assert client.get_run(version.run_id).info.status == "FINISHED"
    assert "challenger" in client.get_registered_model(version.name).aliases
    texts = [first.stdout, first.stderr, second.stdout, second.stderr]
    texts += [path.read_text() for path in luigi.folder.glob("data/**/*.log")]
    assert not [text for text in texts if postgresql.PASSWORD in text or "dawn@5%" in text]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request, tmp_path_factory):
    """The URL of a server with a store of each kind, and the folder of its files.

    Each test that asks for it registers a model of its own.
    """
    folder = tmp_path_factory.mktemp("server")
    database = None
    if request.param == "postgresql":
        running = request.getfixturevalue("database")
        running.empty()
        database = running.full_url
    with servers.mlflow_server(folder, database) as url:
        yield url, folder / "artifacts"


@pytest.fixture
def server(store):
    return store[0]


def test_a_model_is_registered_with_a_server_once_and_loaded_from_it(luigi, server):
    told = (*RUN, "--recipe", "linear", *SMALL, "--tracking-uri", server)
    first = luigi(*told)
    assert first.returncode == 0, first.stderr
    second = luigi(*told)
    assert "Did not run any tasks" in second.stderr

    client = mlflow.MlflowClient(server)
    name = name_of("linear")
    assert len(client.search_model_versions(f"name = '{name}'")) == 1
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server)
    try:
        model = mlflow.pyfunc.load_model(f"models:/{name}@challenger")
    finally:
        mlflow.set_tracking_uri(before)
    published = luigi.folder / "data/ingest/green/2021-02/latest/trips.parquet"
    assert len(model.predict(pd.read_parquet(published))) == 3000


WITHIN_A_RUN = """
import os, sys
import luigi, mlflow
from taxi_pipeline import RegisterModel

def state():
    variables = {name: text for name, text in os.environ.items() if name.startswith("MLFLOW")}
    return mlflow.get_tracking_uri(), mlflow.get_registry_uri(), variables, sys.path[:]

mlflow.set_tracking_uri("sqlite:///theirs.db")
mlflow.set_experiment("theirs")
with mlflow.start_run() as run:
    os.environ["MLFLOW_RUN_ID"] = run.info.run_id
    before = state()
    task = RegisterModel(year=2021, month=1, recipe="course")
    result = luigi.build([task], local_scheduler=True, detailed_summary=True)
    after = state()
    assert mlflow.active_run().info.run_id == run.info.run_id
assert before == after, (before, after)
mine = mlflow.get_run(run.info.run_id)
assert mine.info.status == "FINISHED"
assert mine.data.params == mine.data.metrics == {}
assert len(mlflow.search_runs(search_all_experiments=True)) == 1
assert result.scheduling_succeeded, result.summary_text
"""


@pytest.mark.slow
def test_a_registration_within_a_run_of_the_callers_leaves_that_alone(luigi, server):
    settings = (
        ("source", "url", SMALL[1]),
        ("tracking", "uri", server),
    )
    (luigi.folder / "luigi.cfg").write_text(
        "\n".join(f"[{section}]\n{option} = {value}" for section, option, value in settings)
    )
    environment = luigi.environment | {
        "LUIGI_CONFIG_PATH": "luigi.cfg",
        "MLFLOW_EXPERIMENT_NAME": "of the environment",
    }
    ended = python(
        luigi.folder, "-c", WITHIN_A_RUN, environment=environment, path=[REPOSITORY], timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    client = mlflow.MlflowClient(server)
    assert [each.name for each in client.search_experiments()] == ["nyc-taxi-duration", "Default"]
    (version,) = client.search_model_versions(f"name = '{name_of('course')}'")
    run = client.get_run(version.run_id).info
    assert run.status == "FINISHED"
    models = client.search_logged_models([run.experiment_id])
    (model,) = [model for model in models if model.source_run_id == run.run_id]
    assert model.status == "READY"


@pytest.mark.slow
def test_damaged_files_are_mended_through_the_server(luigi, store):
    server, files = store
    before = set(files.rglob("MLmodel"))
    told = (*RUN, "--recipe", "pretrip", *SMALL, "--tracking-uri", server)
    assert luigi(*told).returncode == 0
    (described,) = set(files.rglob("MLmodel")) - before
    described.unlink()
    again = luigi(*told, "--gate-min-gain", "0.9")
    assert again.returncode == 0, again.stderr
    assert "pretrip version 1 cannot be loaded" in again.stderr
    assert described.is_file()
    versions = mlflow.MlflowClient(server).search_model_versions(f"name = '{name_of('pretrip')}'")
    assert len(versions) == 1
