"""Models registered by earlier versions of the pipeline are found, and registered only once."""

import json

import mlflow
import pytest

from taxi_pipeline import EvaluateModel, RegisterModel, config
from taxi_pipeline.runtime.plan import plan
from taxi_pipeline.runtime.registry_check import registry_findings
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tasks.receipt import ReceiptStage

NAME = "nyc-green-taxi-duration-linear"
MONTH = {"year": 2021, "month": 1, "recipe": "linear"}


def run(pipeline):
    assert pipeline.run(RegisterModel(**MONTH)).status.name.startswith("SUCCESS")
    return RegisterModel(**MONTH).output().manifest()


def with_place_of_root(patch):
    names = ReceiptStage.registry_names
    patch.setattr(ReceiptStage, "registry_names", lambda task: names(task)[1:])


def with_present_name(patch):
    """The registry under the root has had its present name for a while."""


@pytest.fixture(
    params=[with_present_name, pytest.param(with_place_of_root, marks=pytest.mark.slow)]
)
def made_before(pipeline, monkeypatch, request):
    """The manifest of a model of before evaluations had intervals and the gate was a stage."""
    now = RegisterModel.identity_of

    def without_gate(task, inputs):
        return task.earlier_identities(now(task, inputs))[-1]

    with monkeypatch.context() as before:
        before.setattr(EvaluateModel, "version", 1)
        before.setattr(RegisterModel, "identity_of", without_gate)
        before.setattr(RegisterModel, "final_identity", ReceiptStage.final_identity)
        request.param(before)
        return run(pipeline)


@pytest.fixture
def versions(made_before):
    def found():
        client = mlflow.MlflowClient(config.tracking().server_uri)
        return {
            version.version: version.tags["candidate_key"]
            for version in client.search_model_versions(f"name = '{NAME}'")
        }

    return found


def test_a_model_registered_before_is_complete_and_nothing_runs(pipeline, made_before):
    task = RegisterModel(**MONTH)
    assert task.complete()
    assert task.output().manifest() == made_before
    assert task.key != made_before["key"]
    assert all(step.state == "done" for step in plan(task))
    run(pipeline)
    assert len(pipeline.made("evaluate")) == len(pipeline.made("register")) == 1


def test_the_evaluation_itself_is_made_in_its_new_form_when_it_is_asked_for(pipeline, made_before):
    task = EvaluateModel(**MONTH)
    assert not task.complete()
    assert task.change_reasons(task.identity()) == ["its version was 1, recipe 1, is 2, recipe 1"]
    pipeline.run(task)
    assert task.output().file(task.PREDICTIONS).is_file()
    assert RegisterModel(**MONTH).output().manifest() == made_before


def test_a_version_that_is_lost_is_registered_in_its_new_form(pipeline, made_before, versions):
    mlflow.MlflowClient(config.tracking().server_uri).delete_model_version(NAME, "1")
    assert not RegisterModel(**MONTH).complete()
    after = run(pipeline)
    task = RegisterModel(**MONTH)
    assert task.complete()
    assert after["key"] == task.key
    assert list(versions().values()) == [EvaluateModel(**MONTH).key]


def test_what_is_registered_again_for_another_reason_is_a_new_candidate(
    pipeline, made_before, versions
):
    pipeline.configure("gate", "min_gain", "0.5")
    before = versions()
    assert not RegisterModel(**MONTH).complete()
    run(pipeline)
    added = {number: key for number, key in versions().items() if number not in before}
    assert list(added.values()) == [EvaluateModel(**MONTH).key]
    pipeline.configure("gate", "min_gain", "0.0")
    assert RegisterModel(**MONTH).output().manifest() == made_before
    assert RegisterModel(**MONTH).complete()


def test_what_was_registered_before_is_no_finding_of_a_comparison(pipeline, made_before):
    assert registry_findings(open_storage(str(pipeline.root))) == []


def test_a_candidate_is_that_of_the_receipt(made_before, versions):
    task = RegisterModel(**MONTH)
    (registered,) = versions().values()
    (evaluated,) = (
        key for label, key in made_before["identity"]["inputs"].items() if "Evaluate" in label
    )
    assert registered == evaluated == EvaluateModel(**MONTH).first_identity().key
    assert task.candidate_of(task.identity()) == EvaluateModel(**MONTH).key
    receipt = json.loads(task.output().file(task.RECEIPT).read_text())
    assert receipt["version"] == made_before["version"]
