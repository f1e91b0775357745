"""The files beside MLflow's database are compared with what the database names."""

import shutil
import sqlite3

import mlflow
import pytest

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking.artifacts import (
    LISTING,
    damage_of_files,
    folders_without_names,
    versions_with_damage,
    write_listing,
)
from taxi_pipeline.tracking.relocation import relocate


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry with a model of two versions, of which one is deleted, and a run with a file."""
    folder = tmp_path_factory.mktemp("registry")
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db", f"sqlite:///{folder}/mlflow.db")
    experiment = client.create_experiment("one", (folder / "artifacts").as_uri())
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "text", "notes.txt")
    client.create_registered_model("model")
    for name in ("first", "second"):
        model = client.create_logged_model(experiment, name, run.info.run_id)
        place = folder / "artifacts" / "models" / model.model_id / "artifacts"
        place.mkdir(parents=True)
        (place / "MLmodel").write_text("{}")
        client.finalize_logged_model(model.model_id, "READY")
        client.create_model_version("model", place.as_uri())
    client.delete_model_version("model", "2")
    return folder


@pytest.fixture
def file(registry, tmp_path):
    folder = shutil.copytree(registry, tmp_path / registry.name)
    relocate(folder / "mlflow.db")
    return folder / "mlflow.db"


def model_folder(file, version):
    query = "SELECT storage_location FROM model_versions WHERE version = ?"
    with sqlite3.connect(file) as database:
        ((location,),) = database.execute(query, (version,)).fetchall()
    return file.parent / "artifacts" / location.partition("/artifacts/")[2]


def test_what_is_whole_has_all_files_and_no_others(file):
    assert versions_with_damage(file) == []
    assert folders_without_names(file) == []


def test_a_version_whose_files_are_missing_is_named_with_their_place(file):
    folder = model_folder(file, 1)
    (folder / "MLmodel").unlink()
    assert versions_with_damage(file) == [("model", "1", f"its files are missing ({folder})")]


@pytest.fixture
def listed(file):
    """The folder of a version whose files are listed."""
    folder = model_folder(file, 1)
    (folder / "data").mkdir()
    (folder / "data" / "model.json").write_text("{}")
    write_listing(folder)
    return folder


def test_files_that_others_add_to_a_version_are_no_damage(file, listed):
    (listed / "registered_model_meta").write_text("name: model")
    assert versions_with_damage(file) == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("data/model.json", None, "its data/model.json is missing"),
        ("data/model.json", "[]", "its data/model.json is not what was registered"),
        ("MLmodel", "{ ", "its MLmodel is not what was registered"),
        (LISTING, "", "files.json is damaged: it is empty"),
        (LISTING, "[]", "files.json is damaged: it lists no files"),
    ],
    ids=["missing", "changed", "described otherwise", "empty list", "no list"],
)
def test_damaged_files_of_a_version_are_named(file, listed, name, content, problem):
    if content is None:
        (listed / name).unlink()
    else:
        (listed / name).write_text(content)
    assert damage_of_files(listed) == problem
    assert versions_with_damage(file) == [("model", "1", f"{problem} ({listed})")]


def test_files_of_a_deleted_version_may_be_missing(file):
    query = "SELECT artifact_location FROM logged_models WHERE name = 'second'"
    with sqlite3.connect(file) as database:
        ((location,),) = database.execute(query).fetchall()
    (file.parent / "artifacts" / location.partition("/artifacts/")[2] / "MLmodel").unlink()
    assert versions_with_damage(file) == []


def test_folders_of_no_run_and_no_model_are_named(file):
    lost = [file.parent / "artifacts" / name for name in ("lost", "models/m-lost")]
    for folder in lost:
        (folder / "artifacts").mkdir(parents=True)
    (file.parent / "artifacts" / "traces" / "tr-1").mkdir(parents=True)
    assert folders_without_names(file) == lost


def test_a_database_that_is_not_there_or_of_something_else_names_nothing(tmp_path):
    file = tmp_path / "mlflow.db"
    assert versions_with_damage(file) == folders_without_names(file) == []
    sqlite3.connect(file).execute("CREATE TABLE runs (artifact_uri)")
    assert versions_with_damage(file) == folders_without_names(file) == []


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_text("no database at all, but long enough to be read as one " * 100)
    with pytest.raises(TrackingError, match=r"^MLflow's database .* cannot be read \(.*\): move"):
        versions_with_damage(file)
