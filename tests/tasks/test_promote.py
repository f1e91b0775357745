"""A person makes a version the champion, and that is done as long as it is so."""

import luigi
import mlflow
import pytest

from taxi_pipeline import PromoteModel, RegisterModel, config
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime.plan import plan
from taxi_pipeline.tasks.base.ledgers import open_ledger

NAME = "nyc-green-taxi-duration-linear"


def promote(version=1, reason="it is better"):
    return PromoteModel(recipe="linear", version=version, reason=reason)


def run(task):
    return luigi.build([task], local_scheduler=True, workers=1)


@pytest.fixture
def client(finished):
    """A registry with one version, which is no champion."""
    uri = config.tracking().server_uri
    return mlflow.MlflowClient(uri, uri)


@pytest.fixture
def promoted(client):
    assert run(promote())
    return client


@pytest.fixture
def alerts(monkeypatch):
    posted = []
    monkeypatch.setattr("taxi_pipeline.observability.alerts.post_alert", posted.append)
    return posted


def test_the_version_becomes_champion_and_is_pinned(client, caplog, alerts):
    caplog.set_level("INFO", logger="luigi-interface")
    assert not promote().complete()
    assert run(promote())
    assert promote().complete()
    assert str(client.get_model_version_by_alias(NAME, "champion").version) == "1"
    champion = open_ledger(NAME).read().champion
    assert (champion.version, champion.pin) == ("1", champion.since)
    line = f"{NAME} version 1 is champion: promoted by {champion.since.by} (it is better)"
    assert alerts == [line]
    assert f"PromoteModel green linear 1: {line}" in caplog.messages


def test_a_task_that_is_done_is_not_run_again(promoted):
    assert run(promote(reason="another"))
    assert len(open_ledger(NAME).read().changes) == 1
    assert plan(promote())[0].state == "done"


def test_it_is_not_done_any_more_once_the_alias_was_moved(promoted):
    promoted.delete_registered_model_alias(NAME, "champion")
    assert not promote().complete()
    assert run(promote())
    assert promote().complete()
    actions = [change.action for change in open_ledger(NAME).read().changes]
    assert actions == ["promoted", "moved by hand", "rolled back"]


def test_it_is_not_done_while_the_change_is_not_confirmed(promoted, finished):
    (finished / f"data/champions/{NAME}/00001.done.json").unlink()
    assert not promote().complete()
    assert not RegisterModel(year=2021, month=1, recipe="linear").complete()
    assert run(promote())
    assert promote().complete()
    assert RegisterModel(year=2021, month=1, recipe="linear").complete()


def test_a_registration_completes_a_promotion_that_was_interrupted(client, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            promote().run()
    task = RegisterModel(year=2021, month=1, recipe="linear")
    assert not task.complete()
    (*_, step) = plan(task)
    assert step.reason == f"version 1 of {NAME} was to become champion, and a run ended"
    assert run(task)
    assert task.complete()
    assert promote().complete()
    assert len(open_ledger(NAME).read().changes) == 1


def test_a_version_that_is_not_there_is_one_line(client, caplog):
    assert not run(promote(9))
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.endswith(f"{NAME} has no version 9: there are 1")


def test_a_registry_that_does_not_answer_is_one_line(promoted, luigi_config, caplog):
    ledger = open_ledger(NAME)
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    other = open_ledger(NAME)
    change = other.append(other.read(), "promoted", "1", pinned=True, why="")
    other.confirm(change)
    caplog.clear()
    assert not promote().complete()
    assert not run(promote())
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "cannot be reached" in line
    assert ledger.read().version == "1"


def test_a_registry_that_cannot_be_asked_is_taken_to_follow_the_ledger(finished, luigi_config):
    luigi_config("tracking", "uri", "databricks")
    ledger = open_ledger(NAME)
    ledger.confirm(ledger.append(ledger.read(), "promoted", "1", pinned=True, why=""))
    assert promote().complete()


@pytest.mark.parametrize("reason", ["", " ", None])
def test_a_reason_must_be_given(reason):
    with pytest.raises(InvalidParameter, match=r"^--reason is .*: it must be a few words that say"):
        promote(reason=reason)


def test_the_reason_is_one_line_and_no_part_of_the_tasks_identity():
    task = promote(reason="it is\n better ")
    assert task.reason == "it is better"
    assert task.task_id == promote(reason="another").task_id
