"""Where MLflow keeps what it is told, for each kind of tracking URI and of root."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("uri", "server", "artifacts"),
    [
        ("sqlite:///x.db", "sqlite:///HERE/x.db", "file://HERE/artifacts"),
        (
            "sqlite:///a/x.db?timeout=3",
            "sqlite:///HERE/a/x.db?timeout=3",
            "file://HERE/a/artifacts",
        ),
        ("sqlite:////a/x.db", "sqlite:////a/x.db", "file:///a/artifacts"),
        ("sqlite:////a #b/x.db", "sqlite:////a #b/x.db", "file:///a%20%23b/artifacts"),
        ("postgresql://host/db", "postgresql://host/db", ""),
        ("https://host/path", "https://host/path", ""),
        ("databricks", "databricks", ""),
    ],
)
def test_files_lie_beside_a_database_file_and_elsewhere_where_the_server_says(
    luigi_config, folder, uri, server, artifacts
):
    luigi_config("tracking", "uri", uri)
    tracking = config.tracking()
    assert tracking.server_uri == server.replace("HERE", str(folder))
    assert tracking.artifacts == artifacts.replace("HERE", str(folder))


def test_a_folder_that_mlflow_would_misread_is_not_named_to_it(luigi_config):
    luigi_config("tracking", "uri", "sqlite:////a%20b/x.db")
    assert config.tracking().artifacts == ""


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a%2fb"])
def test_a_root_that_mlflow_would_misread_cannot_hold_its_database(luigi_config, tmp_path, name):
    luigi_config("storage", "root", str(tmp_path / name))
    line = rf"^\[storage\] root {tmp_path}/a.* cannot hold MLflow's database, .*\[tracking\] uri$"
    with pytest.raises(InvalidConfig, match=line):
        _ = config.tracking().server_uri
    luigi_config("tracking", "uri", "sqlite:////a/x.db")
    assert config.tracking().server_uri == "sqlite:////a/x.db"


@pytest.mark.parametrize("name", ["a#b", "a%b", "a b", "50%", "añ日"])
def test_other_roots_can(luigi_config, tmp_path, name):
    luigi_config("storage", "root", str(tmp_path / name))
    assert config.tracking().server_uri == f"sqlite:///{tmp_path}/{name}/mlflow/mlflow.db"
