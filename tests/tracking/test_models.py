"""The logged model of a run holds all that predicts."""

import json
from pathlib import Path

import pytest
import yaml
from processes import python

from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.tracking.packaging import SERVING_MODULES

PREDICT = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
for place in sys.argv[3:]:
    model = mlflow.pyfunc.load_model(f"models:/{place}")
    print(*model.predict(model.input_example).tolist())
import taxi_pipeline
assert taxi_pipeline.__file__.startswith(sys.argv[2]), taxi_pipeline.__file__
"""


def described(model):
    folder = Path(model.artifact_location.removeprefix("file://"))
    return folder, yaml.safe_load((folder / "MLmodel").read_text())


def test_the_files_say_what_mlflow_itself_writes(copy, held):
    registration = copy()
    _, (model,), _ = held()
    folder, content = described(model)
    assert content["model_id"] == content["model_uuid"] == model.model_id
    assert content["run_id"] == registration.run_id
    assert content["artifact_path"] == model.artifact_location
    assert content["metadata"] == {"candidate_key": "a key"}
    assert content["model_size_bytes"] > 0
    assert "PULocationID" in content["signature"]["inputs"]
    flavor = content["flavors"]["python_function"]
    assert flavor["loader_module"] == "taxi_pipeline.model.serving"
    assert (flavor["code"], flavor["data"]) == ("code", "data/model")
    assert all((folder / "code" / "taxi_pipeline" / module).is_file() for module in SERVING_MODULES)
    assert "scikit-learn==" in (folder / "requirements.txt").read_text()
    example = json.loads((folder / "input_example.json").read_text())
    assert len(example["data"]) == 5
    assert not list(folder.rglob("__pycache__"))


def test_it_loads_from_the_registry_in_a_process_without_the_package(
    copy, held, server, candidate, tmp_path
):
    registration = copy()
    _, (model,), _ = held()
    name = registration.model_name
    places = (f"{name}/{registration.version}", f"{name}@champion", model.model_id)
    # The model's own copy of the package comes before the one that is installed.
    folder, _ = described(model)
    answer = python(tmp_path, "-c", PREDICT, server.uri, str(folder), *places, timeout=120)
    assert answer.returncode == 0, answer.stderr
    expected = DurationModel.load(candidate.model).predict_published(candidate.example)
    for line in answer.stdout.splitlines()[-len(places) :]:
        minutes = [float(word) for word in line.split()]
        assert minutes == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("status", ["FAILED", "PENDING"])
def test_a_model_that_was_half_logged_is_completed(copy, held, client, monkeypatch, status):
    with monkeypatch.context() as patch:
        patch.setattr("taxi_pipeline.tracking.models.upload_model", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            copy()
    _, (half,), _ = held()
    assert half.status == "PENDING"
    if status == "FAILED":
        client.finalize_logged_model(half.model_id, status)
    copy()
    _, (whole,), _ = held()
    assert (whole.model_id, whole.status) == (half.model_id, "READY")
