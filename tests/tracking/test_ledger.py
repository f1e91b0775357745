"""The ledger is append-only, has one change a number, and knows which of them are confirmed."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.evaluation.champions import MOVED_BY_HAND, PINNED, PROMOTED
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tracking import ledger as ledgers
from taxi_pipeline.tracking.ledger import History, Ledger, NumberTaken, agrees, alias_version
from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion

NAME = "nyc-green-taxi-duration-linear"


@pytest.fixture(params=["folder", "object store"])
def ledger(request, tmp_path):
    root = str(tmp_path / "root")
    if request.param == "object store":
        root = f"memory://{tmp_path.name}-{id(tmp_path)}"
    return Ledger(open_storage(root), NAME, "the registry")


def append(ledger, version, action=PROMOTED, *, confirm=True, **facts):
    change = ledger.append(ledger.read(), action, version, pinned=False, why="it is good", **facts)
    if confirm:
        ledger.confirm(change)
    return change


def registered(alias="", *versions):
    """A model of the registry whose champion is a version."""
    made = datetime(2021, 6, 1, tzinfo=UTC)
    held = {
        number: RegisteredVersion("run", made, {"candidate_key": f"key {number}"})
        for number in versions
    }
    return RegisteredModel(held, {"champion": alias} if alias else {})


def test_an_empty_ledger_has_no_champion(ledger):
    assert ledger.read() == History()
    assert ledger.read().version == ""


def test_a_change_is_read_as_it_was_written(ledger):
    change = append(ledger, "1", candidate_key="key 1", training_month="2021-01", rmse=5.5)
    assert ledger.read() == History((change,), is_confirmed=True, last_number=1)
    assert (change.number, change.from_version, change.to_version) == (1, "", "1")
    assert change.by == ledgers.user_and_host()
    assert (change.model, change.registry) == (NAME, "the registry")


def test_a_change_is_in_a_file_of_its_own_by_number(ledger):
    append(ledger, "1")
    append(ledger, "2", confirm=False)
    assert sorted(ledger.storage.file_sizes(f"champions/{NAME}")) == [
        *("00001.done.json", "00001.json", "00002.json")
    ]
    content = ledger.storage.read_json(f"champions/{NAME}/00002.json")
    assert (content["from_version"], content["to_version"]) == ("1", "2")


def test_the_last_change_is_unconfirmed_until_the_registry_has_followed(ledger):
    change = append(ledger, "1", confirm=False)
    assert not ledger.read().is_confirmed
    assert ledger.interrupted() == [change]
    ledger.confirm(change)
    ledger.confirm(change)
    assert ledger.read().is_confirmed
    assert ledger.interrupted() == []


def test_two_writers_never_share_a_number(ledger):
    history = ledger.read()

    def write(number):
        try:
            return ledger.append(history, PROMOTED, str(number), pinned=False, why="").to_version
        except NumberTaken:
            return None

    with ThreadPoolExecutor(4) as threads:
        written = [version for version in threads.map(write, range(4)) if version]
    assert [change.to_version for change in ledger.read().changes] == written
    assert len(written) == 1


def test_each_registry_has_changes_of_its_own(ledger):
    append(ledger, "7")
    other = dataclasses.replace(ledger, registry="another")
    assert other.read() == History(last_number=1)
    change = append(other, "1", confirm=False)
    assert ledger.read().version == "7"
    assert ledger.read().is_confirmed
    assert ledger.interrupted() == []
    assert other.interrupted() == [change]


def test_a_damaged_change_is_one_line_that_says_what_to_do(ledger):
    append(ledger, "1")
    place = f"champions/{NAME}/00001.json"
    ledger.storage.write_json(place, {"when": "never"})
    with pytest.raises(DamagedOutput) as failure:
        ledger.read()
    assert str(failure.value) == (
        f"{ledger.storage.uri(place)} is damaged: it is no change of a champion; restore it from a "
        "backup, or have taxi-pipeline verify --repair set it aside"
    )


def test_the_number_of_a_change_that_was_set_aside_is_not_given_again(ledger):
    append(ledger, "1")
    append(ledger, "2")
    ledger.storage.set_aside(f"champions/{NAME}/00002.json")
    assert ledger.read().version == "1"
    assert append(ledger, "3").number == 3


# --- what was done in the registry ----------------------------------------------------------------


def test_a_champion_from_before_there_was_a_ledger_is_written_down(ledger):
    change = ledger.notice(ledger.read(), registered("2", "1", "2"))
    assert (change.action, change.from_version, change.to_version) == ("found", "", "2")
    assert change.candidate_key == "key 2"
    assert ledger.read() == History((change,), is_confirmed=True, last_number=1)


@pytest.mark.parametrize("model", [None, registered(), registered("", "1"), registered("7", "1")])
def test_a_model_without_champion_needs_no_change(ledger, model):
    assert ledger.notice(ledger.read(), model) is None
    assert ledger.read() == History()


@pytest.mark.parametrize(
    ("model", "to_version", "why"),
    [
        (registered("2", "1", "2"), "2", "the alias was moved in MLflow"),
        (registered("", "1", "2"), "", "the alias was deleted in MLflow"),
        (registered("1", "2"), "", "version 1 was deleted in MLflow"),
        (None, "", "the registered model is not in the registry any more"),
    ],
    ids=["moved", "deleted", "version-deleted", "model-deleted"],
)
def test_what_a_person_did_in_the_registry_is_written_down(ledger, model, to_version, why):
    append(ledger, "1", candidate_key="key 1")
    change = ledger.notice(ledger.read(), model)
    assert change.action == MOVED_BY_HAND
    assert (change.from_version, change.to_version) == ("1", to_version)
    assert (change.by, change.why) == ("", f"{why}; noticed by {ledgers.user_and_host()}")
    assert ledger.notice(ledger.read(), model) is None


def test_a_number_that_another_candidate_has_now_is_written_down(ledger):
    append(ledger, "1", candidate_key="of before")
    change = ledger.notice(ledger.read(), registered("1", "1"))
    assert (change.action, change.candidate_key) == (MOVED_BY_HAND, "key 1")
    assert agrees(ledger.read(), registered("1", "1"))


def test_a_move_by_hand_ends_a_pin_and_says_so(ledger):
    append(ledger, "1")
    ledger.append(ledger.read(), PINNED, "1", pinned=True, why="holidays")
    change = ledger.notice(ledger.read(), registered("2", "1", "2"))
    assert not change.pinned
    assert change.why.endswith("which ends the pin")
    assert ledger.read().champion.pin is None


def test_what_another_process_writes_meanwhile_is_no_move_by_hand(ledger):
    append(ledger, "1")
    before = ledger.read()
    append(ledger, "2")
    with pytest.raises(NumberTaken):
        ledger.notice(before, registered("2", "1", "2"))


def test_an_alias_of_a_version_that_is_not_there_names_no_champion():
    assert alias_version(registered("1", "1")) == "1"
    assert alias_version(registered("1", "2")) == ""
    assert alias_version(None) == ""


def test_a_user_without_a_name_is_named_by_number(monkeypatch):
    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert ledgers.user_and_host().partition("@")[0].isdigit()
