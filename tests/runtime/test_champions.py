"""Who serves, as the ledger and the registry say it together."""

from datetime import UTC, datetime

import pytest

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.runtime import champions
from taxi_pipeline.runtime.champions import ledger_names, serving
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tracking.ledger import NumberTaken
from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion

NAME = "nyc-green-taxi-duration-trip"


@pytest.fixture
def ledger(luigi_config, tmp_path):
    """Version 1 serves."""
    luigi_config("storage", "root", str(tmp_path))
    ledger = open_ledger(NAME)
    change = ledger.append(ledger.read(), "promoted", "1", pinned=False, why="it is good")
    ledger.confirm(change)
    return ledger


@pytest.fixture
def registry(monkeypatch):
    """Says to which version the alias points; an error is what it answers with."""
    answers = []

    def look_up(_uri, _name):
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    def answer(alias):
        made = datetime(2021, 6, 1, tzinfo=UTC)
        versions = {number: RegisteredVersion("run", made, {}) for number in "12"}
        held = {"champion": alias} if alias else {}
        answers.append(alias if isinstance(alias, Exception) else RegisteredModel(versions, held))

    monkeypatch.setattr(champions, "look_up", look_up)
    return answer


def test_ledger_and_registry_agree(ledger, registry):
    registry("1")
    found = serving(ledger, notice=True)
    assert (found.history.version, found.difference, found.hindrance) == ("1", "", "")


def test_what_was_moved_by_hand_is_written_down_if_that_is_wanted(ledger, registry):
    registry("2")
    found = serving(ledger, notice=False)
    assert found.history.version == "1"
    assert found.difference.startswith("the alias in MLflow points to version 2: the next regist")
    found = serving(ledger, notice=True)
    assert (found.history.version, found.difference) == ("2", "")
    assert ledger.read().changes[-1].action == "moved by hand"


def test_an_alias_that_was_deleted_is_told(ledger, registry):
    registry("")
    difference = serving(ledger, notice=False).difference
    assert difference.startswith("the alias in MLflow points to no version: ")


def test_a_change_that_is_not_confirmed_is_told_and_no_move_by_hand(ledger, registry):
    registry("1")
    ledger.append(ledger.read(), "promoted", "2", pinned=False, why="it is better")
    found = serving(ledger, notice=True)
    assert found.difference.startswith("change 2 (promoted, version 2) is not confirmed: ")
    assert [change.action for change in ledger.read().changes] == ["promoted", "promoted"]


def test_what_another_process_has_written_down_meanwhile_is_read(ledger, registry, monkeypatch):
    registry("2")

    def taken(*_arguments):
        change = ledger.append(ledger.read(), "promoted", "2", pinned=False, why="it is better")
        ledger.confirm(change)
        raise NumberTaken

    monkeypatch.setattr(type(ledger), "notice", taken)
    found = serving(ledger, notice=True)
    assert (found.history.version, found.difference) == ("2", "")


def test_a_registry_that_does_not_answer_is_told_and_the_ledger_believed(ledger, registry):
    registry(TrackingError("it is down"))
    found = serving(ledger, notice=True)
    assert (found.history.version, found.hindrance, found.difference) == ("1", "it is down", "")


def test_a_registry_that_cannot_be_asked_is_told(ledger, luigi_config):
    luigi_config("tracking", "uri", "databricks")
    found = serving(open_ledger(NAME), notice=True)
    assert found.hindrance == "a registry of this kind cannot be asked"


def test_the_models_with_a_ledger_are_known(ledger, tmp_path):
    assert ledger_names(ledger.storage) == [NAME]
    assert ledger_names(open_storage(str(tmp_path / "elsewhere"))) == []
