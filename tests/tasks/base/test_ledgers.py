"""A ledger's changes are those of the configured registry, however that is written."""

from datetime import UTC, datetime

import pytest

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.month import Month
from taxi_pipeline.tasks.base.ledgers import (
    ServingVersion,
    find_version,
    first_served,
    open_ledger,
    registry,
    served_in,
    serving_version,
)
from taxi_pipeline.tracking.lookup import RegisteredModel, RegisteredVersion

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


def test_without_a_ledger_and_a_registry_nobody_serves(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    assert serving_version("nyc-green-taxi-duration-trip") is None


def test_the_version_that_serves_is_that_of_the_ledger(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    ledger = open_ledger("nyc-green-taxi-duration-trip")
    facts = {"candidate_key": "a key", "training_month": "2021-01"}
    ledger.append(ledger.read(), "promoted", "3", pinned=False, why="it is good", **facts)
    assert serving_version(ledger.model_name) == ServingVersion("3", "a key", "2021-01")


def test_before_there_is_a_ledger_the_registrys_alias_says_who_serves(
    luigi_config, tmp_path, monkeypatch
):
    luigi_config("storage", "root", str(tmp_path))
    tags = {"candidate_key": "a key", "training_month": "2021-02"}
    version = RegisteredVersion("a run", datetime.now(UTC), tags)
    model = RegisteredModel({"2": version}, {"champion": "2"})
    monkeypatch.setattr("taxi_pipeline.tasks.base.ledgers.look_up", lambda *_: model)
    assert serving_version("a model") == ServingVersion("2", "a key", "2021-02")


# --- the champion of a month ------------------------------------------------------------------

NAME = "nyc-green-taxi-duration-trip"
MARCH = Month(2021, 3)


@pytest.fixture
def promote(luigi_config, tmp_path, monkeypatch):
    """Writes down at a time that a version, trained to a month, became champion."""
    luigi_config("storage", "root", str(tmp_path))

    def append(version, trained, when):
        time = datetime.fromisoformat(when).replace(tzinfo=UTC)
        monkeypatch.setattr("taxi_pipeline.tracking.ledger.now", lambda: time)
        ledger = open_ledger(NAME)
        facts = {"candidate_key": f"key {version}", "training_month": trained}
        ledger.append(ledger.read(), "promoted", version, pinned=False, why="", **facts)

    return append


def test_who_served_in_a_month_is_told_by_the_times_of_the_ledger(promote):
    promote("1", "2020-12", "2021-02-20")
    promote("2", "2021-01", "2021-03-20")
    promote("3", "2021-02", "2021-04-20")
    served = served_in(NAME, MARCH)
    assert served.version == ServingVersion("2", "key 2", "2021-01")
    assert served.how == "the champion at the end of 2021-03, by the ledger"


@pytest.mark.parametrize(
    ("month", "version", "how"),
    [
        ("2021-04", "2", "the last of its champions that was evaluated on an earlier month"),
        ("2021-03", "1", "its first champion, since none was evaluated on an earlier month"),
    ],
    ids=["could have served", "first"],
)
def test_a_ledger_that_begins_later_says_so(promote, month, version, how):
    promote("1", "2021-03", "2026-11-26")
    promote("2", "2021-02", "2026-11-26")
    served = served_in(NAME, Month.parse(month))
    assert served.version.version == version
    assert served.how == f"the ledger begins on 2026-11-26, after {month}: {how}"


def test_a_month_at_whose_end_none_served_is_one_line(promote):
    promote("1", "2020-12", "2021-02-20")
    promote("", "", "2021-03-20")
    with pytest.raises(InvalidParameter, match=r"served at the end of 2021-03: name one with .*$"):
        served_in(NAME, MARCH)


@pytest.mark.parametrize("ask", [lambda: served_in(NAME, MARCH), lambda: first_served(NAME)])
def test_where_there_is_no_champion_a_line_says_what_to_do(luigi_config, tmp_path, ask):
    luigi_config("storage", "root", str(tmp_path))
    with pytest.raises(InvalidParameter, match=f"no champion of {NAME} is known"):
        ask()


def test_before_there_is_a_ledger_the_registrys_champion_is_both(
    luigi_config, tmp_path, monkeypatch
):
    luigi_config("storage", "root", str(tmp_path))
    version = RegisteredVersion("a run", datetime.now(UTC), {"training_month": "2021-02"})
    model = RegisteredModel({"2": version}, {"champion": "2"})
    monkeypatch.setattr("taxi_pipeline.tasks.base.ledgers.look_up", lambda *_: model)
    for served in (served_in(NAME, MARCH), first_served(NAME)):
        assert served.version.version == "2"
        assert served.how == "there is no ledger: the champion of the registry now"


def test_the_first_champion_is_that_of_the_first_entry(promote):
    promote("1", "2021-01", "2021-03-20")
    promote("2", "2021-02", "2021-04-20")
    first = first_served(NAME)
    assert (first.version.version, first.how) == ("1", "the first champion of the ledger")


def test_a_ledger_whose_first_entries_are_missing_says_so(promote, tmp_path):
    promote("1", "2021-01", "2021-03-20")
    promote("2", "2021-02", "2021-04-20")
    (tmp_path / "champions" / NAME / "00001.json").unlink()
    first = first_served(NAME)
    assert first.version.version == "2"
    assert first.how.endswith("whose entries before that are missing (version 1 served)")


def test_a_version_that_is_not_there_is_told_with_the_option_that_named_it(luigi_config, tmp_path):
    luigi_config("storage", "root", str(tmp_path))
    with pytest.raises(InvalidParameter, match=r"^--frozen-version 7: .* has no such version"):
        find_version(NAME, "7", "--frozen-version")
