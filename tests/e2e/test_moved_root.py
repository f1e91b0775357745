"""A root can be moved and copied, and what its registry loses is registered again."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

import mlflow
import pytest
import servers
from command_line import SMALL
from outputs import content_digests
from processes import python

NAME = "nyc-green-taxi-duration-trip"
REGISTER = ("RegisterModel", "--year", "2021", "--local-scheduler", *SMALL)
LINEAR = ("--month", "1", "--recipe", "linear")
NOTHING_RAN = "Did not run any tasks"
PREDICT = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
print(len(model.predict(pd.read_parquet(sys.argv[3]))))
"""


@pytest.fixture
def ran(luigi):
    """Runs a command that must succeed; what it says."""

    def run(*arguments):
        result = luigi(*arguments)
        assert result.returncode == 0, result.stderr
        assert "WARNING" not in result.stderr
        return result.stderr

    return run


def registry(root):
    uri = f"sqlite:///{root}/mlflow/mlflow.db"
    return mlflow.MlflowClient(uri, uri)


def champion(root, name=NAME):
    """The champion's number, and what a plain process that loads it answers."""
    assert_predicts(root, f"sqlite:///{root}/mlflow/mlflow.db", f"models:/{name}@champion")
    return str(registry(root).get_model_version_by_alias(name, "champion").version)


