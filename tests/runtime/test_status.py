"""What there is under a root: models by month and recipe, what is stale and why, what serves."""

import shutil

import luigi
import mlflow
import pytest

from taxi_pipeline import EvaluateModel, PromoteModel, RegisterModel, TransformTrips, config
from taxi_pipeline.model.recipes import registry
from taxi_pipeline.runtime.status import status
from taxi_pipeline.tasks.base.ledgers import open_ledger

NAME = "nyc-green-taxi-duration-linear"
LINEAR = {"recipe": "linear", "year": 2021, "month": 1}


@pytest.fixture
def root(tmp_path, luigi_config):
    luigi_config("storage", "root", str(tmp_path / "data"))
    luigi_config("source", "url", "synthetic://?rows=300")
    luigi_config("training", "threads", "1")
    return tmp_path / "data"


def run(*tasks):
    assert luigi.build(tasks, local_scheduler=True, workers=1)


@pytest.fixture
def registered(root, copy_root):
    """A month's model is registered."""
    copy_root("registered of 300 rows", root, lambda: run(RegisterModel(**LINEAR)))
    return root


def only():
    (model,) = status().models
    return model


@pytest.mark.usefixtures("root")
def test_an_empty_root_has_nothing():
    found = status()
    assert (found.models, found.ingested) == ([], {})


def test_a_registered_model_is_current_with_its_figures_and_aliases(registered):
    receipt = RegisterModel(**LINEAR).output().manifest()
    model = only()
    assert (model.taxi, model.recipe, model.window) == ("green", "linear", 1)
    assert (model.month, model.state, model.reason) == ("2021-01", "current", "")
    assert (model.rows, model.rmse) == (receipt["rows"], receipt["rmse"])
    assert model.version == "1"
    assert "challenger" in model.aliases
    assert model.made == receipt["finished"]
    assert status().ingested == {"green": ["2021-01", "2021-02"]}
    assert status().root == str(registered)


@pytest.mark.usefixtures("registered")
def test_a_changed_configuration_makes_it_stale_and_says_what_changed(luigi_config):
    luigi_config("cleaning", "max_minutes", 50)
    assert (only().state, only().reason) == ("stale", "cleaning.max_minutes was 60.0, is 50.0")
    assert only().version == "1"


@pytest.mark.usefixtures("registered")
def test_a_deleted_version_makes_it_stale():
    uri = config.tracking().server_uri
    client = mlflow.MlflowClient(uri, uri)
    client.delete_model_version("nyc-green-taxi-duration-linear", "1")
    model = only()
    assert model.state == "stale"
    assert model.reason == (
        "version 1 of nyc-green-taxi-duration-linear is not in the registry any more"
    )
    assert model.aliases == ()


def test_a_lost_month_makes_it_stale(registered):
    shutil.rmtree(registered / "ingest" / "green" / "2021-02")
    assert (only().state, only().reason) == ("stale", "a month that it needs is not ingested")


@pytest.mark.usefixtures("registered")
def test_months_of_another_source_are_told_with_what_names_it(luigi_config):
    assert status().elsewhere == ""
    luigi_config("source", "url", "synthetic://?rows=400")
    found = status()
    assert (only().state, only().reason) == ("unknown", "2021-01 is from another source")
    assert only().version == "1"
    assert found.elsewhere == (
        "no green 2021-01, green 2021-02 is known from [source] url synthetic://?rows=400, what is "
        "ingested came from synthetic://green_tripdata_2021-01.parquet?rows=300: --source-url, or "
        "[source] url in luigi.cfg, names another source"
    )


@pytest.mark.usefixtures("registered")
def test_a_version_that_serves_with_other_settings_is_seen_with_what_differs(luigi_config):
    run(PromoteModel(recipe="linear", version=1, reason="it is good"))
    luigi_config("cleaning", "max_minutes", 50)
    run(RegisterModel(**LINEAR))
    now, serves = status().models
    assert (now.version, now.state) == ("2", "current")
    assert (serves.version, serves.state) == ("1", "other")
    assert serves.reason == "cleaning.max_minutes was 60.0, is 50.0"
    assert "champion" in serves.aliases
    assert serves.rmse != now.rmse
    luigi_config("cleaning", "max_minutes", 60)
    assert only().version == "1"
    luigi_config("source", "url", "synthetic://?rows=400")
    assert {model.version for model in status().models} == {"1", "2"}


@pytest.mark.usefixtures("registered")
def test_the_champion_is_told_by_the_ledger_and_what_the_registry_says_otherwise():
    assert status().champions == []
    run(PromoteModel(recipe="linear", version=1, reason="it is good"))
    (champion,) = status().champions
    assert (champion.version, champion.month, champion.problem) == ("1", "2021-01", "")
    assert champion.model == NAME
    assert champion.pinned.startswith("version 1 is pinned since ")
    assert only().aliases == ("challenger", "champion")

    uri = config.tracking().server_uri
    mlflow.MlflowClient(uri, uri).delete_registered_model_alias(NAME, "champion")
    (champion,) = status().champions
    assert champion.version == "1"
    assert champion.problem.startswith("the alias in MLflow points to no version: ")
    assert len(open_ledger(NAME).read().changes) == 1
    assert status("yellow").champions == []


def test_a_damaged_ledger_is_told(registered):
    place = registered / "champions" / NAME / "00001.json"
    place.parent.mkdir(parents=True)
    place.write_text("{")
    (champion,) = status().champions
    assert champion.version is None
    assert "00001.json is damaged: it is no JSON; restore it" in champion.problem


@pytest.mark.usefixtures("root")
def test_a_model_that_was_never_registered_is_unfinished():
    run(EvaluateModel(**LINEAR))
    model = only()
    assert (model.state, model.reason) == ("unfinished", "made as far as evaluate")
    assert model.rmse == EvaluateModel(**LINEAR).output().manifest()["rmse"]
    assert model.version == ""


@pytest.mark.usefixtures("root")
def test_a_month_without_a_model_is_ingested_only():
    run(TransformTrips(year=2021, month=1))
    found = status()
    assert found.models == []
    assert found.ingested == {"green": ["2021-01"]}


@pytest.mark.usefixtures("registered")
def test_a_recipe_that_is_not_known_here_is_told(monkeypatch):
    monkeypatch.delitem(registry.RECIPES, "linear")
    luigi.task_register.Register.clear_instance_cache()
    model = only()
    assert model.state == "unknown"
    assert model.reason == (
        "no recipe is named 'linear' here: --module names the module that has it"
    )
    assert (model.version, model.aliases) == ("1", ("challenger",))


@pytest.mark.usefixtures("registered")
def test_one_taxi_can_be_asked_for():
    assert status("yellow").models == []
    assert len(status("green").models) == 1


@pytest.mark.usefixtures("registered")
def test_a_registry_that_does_not_answer_is_told_and_the_receipt_is_believed(luigi_config):
    server = config.tracking().server_uri
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    found = status()
    assert "does not answer" in found.registry
    assert found.models[0].aliases == ()
    assert server.startswith("sqlite")
