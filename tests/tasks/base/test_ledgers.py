"""A ledger's changes are those of the configured registry, however that is written."""

import pytest

from taxi_pipeline.tasks.base.ledgers import open_ledger, registry

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