def assert_predicts(root, uri, model):
    """A plain process loads a model and predicts published rows."""
    rows = root / "ingest" / "green" / "2021-02" / "latest" / "trips.parquet"
    answer = python(root.parent, "-c", PREDICT, uri, model, str(rows), timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "3000"


def files(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_root_that_was_moved_goes_on_at_its_new_place(luigi, ran):
    before, now = luigi.folder / "data", luigi.folder / "disk" / "trips"
    ran(*REGISTER, "--month", "1")
    now.parent.mkdir()
    before.rename(now)

    said = ran(*REGISTER, "--month", "1", "--storage-root", str(now))
    assert NOTHING_RAN in said
    assert f"the root was moved or copied from {before} to {now}: MLflow's database names" in said
    assert champion(now) == "1"

    said = ran(*REGISTER, "--month", "2", "--storage-root", str(now))
    assert "was moved" not in said
    assert champion(now) == "2"
    assert not before.exists()
    assert files(luigi.folder) == files(now)


def test_a_moved_root_whose_next_command_registers_is_mended_by_it(luigi, ran):
    ran(*REGISTER, "--month", "1")
    (luigi.folder / "data").rename(luigi.folder / "now")
    said = ran(*REGISTER, "--month", "2", "--storage-root", "now")
    assert said.count("the root was moved or copied") == 1
    assert not (luigi.folder / "data").exists()
    assert champion(luigi.folder / "now") == "2"
    aliases = registry(luigi.folder / "now").get_registered_model(NAME).aliases
    assert {name: str(number) for name, number in aliases.items()} == {
        "challenger": "2",
        "champion": "2",
    }


def test_a_copied_root_and_its_original_are_both_used_and_leave_each_other_alone(luigi, ran):
    original, copy = luigi.folder / "data", luigi.folder / "copy"
    ran(*REGISTER, "--month", "1")
    shutil.copytree(original, copy, symlinks=True)

    before = content_digests(original)
    ran(*REGISTER, "--month", "2", "--storage-root", "copy")
    assert content_digests(original) == before

    before = content_digests(copy)
    said = ran(*REGISTER, "--month", "1")
    assert NOTHING_RAN in said
    ran(*REGISTER, "--month", "3")
    assert content_digests(copy) == before

    original.rename(luigi.folder / "away")
    assert champion(copy) == "2"
    (luigi.folder / "away").rename(original)
    copy.rename(luigi.folder / "away")
    assert champion(original) == "2"


LOSSES = {
    "rm -rf of the folder": shutil.rmtree,
    "a lost database": lambda folder: (folder / "mlflow.db").unlink(),
}


@pytest.mark.parametrize(
    "loss", ["rm -rf of the folder", pytest.param("a lost database", marks=pytest.mark.slow)]
)
def test_a_registry_that_is_lost_is_made_again_by_the_same_command(luigi, ran, loss):
    ran(*REGISTER, "--month", "1")
    LOSSES[loss](luigi.folder / "data" / "mlflow")
    said = ran(*REGISTER, "--month", "1")
    assert f"since version 1 of {NAME} is not in the registry any more" in said
    assert "1 ran successfully" in said
    assert champion(luigi.folder / "data") == "1"
    (receipt,) = luigi.folder.glob("data/register/green/2021-01/trip-w1/latest/receipt.json")
    assert json.loads(receipt.read_text())["aliases"] == ["challenger", "champion"]
    assert NOTHING_RAN in ran(*REGISTER, "--month", "1")


@pytest.mark.slow
def test_a_database_that_was_emptied_is_filled_again(luigi, ran):
    ran(*REGISTER, *LINEAR)
    with closing(sqlite3.connect(luigi.folder / "data" / "mlflow" / "mlflow.db")) as database:
        for table in ("registered_model_aliases", "model_version_tags", "model_versions"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        database.execute("DELETE FROM registered_models")
        database.commit()
    said = ran(*REGISTER, *LINEAR)
    assert "since version 1 of nyc-green-taxi-duration-linear is not in the registry" in said
    assert NOTHING_RAN in ran(*REGISTER, *LINEAR)


@pytest.mark.slow
def test_a_version_deleted_from_a_server_is_registered_again_and_a_server_that_is_down_trusted(
    luigi, ran, tmp_path
):
    with servers.mlflow_server(tmp_path) as url:
        told = (*REGISTER, *LINEAR, "--tracking-uri", url)
        ran(*told)
        client = mlflow.MlflowClient(url)
        (version,) = client.search_model_versions()
        client.delete_model_version(version.name, version.version)
        assert f"since version 1 of {version.name} is not in the registry any more" in ran(*told)
        assert [str(found.version) for found in client.search_model_versions()] == ["2"]
        assert NOTHING_RAN in ran(*told)
    down = luigi(*told)
    assert down.returncode == 0, down.stderr
    assert NOTHING_RAN in down.stderr
    (line,) = [line for line in down.stderr.splitlines() if line.startswith("WARNING")]
    assert line == (
        f"WARNING: the MLflow server {url} does not answer (it cannot be reached): its versions "
        "are taken to be registered, as their receipts say"
    )


@pytest.mark.slow
def test_a_backfill_says_and_registers_what_was_deleted(luigi, ran):
    months = ("--of", "RegisterModel", "--start", "2021-01", "--stop", "2021-04")
    asked = ("BackfillMonths", *months, "--of-params", '{"recipe": "linear"}')
    asked = (*asked, "--local-scheduler", *SMALL)

    def table(said):
        rows = [re.split(" {2,}", line) for line in said.splitlines()]
        return {row[0]: (row[1], row[-1]) for row in rows if re.match(r"\d{4}-\d\d$", row[0])}

    assert {state for state, _ in table(ran(*asked)).values()} == {"made"}
    client = registry(luigi.folder / "data")
    versions = client.search_model_versions("tag.training_month = '2021-02'")
    client.delete_model_version(versions[0].name, versions[0].version)
    said = table(ran(*asked))
    assert {month: state for month, (state, _) in said.items()} == {
        "2021-01": "already there",
        "2021-02": "made",
        "2021-03": "already there",
    }
    (again,) = client.search_model_versions("tag.training_month = '2021-02'")
    assert said["2021-02"][1] == str(again.version) == "4"
    assert {state for state, _ in table(ran(*asked)).values()} == {"already there"}


@pytest.mark.parametrize(
    "root",
    [
        pytest.param("a#b", marks=pytest.mark.slow),
        pytest.param('it\'s 5% of "it"', marks=pytest.mark.slow),
        "añ日;&=:@\\",
    ],
)
def test_a_root_may_have_any_name_that_mlflow_can_read(luigi, ran, root):
    told = (*REGISTER, *LINEAR, "--storage-root", f"roots/{root}")
    ran(*told)
    assert NOTHING_RAN in ran(*told)
    assert files(luigi.folder) == files(luigi.folder / "roots" / root)
    place = luigi.folder / "roots" / root
    model = "models:/nyc-green-taxi-duration-linear@challenger"
    assert_predicts(place, f"sqlite:///{place}/mlflow/mlflow.db", model)


@pytest.mark.parametrize("root", ["a?b", "a%20b", "a?/b"])
def test_a_root_that_mlflow_would_misread_is_refused_before_anything_runs(luigi, root):
    result = luigi(*REGISTER, *LINEAR, "--storage-root", root)
    assert result.returncode == 40
    (line,) = (result.stdout + result.stderr).strip().splitlines()
    assert line.startswith(f"ERROR: [storage] root {luigi.folder}/{root} cannot hold MLflow's data")
    assert files(luigi.folder) == set()


def test_such_a_root_is_used_where_mlflow_has_a_database_elsewhere(luigi, ran):
    told = (*REGISTER, *LINEAR, "--storage-root", "a?b", "--tracking-uri", "sqlite:///x.db")
    ran(*told)
    assert NOTHING_RAN in ran(*told)


def test_files_of_an_explicit_database_lie_beside_it_and_follow_it(luigi, ran):
    (luigi.folder / "before").mkdir()
    ran(*REGISTER, *LINEAR, "--tracking-uri", "sqlite:///before/x.db")
    assert list(luigi.folder.glob("before/artifacts/models/*/artifacts/MLmodel"))
    assert not (luigi.folder / "mlruns").exists()
    assert not list(luigi.folder.glob("data/mlflow"))

    (luigi.folder / "before").rename(luigi.folder / "now")
    uri = f"sqlite:///{luigi.folder}/now/x.db"
    ran(*REGISTER, *LINEAR, "--tracking-uri", uri)
    assert_predicts(luigi.folder / "data", uri, "models:/nyc-green-taxi-duration-linear/1")
    assert not (luigi.folder / "before").exists()
