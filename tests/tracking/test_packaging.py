"""A registered model carries what prediction needs, and nothing else."""

import ast
from pathlib import Path

import numpy as np
import pytest
from processes import python

import taxi_pipeline
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.tracking.packaging import SERVING_MODULES, copy_serving_code

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


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_copy_predicts_by_itself(tmp_path, folder, records, models, recipe):
    code = copy_serving_code(tmp_path).parent
    models[recipe].save(tmp_path / "model")
    records.to_parquet(tmp_path / "records.parquet")
    arguments = [str(tmp_path / name) for name in ("model", "records.parquet")]
    ended = python(code, "-c", PREDICT, *arguments, str(code), path=[code], timeout=120)
    assert ended.returncode == 0, ended.stderr
    expected = models[recipe].predict_published(records)[:100]
    np.testing.assert_array_equal([float(word) for word in ended.stdout.split()], expected)
