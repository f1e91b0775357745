"""A search is copied to MLflow: a run of its own, and in it a run for each trial."""

import mlflow
import pytest
from mlflow_runs import assert_copied, runs

from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tracking.records import Search
from taxi_pipeline.tracking.searches import log_search
from taxi_pipeline.tracking.server import TrackingServer
from taxi_pipeline.tuning.trials import Trial


def trial(number, status="finished", rmse=5.5, error=""):
    return Trial(
        number,
        dict.fromkeys(RECIPES["trip"].space, number),
        status,
        rmse=rmse,
        rounds=8,
        seconds=0.1,
        error=error,
    )


@pytest.fixture
def server(tmp_path):
    return TrackingServer(f"sqlite:///{tmp_path}/mlflow.db", "nyc-taxi-duration")


def copy(server, trials, *, ended=True):
    """Copy a search, and look where it went."""
    link = log_search(server, Search("a key", "a search", {}, trials), ended=ended)
    return link, mlflow.MlflowClient(server.uri, server.uri)


def test_a_trial_that_was_stopped_is_whole_and_one_that_failed_says_why(server):
    trials = [trial(1, "stopped", 6.5), trial(2, "failed", None, "MemoryError: no room"), trial(3)]
    link, client = copy(server, trials)
    assert assert_copied(client, trials).info.run_id == link.run_id
    _, (stopped, failed, finished), _ = runs(client)
    assert failed.data.tags["error"] == "MemoryError: no room"
    assert "error" not in stopped.data.tags | finished.data.tags


def test_a_search_that_goes_on_has_no_end_and_the_best_error_so_far(server):
    link, client = copy(server, [trial(1, rmse=5.5), trial(2, rmse=6.0)], ended=False)
    assert client.get_run(link.run_id).info.status == "RUNNING"
    again, _ = copy(server, [trial(1, rmse=5.5), trial(2, rmse=6.0), trial(3, rmse=5.0)])
    assert again == link
    assert client.get_run(link.run_id).info.status == "FINISHED"
    course = client.get_metric_history(link.run_id, "best_rmse")
    assert [(point.step, point.value) for point in course] == [(2, 5.5), (3, 5.0)]


def test_a_search_has_no_end_while_some_of_its_trials_are_not_copied(server):
    trials, asked = [trial(1), trial(2)], iter([True, False])
    search = Search("a key", "a search", {}, trials)
    link = log_search(server, search, ended=True, wanted=lambda: next(asked))
    client = mlflow.MlflowClient(server.uri, server.uri)
    assert client.get_run(link.run_id).info.status == "RUNNING"
    copy(server, trials)
    assert assert_copied(client, trials).info.status == "FINISHED"


def test_the_description_of_a_search_says_what_its_metric_is(server):
    link, client = copy(server, [trial(1)])
    note = client.get_run(link.run_id).data.tags["mlflow.note.content"]
    assert "`best_rmse` is the smallest error in minutes of the trials" in note
    assert "`tuning_rmse` is another figure" in note


def test_a_search_without_any_measured_trial_is_copied_all_the_same(server):
    trials = [trial(1, "failed", None, "MemoryError: no room")]
    link, client = copy(server, trials)
    assert_copied(client, trials)
    assert client.get_run(link.run_id).data.metrics == {}


def test_a_search_of_more_trials_than_mlflow_tells_at_a_time_is_copied_once(server, monkeypatch):
    search_runs = mlflow.MlflowClient.search_runs

    def two_at_a_time(client, experiments, text="", max_results=1000, **options):
        if "parentRunId" in text:
            max_results = 2
        return search_runs(client, experiments, text, max_results=max_results, **options)

    trials = [trial(number) for number in range(1, 6)]
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "search_runs", two_at_a_time)
        copy(server, trials)
        _, client = copy(server, trials)
    assert_copied(client, trials)


def test_other_keys_are_other_searches(server):
    links = [
        log_search(server, Search(key, "a search", {}, [trial(1)]), ended=True) for key in "abab"
    ]
    assert links[:2] == links[2:]
    assert links[0] != links[1]


def test_copying_a_search_leaves_the_server_and_the_run_of_others_alone(server):
    before = mlflow.get_tracking_uri()
    copy(server, [trial(1)])
    assert mlflow.get_tracking_uri() == before
    assert mlflow.active_run() is None


def test_a_database_of_mlflow_has_no_web_page_and_a_server_has(server, monkeypatch):
    link, client = copy(server, [trial(1)])
    assert link.url == ""
    monkeypatch.setattr(mlflow, "MlflowClient", lambda *_: client)
    experiment = client.get_run(link.run_id).info.experiment_id
    place = f"/#/experiments/{experiment}/runs/{link.run_id}?workflowType=machine_learning"
    there, _ = copy(TrackingServer("http://mlflow.example:5000/", "nyc-taxi-duration"), [trial(1)])
    assert there.url == f"http://mlflow.example:5000{place}"
    there, _ = copy(
        TrackingServer("http://u:secret@mlflow.example", "nyc-taxi-duration"), [trial(1)]
    )
    assert there.url.endswith(f"mlflow.example{place}")
    assert "secret" not in there.url


def test_a_parameter_that_is_named_like_a_metric_stands_beside_it(server):
    named_alike = {"rmse": 0.5, "trial": 7, "status": 1, "error": 2}
    _, client = copy(server, [Trial(1, named_alike, "finished", rmse=5.5, rounds=8, seconds=0.1)])
    _, (run,), _ = runs(client)
    assert run.data.metrics == {"rmse": 5.5, "rounds": 8, "seconds": 0.1}
    assert run.data.params == {name: str(value) for name, value in named_alike.items()}
    assert (run.data.tags["trial"], run.data.tags["status"]) == ("1", "finished")
