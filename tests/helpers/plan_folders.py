"""Folders in which a run is planned: one where nothing was run, and one where a model is made."""

import contextlib
import shutil
import sys
from pathlib import Path

import pytest
from processes import run

from taxi_pipeline import Month, RegisterModel
from taxi_pipeline.trips.synthetic import month as synthetic

# Relative, so that a finished folder can be copied with all that it knows.
SOURCE = "published/{taxi}_tripdata_{year}-{month:02d}.parquet"


TRACKING = "sqlite:///mlflow.db"


MODEL = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear")


def publish(folder, month, seed=0):
    synthetic.write_month(
        folder / f"green_tripdata_{month}.parquet", "green", month, rows=2000, seed=seed
    )


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory):
    """A folder in which a model was registered, from files published up to February."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "published").mkdir()
    for month in (Month(2021, 1), Month(2021, 2)):
        publish(folder / "published", month)
    command = [
        *(Path(sys.executable).with_name("luigi"), "--module", "taxi_pipeline", *MODEL),
        *("--source-url", SOURCE, "--tracking-uri", TRACKING, "--local-scheduler"),
    ]
    result = run(command, folder, timeout=120)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def finished(finished_once, tmp_path, monkeypatch, luigi_config):
    folder = tmp_path / "copy"
    shutil.copytree(finished_once, folder)
    monkeypatch.chdir(folder)
    luigi_config("source", "url", SOURCE)
    luigi_config("tracking", "uri", TRACKING)
    return folder


@pytest.fixture
def empty(tmp_path, monkeypatch, luigi_config):
    """A folder in which nothing was run; the source has published all to February 2021."""
    monkeypatch.chdir(tmp_path)
    luigi_config("source", "url", "synthetic://?rows=2000&last=2021-02")
    return tmp_path


@contextlib.contextmanager
def untouched(folder):
    """Nothing under a folder is written, made or removed within."""

    def tree():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    before = tree()
    yield
    assert tree() == before


def model(month=1):
    return RegisterModel(year=2021, month=month, recipe="linear")
