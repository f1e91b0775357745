"""A database of an older MLflow is upgraded where it is the pipeline's own, else refused."""

import logging
import re
import sqlite3
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import mlflow
import postgresql
import pytest
import sqlalchemy
from alembic import command
from outputs import content_digests
from places import REPOSITORY
from processes import clean_environment, python, run

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking import lookup, migration
from taxi_pipeline.tracking.lookup import look_up
from taxi_pipeline.tracking.server import TrackingServer

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "made_by_0.1.0.tar.xz"
MLFLOW = str(Path(sys.executable).with_name("mlflow"))
NAME = "nyc-green-taxi-duration-trip"
# Of MLflow 3.16.1, which made the archive.
OLD = "b7e2c1a4d9f3"
NEW = migration._schemas().get_current_head()


@pytest.fixture(scope="module")
def made_before(tmp_path_factory):
    """MLflow's database as the version before left it."""
    file = tmp_path_factory.mktemp("before") / "mlflow.db"
    with tarfile.open(ARCHIVE) as archive:
        dump = archive.extractfile("tracking.sql").read().decode()
    with closing(sqlite3.connect(file)) as database:
        database.executescript(dump.replace("@HERE@", "/nowhere"))
    return file.read_bytes()


@pytest.fixture
def file(tmp_path, made_before):
    file = tmp_path / "root" / "mlflow.db"
    file.parent.mkdir()
    file.write_bytes(made_before)
    return file


@pytest.fixture
def server(file):
    return TrackingServer(f"sqlite:///{file}", "nyc-taxi-duration")


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def revision(file):
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def rows(file):
    """The rows of the tables that the pipeline's records are in, by their columns of before."""
    tables = ("experiments", "runs", "metrics", "params", "tags", "logged_models")
    tables += ("registered_models", "model_versions", "model_version_tags")
    with closing(sqlite3.connect(file)) as database:
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608


def versions(client):
    found = client.search_model_versions(f"name = '{NAME}'")
    return sorted(int(version.version) for version in found)


def test_a_file_of_an_older_mlflow_is_upgraded_with_a_copy_beside_it_and_one_line(
    file, server, logged
):
    before = rows(file)
    known = look_up(server.uri, NAME)
    with server.client() as client:
        assert versions(client) == [1, 2]
    assert revision(file) == NEW
    assert rows(file) == before
    assert look_up(server.uri, NAME) == known
    (copy,) = file.parent.glob("*.bak")
    assert copy.name == f"mlflow.db.{OLD}.bak"
    assert rows(copy) == before
    assert revision(copy) == OLD
    (line,) = logged()
    assert line == (
        f"MLflow's database {file} is upgraded to MLflow {mlflow.__version__}; as it was, it stays "
        f"as {copy.name}"
    )
    assert [path.name for path in file.parent.iterdir() if ".new-" in path.name] == []


def test_a_file_of_this_mlflow_is_left_as_it_is(file, server, logged):
    with server.client():
        pass
    before = content_digests(file.parent)
    with server.client() as client:
        assert versions(client) == [1, 2]
    assert content_digests(file.parent) == before
    assert len(logged()) == 1


def test_a_file_is_found_complete_before_it_is_upgraded(file, server):
    model = look_up(server.uri, NAME)
    assert list(model.versions) == ["1", "2"]
    assert all(version.candidate_key for version in model.versions.values())
    assert revision(file) == OLD


def test_a_copy_restores_what_was(file, server):
    with server.client():
        pass
    Path(f"{file}.{OLD}.bak").replace(file)
    assert revision(file) == OLD
    with server.client() as client:
        assert versions(client) == [1, 2]
    assert revision(file) == NEW


def test_a_file_that_was_moved_too_names_its_files_here_and_is_upgraded(file, server, logged):
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE experiments SET artifact_location = '/before/root/artifacts'")
    with server.client() as client:
        found = client.search_experiments()
    assert {each.artifact_location for each in found} == {f"{file.parent}/artifacts"}
    assert revision(file) == NEW
    moved, upgraded = logged()
    assert "was moved or copied from /before/root to" in moved
    assert "is upgraded to MLflow" in upgraded


OPEN = """
import logging, os, sys
import sqlalchemy
from taxi_pipeline.tracking.server import TrackingServer

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
statements = int(sys.argv[2])

@sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute")
def _(*_):
    global statements
    statements -= 1
    if statements == 0:
        os._exit(9)

with TrackingServer(sys.argv[1], "").client() as client:
    print(len(client.search_model_versions()))
"""


