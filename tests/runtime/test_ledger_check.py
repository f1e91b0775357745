"""A ledger is readable, whole and in agreement with the registry, or a line says what it is not."""

from types import SimpleNamespace

import pytest

from taxi_pipeline.runtime import ledger_check
from taxi_pipeline.runtime.ledger_check import is_of_ledger, ledger_findings
from taxi_pipeline.storage import open_storage, verify
from taxi_pipeline.tasks.base.ledgers import open_ledger

NAME = "nyc-green-taxi-duration-trip"


@pytest.fixture
def storage(luigi_config, tmp_path, monkeypatch):
    """A root with a ledger of three changes."""
    monkeypatch.setattr(ledger_check, "serving", lambda *_, **__: SimpleNamespace(difference=""))
    luigi_config("storage", "root", str(tmp_path))
    ledger = open_ledger(NAME)
    for version in "123":
        ledger.confirm(
            ledger.append(ledger.read(), "promoted", version, pinned=False, why="it is good")
        )
    return open_storage(str(tmp_path))


def place(name):
    return f"champions/{NAME}/{name}"


def found(storage):
    return [(each.kind, each.location, each.problem) for each in ledger_findings(storage)]


def test_a_whole_ledger_has_no_findings(storage):
    assert found(storage) == []


def test_a_root_without_ledgers_has_no_findings(tmp_path):
    assert ledger_findings(open_storage(str(tmp_path))) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{", "it is no JSON"), ("", "it is empty"), ("{}", "it is no change of a champion")],
    ids=["no-json", "empty", "no-change"],
)
def test_a_damaged_change_is_found_and_set_aside(storage, tmp_path, content, problem):
    (tmp_path / place("00002.json")).write_text(content)
    (finding,) = ledger_findings(storage)
    assert (finding.kind, finding.location) == ("damaged", place("00002.json"))
    assert finding.problem.startswith(f"{problem}; restore it from a backup, or ")
    verify.repair(storage, [finding])
    assert [each[:2] for each in found(storage)] == [("differs", place("00002.json"))]
    assert open_ledger(NAME).read().version == "3"


def test_a_change_of_another_place_is_damage(storage, tmp_path):
    (tmp_path / place("00002.json")).write_text((tmp_path / place("00001.json")).read_text())
    assert found(storage) == [("damaged", place("00002.json"), f"it is change 1 of {NAME}")]


def test_a_change_that_was_removed_is_damage(storage, tmp_path):
    (tmp_path / place("00002.json")).unlink()
    (tmp_path / place("00002.done.json")).unlink()
    ((kind, location, problem),) = found(storage)
    assert (kind, location) == ("damaged", place("00002.json"))
    assert problem.startswith("this change is missing: ")


def test_what_is_no_change_is_an_orphan(storage, tmp_path):
    (tmp_path / place("notes.txt")).write_text("mine")
    assert found(storage) == [("orphan", place("notes.txt"), "it is no change of a champion")]


def test_a_registry_that_says_something_else_is_no_damage(storage, monkeypatch):
    differs = SimpleNamespace(difference="the alias points elsewhere")
    monkeypatch.setattr(ledger_check, "serving", lambda *_, **__: differs)
    (finding,) = ledger_findings(storage)
    assert str(finding) == f"differs     champions/{NAME}: the alias points elsewhere"
    assert not finding.is_damage


def test_a_location_is_known_as_that_of_a_ledger():
    assert is_of_ledger(place("00001.json"))
    assert not is_of_ledger("register/green/2021-01")
