"""Registration is a faithful copy that can be made any number of times."""

import json
import shutil

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow_runs import assert_copied, runs

from taxi_pipeline import EvaluateModel, IngestTrips, RegisterModel, TuneHyperparameters
from taxi_pipeline.config import tracking as tracking_config
from taxi_pipeline.tasks import tune
from taxi_pipeline.tuning.results import TuningResult

NAME = "nyc-green-taxi-duration-linear"


@pytest.fixture
def register(pipeline, copy_root):
    """Registers linear models; that of January is evaluated already."""
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    copy_root("linear evaluated", pipeline.root, lambda: pipeline.run(task))

    def run(month=1, year=2021, **parameters):
        task = RegisterModel(year=year, month=month, recipe="linear", **parameters)
        assert pipeline.run(task).status.name.startswith("SUCCESS")
        return json.loads(task.output().file(task.RECEIPT).read_text())

    return run


@pytest.fixture
def easy_gate(monkeypatch):
    # The linear model of the tests is not better than the lookup: let it pass nevertheless.
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)


@pytest.fixture
def client(pipeline):
    def connect():
        return mlflow.MlflowClient(tracking_config().server_uri)

    return connect


def test_a_model_that_passes_the_gate_is_challenger_and_champion(register, client, easy_gate):
    receipt = register()
    assert receipt["aliases"] == ["challenger", "champion"]
    aliases = client().get_registered_model(NAME).aliases
    assert {name: str(version) for name, version in aliases.items()} == {
        "challenger": "1",
        "champion": "1",
    }


def test_a_model_that_does_not_pass_is_challenger_only_and_the_receipt_says_why(register, client):
    receipt = register()
    assert receipt["aliases"] == ["challenger"]
    assert "not champion" in receipt["decision"]
    assert list(client().get_registered_model(NAME).aliases) == ["challenger"]