def opened(server, statements=0):
    """Open a server in another process, which dies before it sends so many statements."""
    told = ("-c", OPEN, server.uri, str(statements))
    return python(None, *told, path=[REPOSITORY], timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize("statements", [10, 200, 565, 575, 585])
def test_a_killed_upgrade_is_completed_by_the_next(file, server, statements):
    before = rows(file)
    assert opened(server, statements).returncode == 9
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rows(file) == before
    with server.client() as client:
        assert versions(client) == [1, 2]
    assert revision(file) == NEW
    assert rows(Path(f"{file}.{OLD}.bak")) == before


def test_processes_at_once_upgrade_a_file_once(server, file):
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(opened, [server] * 3))
    assert [answer.returncode for answer in answers] == [0] * 3, answers
    said = "".join(answer.stdout for answer in answers)
    assert said.count("is upgraded to MLflow") == 1
    assert revision(file) == NEW


def test_a_file_that_cannot_be_written_is_one_line_that_says_what_to_do(file, server, monkeypatch):
    monkeypatch.setattr(migration, "LOCK_SECONDS", 0.1)
    before = rows(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingError) as raised, server.client():
            pass
        other.execute("ROLLBACK")
    line = str(raised.value)
    assert line.startswith(
        f"MLflow's database {file} was made by an older MLflow and cannot be upgraded ("
    )
    assert "database is locked" in line
    assert "make it and its folder writable" in line
    assert "\n" not in line
    assert (revision(file), rows(file)) == (OLD, before)


def test_a_file_without_mlflows_tables_is_left_to_mlflow(tmp_path, logged):
    (tmp_path / "mlflow.db").touch()
    with TrackingServer(f"sqlite:///{tmp_path}/mlflow.db", "").client() as client:
        assert client.search_model_versions() == []
    assert not list(tmp_path.glob("*.bak"))


def test_a_file_of_a_newer_mlflow_is_one_line_that_says_what_to_do(file, server):
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    before = content_digests(file.parent)
    with pytest.raises(TrackingError) as raised, server.client():
        pass
    assert str(raised.value) == (
        f"MLflow's database {server.uri} was made or upgraded by a newer MLflow than "
        f"{mlflow.__version__} (its schema is ffffffffffff): install a newer MLflow"
    )
    assert content_digests(file.parent) == before


# --- a database on a server -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def database():
    """An empty PostgreSQL for the schema of an older MLflow."""
    with postgresql.database() as server:
        yield server


@pytest.fixture
def shared(database):
    """A database of the older MLflow's on a server, and its URI."""
    database.empty()
    uri = database.full_url
    engine = sqlalchemy.create_engine(uri)
    migration.utils.InitialBase.metadata.create_all(engine)
    config = migration._config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD)
    engine.dispose()
    return uri


def test_a_database_on_a_server_is_refused_until_its_owner_upgrades_it(shared, logged):
    server = TrackingServer(shared, "nyc-taxi-duration", "/nowhere")
    assert look_up(shared, NAME) is None
    with pytest.raises(TrackingError) as raised, server.client():
        pass
    line = str(raised.value)
    assert "was made by an older MLflow than" in line
    assert "\n" not in line
    assert postgresql.PASSWORD not in line
    with lookup.connect(shared) as connection:
        query = sqlalchemy.text("SELECT version_num FROM alembic_version")
        assert connection.scalar(query) == OLD

    advice = re.search(r"run (mlflow db upgrade) (\S+), then", line)
    assert advice[2].endswith(shared.rpartition("@")[2])
    upgraded = run(
        [MLFLOW, *advice[1].split()[1:], shared], environment=clean_environment(), timeout=120
    )
    assert upgraded.returncode == 0, upgraded.stderr
    with server.client() as client:
        assert client.search_model_versions() == []
    assert not [said for said in logged() if "is upgraded" in said]


def test_a_missing_driver_is_one_line_that_says_what_to_install():
    server = TrackingServer("postgresql+pg8000://user:secret-word@127.0.0.1/db", "")
    with pytest.raises(TrackingError) as raised, server.client():
        pass
    line = str(raised.value)
    assert "No module named 'pg8000'" in line
    assert "pip install 'taxi_pipeline[postgresql]'" in line
    assert "secret-word" not in line
