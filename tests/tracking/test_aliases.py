"""Aliases move to the versions that have earned them."""

import sqlite3
from contextlib import closing

import pytest

from taxi_pipeline.month import Month


def aliases(client, registration):
    held = client.get_registered_model(registration.model_name).aliases
    return {alias: str(version) for alias, version in held.items()}


@pytest.fixture
def newer(copy):
    """The version of a newer month, which holds both aliases."""
    return copy(key="newer", month=Month(2021, 3))


def test_an_alias_stays_with_a_newer_month(copy, client, newer):
    older = copy()
    assert older.aliases == ()
    assert "stays with the newer month 2021-03" in older.decision
    assert aliases(client, newer) == {"challenger": newer.version, "champion": newer.version}


@pytest.mark.parametrize("mlflow_before_3_17", [False, True])
def test_an_alias_of_a_version_that_was_deleted_is_held_by_nobody(
    copy, client, newer, tmp_path, mlflow_before_3_17
):
    left = aliases(client, newer)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("CREATE TABLE before AS SELECT * FROM registered_model_aliases")
    client.delete_model_version(newer.model_name, newer.version)
    assert aliases(client, newer) == {}
    if mlflow_before_3_17:
        # It left the aliases where they were.
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
            database.execute("INSERT INTO registered_model_aliases SELECT * FROM before")
        assert aliases(client, newer) == left
    older = copy()
    assert older.aliases == ("challenger", "champion")
    assert aliases(client, older) == {"challenger": older.version, "champion": older.version}


def test_an_alias_of_a_version_whose_model_was_deleted_is_held_by_nobody(copy, client, newer, held):
    _, (model,), _ = held()
    client.delete_logged_model(model.model_id)
    assert copy().aliases == ("challenger", "champion")


def test_a_version_whose_run_was_deleted_keeps_its_aliases(copy, client, newer):
    client.delete_run(newer.run_id)
    assert copy().aliases == ()


def test_other_aliases_are_let_alone(copy, client):
    first = copy(promote=False)
    client.set_registered_model_alias(first.model_name, "of-a-person", first.version)
    second = copy(key="newer", month=Month(2021, 3), promote=False)
    assert aliases(client, second) == {
        "challenger": second.version,
        "of-a-person": first.version,
    }
