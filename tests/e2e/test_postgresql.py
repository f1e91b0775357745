"""The scheduler's history in a real PostgreSQL."""

import shutil

import postgresql
import pytest
import servers
from command_line import SMALL
from postgresql import PASSWORD
from processes import clean_environment, run

INGEST = ("IngestTrips", "--year", "2021", "--month", "1", *SMALL)


@pytest.fixture(scope="module")
def database():
    with postgresql.database() as server:
        yield server


@pytest.fixture
def folder(luigi, database):
    (luigi.folder / "luigi.cfg").write_text(f"[task_history]\ndb_connection = {database.url}\n")
    return luigi.folder


def assert_secret(text):
    for secret in (PASSWORD, "dawn@5%", "dawn"):
        assert secret not in text


def test_history_in_postgresql_outlives_the_scheduler(luigi, folder):
    with servers.scheduler(folder, HISTORY_PASSWORD=PASSWORD) as scheduler:
        result = luigi(*INGEST, *scheduler.flag)
        assert result.returncode == 0, result.stderr
        (task_id,) = (name for name in scheduler.tasks("DONE") if name.startswith("IngestTrips"))
        assert scheduler.end() == 0
    assert not list(folder.glob("luigid/*.db"))
    shutil.rmtree(folder / "luigid")
    with servers.scheduler(folder, HISTORY_PASSWORD=PASSWORD) as scheduler:
        assert scheduler.tasks("DONE") == {}
        assert scheduler.history(task_id) == ["DONE", "RUNNING", "PENDING"]
        assert ">IngestTrips</a>" in scheduler.text("/history")
        assert_secret(scheduler.log.read_text())


def test_a_database_that_goes_away_for_a_while_stops_no_work(luigi, folder, database):
    with servers.scheduler(folder, HISTORY_PASSWORD=PASSWORD) as scheduler:
        with database.down():
            result = luigi(*INGEST, *scheduler.flag)
            assert result.returncode == 0, result.stderr
        later = ("IngestTrips", "--year", "2021", "--month", "2", *SMALL)
        assert luigi(*later, *scheduler.flag).returncode == 0
        (task_id,) = (name for name in scheduler.tasks("DONE") if name.startswith("IngestTrips_2"))
        assert scheduler.history(task_id)[0] == "DONE"
        assert_secret(scheduler.log.read_text())


def refused(folder, **variables):
    """The one line with which a scheduler does not start."""
    command = [*servers.LUIGID, "--port", "0"]
    result = run(command, folder, environment=clean_environment() | variables)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("ERROR: [task_history] db_connection ")
    assert_secret(result.stdout + result.stderr)
    return line


def test_a_database_that_is_down_is_one_line_that_names_the_option(folder, database):
    with database.down():
        line = refused(folder, HISTORY_PASSWORD=PASSWORD)
    assert f"127.0.0.1:{database.port}" in line
    assert "refused" in line


def test_a_wrong_password_is_one_line_that_does_not_tell_it(folder):
    line = refused(folder, HISTORY_PASSWORD="dawn-of-another")  # noqa: S106  (as above)
    assert "authentication failed" in line


def test_a_password_that_the_environment_lacks_is_one_line_that_names_it(folder):
    assert "HISTORY_PASSWORD" in refused(folder)
