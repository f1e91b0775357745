"""Folders in which a run is planned: one where nothing was run, and one where a model is made."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from taxi_pipeline import Month, RegisterModel
from taxi_pipeline.trips.synthetic import month as synthetic

# Relative, so that a finished folder can be copied with all that it knows.
SOURCE = "published/{taxi}_tripdata_{year}-{month:02d}.parquet"


TRACKING = "sqlite:///mlflow.db"


MODEL = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear")


def environment():
    """The environment of a command, without what the developer has set for Luigi."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LUIGI")}


def publish(folder, month, seed=0):
    synthetic.write_month(
        folder / f"green_tripdata_{month}.parquet", "green", month, rows=2000, seed=seed
    )


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A folder in which a model was registered, from files published up to February."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "published").mkdir()
    for month in (Month(2021, 1), Month(2021, 2)):
        publish(folder / "published", month)
    result = subprocess.run(
        [
            *(Path(sys.executable).with_name("luigi"), "--module", "taxi_pipeline", *MODEL),
            *("--source-url", SOURCE, "--tracking-uri", TRACKING, "--local-scheduler"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(),
        timeout=120,
    )
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
