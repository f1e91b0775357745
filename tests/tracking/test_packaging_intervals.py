"""A registered model that is asked for intervals, as MLflow loads it."""

import json
import shutil
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from processes import python

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.model import intervals, serving
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tracking.packaging import copy_serving_code, signature


def save(place, model, example, learned=None, signed=signature):
    """A model as it is registered, and where its files are."""
    model.save(place / "model")
    if learned is not None:
        learned.save(place / "model" / intervals.FILE)
    mlflow.pyfunc.save_model(
        place / "saved",
        loader_module="taxi_pipeline.model.serving",
        data_path=str(place / "model"),
        code_paths=[str(copy_serving_code(place))],
        signature=signed(model.taxi),
        input_example=example,
        pip_requirements=["numpy"],
    )
    return place / "saved"


def load(folder):
    path = sys.path
    try:
        return mlflow.pyfunc.load_model(str(folder))
    finally:
        sys.path = path


@pytest.fixture(scope="module")
def example(folder):
    return serving.example(folder / "published.parquet", "green")


@pytest.fixture(scope="module")
def learned(january, models):
    def of(recipe):
        predicted = models[recipe].predict(january)
        return intervals.calibrate(
            january,
            predicted,
            january["minutes"].to_numpy(),
            reads_distance=not intervals.DISTANCES.isdisjoint(RECIPES[recipe].columns),
        )

    return of


@pytest.fixture(scope="module")
def saved(tmp_path_factory, models, example, learned):
    return save(tmp_path_factory.mktemp("saved"), models["trip"], example, learned("trip"))


@pytest.fixture(scope="module")
def pyfunc(saved):
    return load(saved)


@pytest.fixture(scope="module")
def without(tmp_path_factory, models, example):
    """A model that was registered without intervals."""
    return load(save(tmp_path_factory.mktemp("without"), models["linear"], example))


@pytest.fixture(scope="module")
def rows(records):
    return records.head(50)


@pytest.fixture
def registered(tmp_path, models, example, learned):
    """Registers and loads a model of a recipe."""
    return lambda recipe: load(save(tmp_path, models[recipe], example, learned(recipe)))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_answers_with_a_table_of_minutes_low_and_high(
    registered, models, rows, learned, recipe
):
    model = registered(recipe)
    found = model.predict(rows, params={"interval": 0.9})
    assert list(found.columns) == ["minutes", "low", "high"]
    np.testing.assert_array_equal(found["minutes"], model.predict(rows))
    features = models[recipe].published_features(rows)
    expected = learned(recipe).bounds(features, models[recipe].predict(features), 0.9)
    np.testing.assert_allclose(found[["low", "high"]].to_numpy().T, expected, rtol=1e-5)
    assert (found["low"] <= found["minutes"]).all()
    assert (found["minutes"] <= found["high"]).all()


@pytest.mark.parametrize("params", [None, {}, {"interval": None}], ids=str)
def test_without_the_parameter_the_answer_is_what_it_was(pyfunc, models, rows, params):
    found = pyfunc.predict(rows, params=params)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, models["trip"].predict_published(rows))


def test_without_the_parameter_the_intervals_are_not_read(tmp_path, saved, rows):
    copied = tmp_path / "saved"
    shutil.copytree(saved, copied)
    (copied / "data" / "model" / intervals.FILE).write_bytes(b"no intervals")
    model = load(copied)
    assert len(model.predict(rows)) == len(rows)
    with pytest.raises(ValueError, match="pickle"):
        model.predict(rows, params={"interval": 0.9})


def test_the_index_of_the_rows_is_kept(pyfunc, rows):
    some = rows[rows["DOLocationID"] % 2 == 0]
    found = pyfunc.predict(some, params={"interval": 0.9})
    assert found.index.equals(some.index)
    whole = pyfunc.predict(rows, params={"interval": 0.9})
    pd.testing.assert_frame_equal(found, whole.loc[some.index])


def test_a_higher_level_has_longer_intervals(pyfunc, rows):
    narrow, wide = (pyfunc.predict(rows, params={"interval": level}) for level in (0.5, 0.99))
    assert (wide["low"] <= narrow["low"]).all()
    assert (narrow["high"] < wide["high"]).all()


@pytest.mark.parametrize("level", [0, 0.4, 0.995, 1, 90, float("nan")], ids=str)
def test_a_level_out_of_range_is_one_line(pyfunc, rows, level):
    with pytest.raises(InvalidParameter, match=r"from 0.5 to 0.99, such as 0.9$") as refusal:
        pyfunc.predict(rows, params={"interval": level})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("level", ["0.9", True, [0.9]], ids=str)
def test_what_is_no_number_is_refused_by_the_signature(pyfunc, rows, level):
    with pytest.raises(MlflowException, match="interval"):
        pyfunc.predict(rows, params={"interval": level})


def test_no_rows_have_an_empty_table(pyfunc, rows):
    found = pyfunc.predict(rows.head(0), params={"interval": 0.9})
    assert (list(found.columns), len(found)) == (["minutes", "low", "high"], 0)


def test_a_model_without_intervals_says_so_in_one_line_and_predicts_as_ever(without, models, rows):
    with pytest.raises(InvalidParameter, match="this version has no intervals: ") as refusal:
        without.predict(rows, params={"interval": 0.9})
    assert "\n" not in str(refusal.value)
    np.testing.assert_array_equal(without.predict(rows), models["linear"].predict_published(rows))


def test_a_version_of_before_predicts_minutes_since_mlflow_drops_the_parameter(
    tmp_path, models, example, rows
):
    def before(taxi):
        now = signature(taxi)
        return ModelSignature(now.inputs, now.outputs)

    model = load(save(tmp_path, models["linear"], example, signed=before))
    found = model.predict(rows, params={"interval": 0.9})
    np.testing.assert_array_equal(found, models["linear"].predict_published(rows))


PREDICT = """
import json, sys
import mlflow, pandas as pd
rows = pd.read_parquet(sys.argv[2])
found = mlflow.pyfunc.load_model(sys.argv[1]).predict(rows, params={"interval": 0.8})
own = sys.modules["taxi_pipeline"].__file__
assert own.startswith(sys.argv[1]), own
assert "luigi" not in sys.modules
print(json.dumps(found.to_dict("list")))
"""


def test_a_process_that_knows_mlflow_alone_gets_the_same(tmp_path, saved, pyfunc, rows):
    rows.to_parquet(tmp_path / "rows.parquet")
    arguments = (str(saved), str(tmp_path / "rows.parquet"))
    answer = python(tmp_path, "-P", "-c", PREDICT, *arguments, path=[], timeout=120)
    assert answer.returncode == 0, answer.stderr
    found = pd.DataFrame(json.loads(answer.stdout.splitlines()[-1]))
    pd.testing.assert_frame_equal(found, pyfunc.predict(rows, params={"interval": 0.8}))
