"""The version of a candidate is found by its key, and by whether it still can serve."""

import pytest

from taxi_pipeline.tracking.lookup import look_up
from taxi_pipeline.tracking.versions import has_model, model_id, registered_model


def test_a_version_says_what_it_is_of(copy, client, held):
    registration = copy()
    _, (model,), (version,) = held()
    assert version.run_id == registration.run_id
    assert version.description.endswith("\n\nA linear model.")
    assert version.tags["candidate_key"] == "a key"
    assert version.tags["training_month"] == "2021-01"
    assert version.tags["recipe"] == "linear"
    assert model_id(version) == model.model_id


def test_other_keys_are_other_versions(copy):
    assert [copy(key=key).version for key in "abab"] == ["1", "2", "1", "2"]


def test_the_newest_of_several_versions_of_a_candidate_is_taken(copy, client, held):
    first = copy()
    _, _, (version,) = held()
    client.create_model_version(
        first.model_name, version.source, first.run_id, tags=dict(version.tags)
    )
    assert copy().version == "2"


@pytest.mark.parametrize("deleted", [False, True])
def test_a_version_of_the_form_of_0_1_0_names_its_model_as_its_source(copy, client, held, deleted):
    registration = copy()
    _, (model,), (version,) = held()
    version = client.get_model_version(registration.model_name, registration.version)
    del version.tags["logged_model_id"]
    version._source = f"models:/{model.model_id}"
    assert model_id(version) == model.model_id
    if deleted:
        client.delete_logged_model(model.model_id)
    assert has_model(client, version) is not deleted


def test_a_registered_model_is_read_as_it_is_without_mlflow(copy, server, client):
    first = copy()
    copy(key="another", promote=False)
    client.set_registered_model_alias(first.model_name, "of-a-person", "2")
    found = registered_model(client, first.model_name)
    assert found == look_up(server.uri, first.model_name)
    assert found.aliases == {"challenger": "2", "champion": "1", "of-a-person": "2"}
    assert registered_model(client, "another") is None
