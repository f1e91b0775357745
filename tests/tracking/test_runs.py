"""The run of a candidate holds all that is known of it."""

import json

import mlflow
import pytest


def test_a_run_holds_parameters_metrics_datasets_and_files(copy, client):
    run = client.get_run(copy().run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "2021-01 linear"
    assert run.data.params == {"recipe": "linear", "window": "1"}
    assert run.data.metrics == {"rmse": 5.5, "mae": 4.5}
    assert run.data.tags["candidate_key"] == "a key"
    assert run.data.tags["training_month"] == "2021-01"
    files = client.list_artifacts(run.info.run_id, "evaluation")
    assert [file.path for file in files] == ["evaluation/metrics.json"]


def test_the_published_files_are_its_datasets(copy, client):
    run = client.get_run(copy().run_id)
    datasets = {
        entry.dataset.name: (entry.dataset, {tag.key: tag.value for tag in entry.tags})
        for entry in run.inputs.dataset_inputs
    }
    web, tags = datasets["green 2021-01"]
    assert (web.digest, tags) == ("a" * 36, {"mlflow.data.context": "training"})
    assert mlflow.data.get_source(web).url == "https://tlc.example/green.parquet"
    local, tags = datasets["green 2021-02"]
    assert tags == {"mlflow.data.context": "evaluation"}
    assert json.loads(local.source) == {"uri": "/files/green.parquet"}


@pytest.mark.parametrize("tuned", [False, True])
def test_its_description_says_what_the_metrics_are(copy, client, tuned):
    metrics = {"rmse": 5.5, "mae": 4.5, **({"tuning_rmse": 5.0} if tuned else {})}
    run = client.get_run(copy(metrics=metrics).run_id)
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith("A linear model.")
    assert "`rmse`" in note
    assert ("`tuning_rmse` is the error in minutes of the chosen final fit" in note) is tuned


def test_more_parameters_and_metrics_than_mlflow_takes_at_a_time_are_logged(copy, client):
    parameters = {f"parameter_{number}": number for number in range(250)}
    metrics = {"rmse": 5.5, **{f"metric_{number}": float(number) for number in range(1100)}}
    run = client.get_run(copy(parameters=parameters, metrics=metrics).run_id)
    assert run.data.params == {name: str(value) for name, value in parameters.items()}
    assert run.data.metrics == metrics


def test_a_value_of_any_length_is_logged_as_far_as_mlflow_takes_it(copy, client):
    run = client.get_run(copy(parameters={"long": "x" * 10_000}).run_id)
    assert set(run.data.params["long"]) == {"x"}
