"""A ledger's changes are those of the configured registry, however that is written."""

from datetime import UTC, datetime

import pytest

from taxi_pipeline.tasks.base.ledgers import (
    ServingVersion,
    open_ledger,
    registry,
    serving_version,
)
from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion

HERE = "mlflow/mlflow.db under the storage root"


def test_the_registry_under_the_root_is_the_same_wherever_the_root_is(luigi_config):
    luigi_config("storage", "root", "one")
    assert registry() == HERE
    luigi_config("storage", "root", "two")
    assert registry() == HERE


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
        ("http://ana:hidden1@host", "http://host"),
        ("http://bob:hidden2@host", "http://host"),
        ("postgresql://ana:hidden1@host/mlflow?sslmode=require", "postgresql://host/mlflow"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("databricks", "databricks"),
    ],
    ids=["slash", "ana", "bob", "query", "file", "name"],
)
def test_a_registry_is_named_without_who_asks(luigi_config, uri, name):
    luigi_config("tracking", "uri", uri)
    assert registry() == name


def test_a_ledger_is_that_of_a_model_under_the_root(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    ledger = open_ledger("nyc-green-taxi-duration-trip")
    assert (ledger.model_name, ledger.registry) == ("nyc-green-taxi-duration-trip", HERE)
    assert ledger.storage.root == str(tmp_path)


def test_without_a_ledger_and_a_registry_nobody_serves(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    assert serving_version("nyc-green-taxi-duration-trip") is None


def test_the_version_that_serves_is_that_of_the_ledger(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    ledger = open_ledger("nyc-green-taxi-duration-trip")
    facts = {"candidate_key": "a key", "training_month": "2021-01"}
    ledger.append(ledger.read(), "promoted", "3", pinned=False, why="it is good", **facts)
    assert serving_version(ledger.model_name) == ServingVersion("3", "a key", "2021-01")


def test_before_there_is_a_ledger_the_registrys_alias_says_who_serves(
    luigi_config, tmp_path, monkeypatch
):
    luigi_config("storage", "root", str(tmp_path))
    tags = {"candidate_key": "a key", "training_month": "2021-02"}
    version = RegisteredVersion("a run", datetime.now(UTC), tags)
    model = RegisteredModel({"2": version}, {"champion": "2"})
    monkeypatch.setattr("taxi_pipeline.tasks.base.ledgers.look_up", lambda *_: model)
    assert serving_version("a model") == ServingVersion("2", "a key", "2021-02")
