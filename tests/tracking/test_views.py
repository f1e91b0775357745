"""A person finds the candidates of the experiment."""

import json

import pytest

from taxi_pipeline.tracking.views import VIEW_TAG, VIEWS, describe_experiment, view_link


@pytest.fixture
def experiment(server, client):
    """The experiment as MLflow holds it now."""
    number = server.experiment_id(client)
    return lambda: client.get_experiment(number)


def test_the_first_registration_describes_the_experiment(copy, client, experiment):
    copy()
    tags = experiment().tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    for view in VIEWS:
        assert f"({view_link(experiment().experiment_id, view)})" in tags["mlflow.note.content"]
        assert f"{VIEW_TAG}{view}" in tags


def test_the_page_of_the_registered_model_leads_to_its_candidates(copy, client, experiment):
    model = client.get_registered_model(copy().model_name)
    assert f"({view_link(experiment().experiment_id, 'candidates')})" in model.description


def test_a_view_has_the_form_that_mlflow_reads(client, experiment):
    describe_experiment(client, experiment().experiment_id)
    for view, state in VIEWS.items():
        saved = json.loads(experiment().tags[f"{VIEW_TAG}{view}"])
        assert saved["name"] == view.capitalize()
        assert saved["createdAt"] == saved["updatedAt"] == experiment().creation_time
        assert json.loads(saved["state"]) == state


def test_a_view_shows_the_runs_that_it_is_named_for(copy, client, experiment):
    run_id = copy().run_id
    for view, expected in (("candidates", [run_id]), ("searches", [])):
        found = client.search_runs([experiment().experiment_id], VIEWS[view]["searchFilter"])
        assert [run.info.run_id for run in found] == expected


def test_what_a_person_has_set_stays(copy, client, experiment):
    client.set_experiment_tag(experiment().experiment_id, "mlflow.note.content", "Ours.")
    copy()
    assert experiment().tags["mlflow.note.content"] == "Ours."
    assert f"{VIEW_TAG}candidates" in experiment().tags
