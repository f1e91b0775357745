"""The first line of a run says which settings, root, registry and scheduler it has."""

from pathlib import Path

import luigi
import pytest

from taxi_pipeline.runtime.run_start import first_line, place, root


@pytest.fixture
def read(monkeypatch, tmp_path):
    """The files that Luigi reads its configuration from."""
    monkeypatch.chdir(tmp_path)
    files = []
    monkeypatch.setattr(type(luigi.configuration.get_config()), "_config_paths", files)
    return files


def test_without_a_file_and_options_a_run_works_in_data_by_itself(read):
    read.append("luigi.cfg")
    assert first_line("") == (
        f"settings: defaults (there is no luigi.cfg here); root: {Path.cwd() / 'data'}; registry: "
        "in the root; scheduler: of this run alone"
    )


def test_files_are_named_in_the_order_in_which_they_are_read(read, tmp_path):
    (tmp_path / "luigi.cfg").touch()
    (tmp_path / "more.cfg").touch()
    read += ["luigi.cfg", str(tmp_path / "more.cfg"), "luigi.cfg"]
    line = first_line("")
    assert line.startswith(f"settings: {tmp_path / 'luigi.cfg'}, {tmp_path / 'more.cfg'}; ")


def test_a_command_that_is_no_run_tells_settings_and_root_alike(read, luigi_config):
    assert first_line("").startswith(f"{place()}; registry: ")
    luigi_config("storage", "root", "s3://key:hunter22@bucket/taxi")
    assert root() == "s3://***@bucket/taxi"


def test_secrets_of_registry_root_and_scheduler_are_not_shown(read, luigi_config):
    luigi_config("tracking", "uri", "http://me:hunter22@mlflow.example.org")
    luigi_config("storage", "root", "s3://key:hunter22@bucket/taxi")
    line = first_line("http://luigi:hunter22@luigi.example.org:8082")
    assert "hunter22" not in line
    assert "mlflow.example.org" in line
    assert "bucket/taxi" in line
    assert "luigi.example.org:8082" in line
