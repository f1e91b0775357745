"""A registered model carries what prediction needs, and nothing else."""

import ast
import dataclasses
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from places import TLC
from processes import python

import taxi_pipeline
from taxi_pipeline.errors import InvalidRecords
from taxi_pipeline.model import serving
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tracking.packaging import SERVING_MODULES, copy_serving_code, signature

PACKAGE = Path(taxi_pipeline.__file__).parent


def module_file(name):
    """The file of a module of the package, relative to it; None if there is none."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return str(file.relative_to(PACKAGE))
    return None


def imported(file):
    """The files of this package that a module imports when it runs, with those of their rooms."""
    tree = ast.parse(Path(PACKAGE, file).read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in names if name.startswith("taxi_pipeline.")]
    rooms = {".".join(words[:end]) for words in parts for end in range(2, len(words) + 1)}
    return {found for room in rooms if (found := module_file(room))}


def test_the_modules_of_a_registered_model_are_those_that_serving_reaches():
    reached, new = set(), {"model/serving.py", "model/__init__.py"}
    while new:
        reached |= new
        new = {file for known in new for file in imported(known)} - reached
    assert set(SERVING_MODULES) == reached


def test_the_copy_has_these_modules_and_no_others(tmp_path):
    copy = copy_serving_code(tmp_path)
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert files == {"__init__.py", *SERVING_MODULES}


PREDICT = """
import sys
import pandas as pd
from taxi_pipeline.model.serving import _load_pyfunc
loaded = _load_pyfunc(sys.argv[1])
print(*loaded.predict(pd.read_parquet(sys.argv[2]))[:100].tolist())
own = sys.modules["taxi_pipeline"].__file__
assert own.startswith(sys.argv[3]), own
assert not {"luigi", "mlflow", "hyperopt", "fsspec", "requests"} & set(sys.modules)
"""


@pytest.mark.parametrize(
    "recipe",
    [
        "trip",
        *(pytest.param(name, marks=pytest.mark.slow) for name in sorted({*RECIPES} - {"trip"})),
    ],
)
def test_the_copy_predicts_by_itself(tmp_path, folder, records, models, recipe):
    code = copy_serving_code(tmp_path).parent
    models[recipe].save(tmp_path / "model")
    records.to_parquet(tmp_path / "records.parquet")
    arguments = [str(tmp_path / name) for name in ("model", "records.parquet")]
    ended = python(code, "-c", PREDICT, *arguments, str(code), path=[code], timeout=120)
    assert ended.returncode == 0, ended.stderr
    expected = models[recipe].predict_published(records)[:100]
    np.testing.assert_array_equal([float(word) for word in ended.stdout.split()], expected)


# --- the signature --------------------------------------------------------------------------------


def save_and_load(place, model, example):
    """A model as MLflow loads it from its files."""
    model.save(place / "model")
    mlflow.pyfunc.save_model(
        place / "saved",
        loader_module="taxi_pipeline.model.serving",
        data_path=str(place / "model"),
        code_paths=[str(copy_serving_code(place))],
        signature=signature(model.taxi),
        input_example=example,
        pip_requirements=["numpy"],
    )
    path = sys.path
    try:
        return mlflow.pyfunc.load_model(str(place / "saved"))
    finally:
        sys.path = path


@pytest.fixture(scope="module")
def pyfunc(tmp_path_factory, folder, models):
    """A registered model that was loaded."""
    example = serving.example(folder / "published.parquet", "green")
    return save_and_load(tmp_path_factory.mktemp("pyfunc"), models["trip"], example)


@pytest.fixture(scope="module")
def rows(records):
    """Published rows, with some values missing."""
    some = records.head(40).copy()
    for place, name in enumerate(("PULocationID", "trip_distance", "VendorID", "passenger_count")):
        some[name] = some[name].astype("float64")
        some.loc[place::7, name] = np.nan
    return some


@pytest.fixture(scope="module")
def expected(models, rows):
    return models["trip"].predict_published(rows)


def whole(frame):
    return frame.astype({"trip_type": "Int64", "RatecodeID": "int64[pyarrow]"})


FORMS = {
    "as published": lambda frame: frame,
    "whole": whole,
    "converted": lambda frame: frame.convert_dtypes(),
    "pyarrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda frame: frame.astype(object),
    "None": lambda frame: frame.astype(object).where(frame.notna(), None),
    "NA": lambda frame: frame.astype(object).where(frame.notna(), pd.NA),
    "text": lambda frame: frame.map(lambda value: "" if pd.isna(value) else str(value)),
    "seconds": lambda frame: frame.astype({"lpep_pickup_datetime": "datetime64[s]"}),
    "with a zone": lambda frame: frame.assign(
        lpep_pickup_datetime=frame["lpep_pickup_datetime"].dt.tz_localize("America/New_York")
    ),
    "without what it does not read": lambda frame: frame[
        [name for name in frame if name in signature("green").inputs.input_names()]
    ],
    "other order of columns": lambda frame: frame[sorted(frame, reverse=True)],
    "records": lambda frame: frame.to_dict(orient="records"),
    "lists": lambda frame: frame.to_dict(orient="list"),
}
FORMS_OF_COLUMNS = set(FORMS) - {
    "without what it does not read",
    "other order of columns",
    "records",
    "lists",
}
INDICES = {
    "as it is": lambda frame: frame,
    "filtered": lambda frame: frame[frame["DOLocationID"] % 2 == 0],
    "duplicate": lambda frame: frame.set_axis([7] * len(frame)),
    "reversed": lambda frame: frame[::-1],
    "text": lambda frame: frame.set_axis([f"row {row}" for row in frame.index]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("index", INDICES)
def test_a_registered_model_accepts_rows_in_each_form(pyfunc, models, rows, form, index):
    frame = INDICES[index](rows)
    expected = models["trip"].predict_published(frame)
    assert len(set(expected)) > 10
    np.testing.assert_array_equal(pyfunc.predict(FORMS[form](frame)), expected)


@settings(max_examples=60)
@given(
    order=st.lists(st.integers(0, 39), min_size=1, max_size=12),
    forms=st.lists(st.sampled_from(sorted(FORMS_OF_COLUMNS)), min_size=8, max_size=8),
)
def test_each_column_may_have_a_form_of_its_own(pyfunc, rows, expected, order, forms):
    names = [name for name in signature("green").inputs.input_names() if name in rows]
    chosen = rows.iloc[order]
    columns = {
        name: FORMS[form](chosen)[name].array for name, form in zip(names, forms, strict=True)
    }
    frame = pd.DataFrame(columns, index=chosen.index)
    np.testing.assert_array_equal(pyfunc.predict(frame), expected[order])


def test_only_pickup_time_and_zones_are_required(pyfunc, rows):
    needed = ["lpep_pickup_datetime", "PULocationID", "DOLocationID"]
    assert pyfunc.metadata.signature.inputs.required_input_names() == needed
    assert np.isfinite(pyfunc.predict(rows[needed])).all()


@pytest.mark.parametrize("name", ["lpep_pickup_datetime", "PULocationID", "DOLocationID"])
def test_a_missing_column_that_is_required_is_named(pyfunc, rows, name):
    with pytest.raises(MlflowException, match=rf"missing inputs \['{name}'\]"):
        pyfunc.predict(rows.drop(columns=name))


def test_a_value_that_cannot_be_read_is_named_with_its_column(pyfunc, rows):
    with pytest.raises(InvalidRecords, match="column PULocationID holds 'Harlem'"):
        pyfunc.predict(rows.assign(PULocationID="Harlem"))


def test_a_single_trip_may_be_a_dictionary_of_plain_values(pyfunc, rows):
    trip = {"lpep_pickup_datetime": "2021-02-01T07:24:35", "PULocationID": 62, "DOLocationID": 74}
    alone = pyfunc.predict(trip | {"trip_distance": 3})
    np.testing.assert_array_equal(alone, pyfunc.predict(trip | {"trip_distance": 3.0}))
    assert alone.shape == (1,)


MONTHS = {
    "green": sorted(TLC.glob("green_tripdata_*.parquet")),
    "yellow": sorted(TLC.glob("yellow_sample/*.parquet")),
}


@pytest.mark.skipif(not TLC.is_dir(), reason=f"real TLC files are not in {TLC}")
@pytest.mark.parametrize("taxi", MONTHS)
def test_a_registered_model_predicts_each_month_as_tlc_published_it(tmp_path, models, taxi):
    # The taxi of a model decides only what its columns are called.
    model = dataclasses.replace(models["trip"], taxi=taxi)
    loaded = save_and_load(tmp_path, model, pd.read_parquet(MONTHS[taxi][0]).head())
    for file in MONTHS[taxi]:
        month = pd.read_parquet(file)
        minutes = loaded.predict(month)
        assert np.isfinite(minutes).all(), file
        np.testing.assert_array_equal(minutes, model.predict_published(month))
