"""What a registered version's run says of its evaluation."""

import pytest

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking.evaluations import recorded_evaluation
from taxi_pipeline.tracking.server import TrackingServer


def test_the_metrics_and_the_month_of_the_evaluation_are_those_of_the_run(server, copy, candidate):
    parameters = {**candidate.parameters, "evaluation_month": "2021-02"}
    made = copy(parameters=parameters, metrics={"rmse": 5.5, "rmse_low": 5.3, "r2": 0.8})
    month, metrics = recorded_evaluation(server, made.model_name, made.version)
    assert month == "2021-02"
    assert (metrics["rmse"], metrics["rmse_low"], metrics["r2"]) == (5.5, 5.3, 0.8)


def test_a_run_that_does_not_say_the_month_has_none(server, copy):
    made = copy()
    assert recorded_evaluation(server, made.model_name, made.version).month == ""


@pytest.mark.parametrize("version", ["9", "1"], ids=["another", "deleted"])
def test_a_version_that_is_not_there_has_no_evaluation(server, client, copy, version):
    made = copy()
    if version == made.version:
        client.delete_model_version(made.model_name, version)
    assert recorded_evaluation(server, made.model_name, version) is None


def test_a_model_that_a_person_registered_has_none(server, client):
    client.create_registered_model("a model")
    client.create_model_version("a model", "file:///nowhere")
    assert recorded_evaluation(server, "a model", "1") is None


def test_a_run_without_an_rmse_has_none(server, client, copy):
    made = copy()
    run = client.create_run("0")
    client.create_model_version(made.model_name, "file:///nowhere", run_id=run.info.run_id)
    assert recorded_evaluation(server, made.model_name, "2") is None


def test_a_server_that_is_down_is_one_line():
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9") as caught:
        recorded_evaluation(TrackingServer("http://127.0.0.1:9", "nobody"), "a model", "1")
    assert "\n" not in str(caught.value)
