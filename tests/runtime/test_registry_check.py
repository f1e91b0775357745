"""The registry and the outputs under the root say the same, or a line says what they do not."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from taxi_pipeline.runtime.registry_check import registry_findings
from taxi_pipeline.storage import open_storage, verify

MODEL = "nyc-green-taxi-duration-linear"


@pytest.fixture
def root(finished):
    return open_storage("data")


def lines(storage):
    return [str(finding) for finding in registry_findings(storage)]


def execute(sql, *values):
    with sqlite3.connect("mlflow.db") as database:
        database.execute(sql, values)


def receipt():
    """Where the receipt is; a copied folder has a copy for each link."""
    found = Path("data/register").rglob("receipt.json")
    (place,) = (path.parent for path in found if path.parent.name != "latest")
    return str(place.relative_to("data"))


def test_what_was_registered_is_in_the_registry(root):
    assert lines(root) == []


def test_a_root_without_models_does_not_ask_the_registry(tmp_path, luigi_config):
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    assert registry_findings(open_storage(str(tmp_path))) == []


def test_a_receipt_for_a_version_that_was_deleted_is_found_and_set_aside(root):
    execute("UPDATE model_versions SET current_stage = 'Deleted_Internal'")
    execute("DELETE FROM registered_model_aliases")
    (finding,) = registry_findings(root)
    assert str(finding) == f"damaged     {receipt()}: version 1 of {MODEL} is not in the registry"
    verify.repair(root, [finding])
    assert registry_findings(root) == []


def test_a_receipt_for_a_version_of_another_candidate_is_found(root):
    execute("UPDATE model_version_tags SET value = 'ffff' WHERE key = 'candidate_key'")
    assert lines(root) == [
        f"damaged     {receipt()}: version 1 of {MODEL} is of another candidate",
        f"orphan      models:/{MODEL}/1: what it was made from (ffff) is not under this root",
    ]


def test_receipts_of_another_registry_are_not_compared_with_this_one(root, luigi_config):
    luigi_config("tracking", "uri", "sqlite:///other.db")
    assert lines(root) == []


def test_an_alias_of_a_version_that_was_deleted_is_found(root):
    execute(
        "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, 'old', 7)", MODEL
    )
    (line,) = lines(root)
    problem = "it points to version 7, which was deleted: give the alias to another version"
    assert line.startswith(f"damaged     models:/{MODEL}@old: {problem}")


def test_a_version_whose_files_are_missing_is_found_by_its_receipt(root):
    lines(root)  # follows the copied folder
    shutil.rmtree("artifacts/models")
    (finding,) = registry_findings(root)
    assert finding.location == receipt()
    assert f"version 1 of {MODEL} is damaged: its files are missing (" in finding.problem
    assert finding.set_aside


def test_a_file_of_a_version_that_is_not_what_was_registered_is_found_by_its_receipt(root):
    lines(root)  # follows the copied folder
    (file,) = Path("artifacts/models").rglob("linear.skops")
    file.write_bytes(file.read_bytes()[:-1])
    (finding,) = registry_findings(root)
    assert finding.location == receipt()
    problem = f"version 1 of {MODEL} is damaged: its data/model/linear.skops is not what was"
    assert finding.problem.startswith(problem)
    assert finding.set_aside


def test_a_version_without_files_and_without_receipt_is_found_too(root):
    lines(root)  # follows the copied folder
    shutil.rmtree("artifacts/models")
    shutil.rmtree(Path("data", receipt()).parent)
    (finding,) = registry_findings(root)
    assert finding.location == f"models:/{MODEL}/1"
    assert finding.is_damage
    assert not finding.set_aside


def test_files_that_no_run_names_are_orphans(root):
    Path("artifacts/models/m-lost/artifacts").mkdir(parents=True)
    (finding,) = registry_findings(root)
    assert finding.kind == "orphan"
    assert finding.location.endswith("artifacts/models/m-lost")


def test_a_registry_that_does_not_answer_is_told(root, luigi_config):
    luigi_config("tracking", "uri", "http://user:secret@127.0.0.1:9")
    (finding,) = registry_findings(root)
    assert finding.kind == "unreadable"
    assert "does not answer" in finding.problem
    assert "secret" not in str(finding)


def test_a_damaged_database_may_be_moved_away(root):
    lines(root)  # follows the copied folder
    file = Path("mlflow.db")
    file.write_bytes(file.read_bytes()[:100_000])
    (finding,) = registry_findings(root)
    assert finding.kind == "unreadable"
    assert ": move it away, and RegisterModel makes a new one" in finding.problem
    file.rename("moved away")
    (finding, *_) = registry_findings(root)
    assert finding.problem == f"version 1 of {MODEL} is not in the registry"


def test_a_registry_that_cannot_be_asked_is_told_and_is_no_damage(root, luigi_config):
    luigi_config("tracking", "uri", "databricks")
    assert lines(root) == ["elsewhere   databricks: a registry of this kind cannot be asked"]