def test_the_run_holds_parameters_metrics_datasets_commit_and_quality(register, client):
    receipt = register()
    run = client().get_run(receipt["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["recipe"] == "linear"
    assert run.data.params["evaluation_month"] == "2021-02"
    assert {
        *("rmse", "rmse_low", "rmse_high", "mae", "r2", "median_abs_error", "p90_abs_error"),
        *("bias", "within_2_minutes", "within_5_minutes", "within_5_minutes_high"),
        *("zone_pair_baseline_rmse", "linear_baseline_rmse"),
        *("interval_coverage", "interval_width"),
    } <= set(run.data.metrics)
    datasets = {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}
    digest = IngestTrips(year=2021, month=1).output().manifest()["files"]["trips.parquet"]
    assert datasets["green 2021-01"] == digest["sha256"][:36]
    assert set(datasets) == {"green 2021-01", "green 2021-02"}
    assert run.data.tags["mlflow.source.git.commit"]
    assert client().list_artifacts(receipt["run_id"], "quality/2021-01")
    evaluation = {file.path for file in client().list_artifacts(receipt["run_id"], "evaluation")}
    names = ("metrics.json", "slices.parquet", "slices.csv", "evaluation.png", "coverage.json")
    assert evaluation == {f"evaluation/{name}" for name in names}


def test_registering_again_makes_no_second_run_and_no_second_version(pipeline, register, client):
    first = register()
    shutil.rmtree(pipeline.root / "register")  # the receipt is lost
    assert register() == first
    assert len(client().search_model_versions(f"name = '{NAME}'")) == 1
    experiment = client().get_experiment_by_name("nyc-taxi-duration")
    assert len(client().search_runs([experiment.experiment_id])) == 1


@pytest.mark.parametrize(
    "broken",
    [
        "models.upload_model",
        pytest.param("registration.finish_run", marks=pytest.mark.slow),
        pytest.param("registration.get_or_create_version", marks=pytest.mark.slow),
        pytest.param("registration.verify_version", marks=pytest.mark.slow),
        "registration.move_aliases",
    ],
)
def test_an_interrupted_registration_is_completed_by_the_next(
    pipeline, register, client, monkeypatch, broken
):
    def interrupted(*_, **__):
        raise RuntimeError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(f"taxi_pipeline.tracking.{broken}", interrupted)
        task = RegisterModel(year=2021, month=1, recipe="linear")
        assert not pipeline.run(task).status.name.startswith("SUCCESS")
    receipt = register()
    assert receipt["version"] == "1"
    experiment = client().get_experiment_by_name("nyc-taxi-duration")
    runs = client().search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"]
    assert len(client().search_model_versions(f"name = '{NAME}'")) == 1


def test_aliases_never_move_to_an_older_month(register, client, easy_gate):
    newer = register(month=3)
    older = register(month=1)
    assert older["aliases"] == []
    assert "newer month 2021-03" in older["decision"]
    champion = client().get_model_version_by_alias(NAME, "champion")
    assert str(champion.version) == newer["version"]


def test_another_tracking_server_gets_a_registration_of_its_own(pipeline, register, tmp_path):
    first = register()
    pipeline.configure("tracking", "uri", f"sqlite:///{tmp_path}/other.db")
    second = register()
    assert second["run_id"] != first["run_id"]
    pipeline.configure("tracking", "uri", "")
    assert RegisterModel(year=2021, month=1, recipe="linear").complete()


def test_another_gate_judges_the_same_candidate_again(pipeline, register, client):
    first = register()
    pipeline.configure("gate", "min_gain", "0.9")
    second = register()
    assert second["run_id"] == first["run_id"]
    assert second["version"] == first["version"]


def test_a_champion_that_the_gate_would_not_pass_now_stays_and_the_receipt_says_so(
    pipeline, register, monkeypatch
):
    with monkeypatch.context() as easy:
        easy.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)
        register()
    pipeline.configure("gate", "min_gain", "0.9")
    receipt = register()
    assert receipt["aliases"] == ["challenger", "champion"]
    assert receipt["decision"].startswith("champion from before")


def test_the_registered_model_predicts_published_rows(pipeline, register):
    register()
    mlflow.set_tracking_uri(tracking_config().server_uri)
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")
    rows = pd.read_parquet(IngestTrips(year=2021, month=2).output().file("trips.parquet"))
    minutes = model.predict(rows)
    assert len(minutes) == len(rows)
    assert model.metadata.signature is not None
    some = rows[rows.index % 3 == 1]
    np.testing.assert_array_equal(model.predict(some), minutes[some.index])
    needed = rows[["lpep_pickup_datetime", "PULocationID", "DOLocationID"]]
    assert len(model.predict(needed)) == len(rows)


def test_no_server_is_one_line_and_nothing_made_is_lost(pipeline, console):
    pipeline.configure("tracking", "uri", "http://127.0.0.1:9")
    task = RegisterModel(year=2021, month=1, recipe="linear")
    assert not pipeline.run(task).status.name.startswith("SUCCESS")
    errors = [record.getMessage() for record in console.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "cannot be reached" in errors[0]
    assert len(pipeline.made("evaluate")) == 1


# --- the search -------------------------------------------------------------------------------

TUNED = "nyc-green-taxi-duration-trip"


@pytest.fixture
def register_tuned(pipeline, monkeypatch):
    """Registers a model that was searched for, without a copy of the search while it ran."""
    monkeypatch.setattr(tune._LiveCopy, "offer", lambda *_, **__: None)
    pipeline.configure("tuning", "trials", "3")

    def run():
        task = RegisterModel(year=2021, month=1)
        assert pipeline.run(task).status.name.startswith("SUCCESS")
        return json.loads(task.output().file(task.RECEIPT).read_text())

    return run


def tuned():
    """The task that searched, and its trials."""
    task = TuneHyperparameters(year=2021, month=1)
    written = json.loads(task.output().file(task.CHOICE).read_text())
    return task, TuningResult.from_json(written).trials


def test_each_trial_is_a_nested_run_of_the_searchs_run(register_tuned, client):
    register_tuned()
    task, trials = tuned()
    assert len(trials) == 3
    search = assert_copied(client(), trials)
    assert search.info.status == "FINISHED"
    assert search.info.run_name == "search 2021-01 trip"
    assert search.data.tags["search_key"] == task.search_key
    assert (search.data.tags["recipe"], search.data.tags["taxi"]) == ("trip", "green")
    assert search.data.metrics == {"best_rmse": min(trial.rmse for trial in trials)}


def test_the_candidates_run_names_the_run_of_the_search_and_what_won_in_it(register_tuned, client):
    receipt = register_tuned()
    (search,), _, (candidate,) = runs(client())
    assert candidate.info.run_id == receipt["run_id"]
    assert candidate.data.tags["search_run_id"] == search.info.run_id
    choice, _ = tuned()
    assert candidate.data.tags["tuned_by"] == choice.output().manifest()["tuned_by"] != ""
    version = client().get_model_version(TUNED, receipt["version"])
    assert version.tags["search_run_id"] == search.info.run_id


def test_the_candidates_run_holds_the_choice_the_table_and_the_plot(register_tuned, client):
    receipt = register_tuned()
    held = {entry.path for entry in client().list_artifacts(receipt["run_id"], "tuning")}
    assert held == {"tuning/choice.json", "tuning/trials.csv", "tuning/search.png"}


def test_a_recipe_that_is_not_tuned_has_no_run_of_a_search(register, client):
    receipt = register()
    searches, trials, (candidate,) = runs(client())
    assert searches == trials == []
    assert candidate.info.run_id == receipt["run_id"]
    assert not {"search_run_id", "tuned_by"} & set(candidate.data.tags)


def test_registering_again_copies_no_trial_again(pipeline, register_tuned, client):
    first = register_tuned()
    before = [run.info for group in runs(client()) for run in group]
    shutil.rmtree(pipeline.root / "register")  # the receipt is lost
    assert register_tuned() == first
    after = [run.info for group in runs(client()) for run in group]
    assert [run.run_id for run in after] == [run.run_id for run in before]
    assert_copied(client(), tuned()[1])


def test_more_trials_are_added_to_the_same_run_of_a_search(pipeline, register_tuned, client):
    register_tuned()
    (search,), before, _ = runs(client())
    pipeline.configure("tuning", "trials", "5")
    register_tuned()
    assert assert_copied(client(), tuned()[1]).info.run_id == search.info.run_id
    _, after, _ = runs(client())
    assert len(after) == 5
    assert [run.info.run_id for run in after[:3]] == [run.info.run_id for run in before]


@pytest.mark.parametrize(
    ("call", "left"),
    [
        pytest.param("create_run", ["FINISHED"], marks=pytest.mark.slow),
        ("log_batch", ["FINISHED", "FINISHED", "RUNNING"]),
        pytest.param("set_terminated", ["FINISHED", "FINISHED", "RUNNING"], marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_copy_of_a_search_is_completed_by_the_next(
    register_tuned, client, monkeypatch, call, left
):
    made, original = [], getattr(mlflow.MlflowClient, call)

    def interrupted(*arguments, **options):
        made.append(call)
        if len(made) == 3:
            raise RuntimeError("interrupted")
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, call, interrupted)
        with pytest.raises(AssertionError):
            register_tuned()
    (search,), there, candidates = runs(client())
    assert search.info.status == "RUNNING"
    assert [run.info.status for run in there] == left
    assert candidates == []

    register_tuned()
    assert assert_copied(client(), tuned()[1]).info.status == "FINISHED"
    _, whole, _ = runs(client())
    kept = [run.info.run_id for run in there]
    assert [run.info.run_id for run in whole[: len(kept)]] == kept


def test_trials_that_were_lost_from_the_middle_of_a_copy_are_copied_again(
    pipeline, register_tuned, client
):
    register_tuned()
    _, (_, second, _), _ = runs(client())
    client().delete_run(second.info.run_id)
    shutil.rmtree(pipeline.root / "register")
    register_tuned()
    assert_copied(client(), tuned()[1])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("trials", "2"),
        pytest.param("patience", "1", marks=pytest.mark.slow),
        pytest.param("seconds", "0", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_search_that_has_ended_says_so_in_mlflow_before_a_model_is_registered(
    pipeline, client, monkeypatch, option, value
):
    monkeypatch.setattr(tune._LiveCopy, "LAST_WAIT", 60.0)
    pipeline.configure("tuning", "trials", "20")
    pipeline.configure("tuning", "parallel", "1")
    pipeline.configure("tuning", option, value)
    pipeline.run(TuneHyperparameters(year=2021, month=1))
    trials = tuned()[1]
    assert len(trials) < 20
    assert assert_copied(client(), trials).info.status == "FINISHED"


def test_a_search_in_progress_is_found_in_mlflow_and_completed_by_the_registration(
    pipeline, client, monkeypatch
):
    offer = tune._LiveCopy.offer

    def only_the_first(live, trials, *, ended=False):
        if not ended:
            offer(live, trials)

    monkeypatch.setattr(tune._LiveCopy, "offer", only_the_first)
    monkeypatch.setattr(tune._LiveCopy, "LAST_WAIT", 60.0)
    monkeypatch.setattr(tune._LiveCopy, "INTERVAL", 1000.0)
    pipeline.configure("tuning", "trials", "3")
    pipeline.run(TuneHyperparameters(year=2021, month=1))
    trials = tuned()[1]
    search = assert_copied(client(), trials[:1])
    assert search.info.status == "RUNNING"

    pipeline.run(RegisterModel(year=2021, month=1))
    assert assert_copied(client(), trials).info.run_id == search.info.run_id
