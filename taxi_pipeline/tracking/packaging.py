"""What a registered model consists of beside its files: a signature, and the code that predicts."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec
from mlflow.types import Schema as MlflowSchema
from mlflow.types.schema import AnyType

from taxi_pipeline.model.serving import INTERVAL
from taxi_pipeline.trips import schema

SERVING_MODULES = (
    "commands.py",
    "compute/__init__.py",
    "compute/cores.py",
    "errors.py",
    "model/__init__.py",
    "model/components.py",
    "model/duration.py",
    "model/encoders.py",
    "model/feature_names.py",
    "model/features.py",
    "model/intervals.py",
    "model/levels.py",
    "model/means.py",
    "model/quantiles.py",
    "model/recipes/__init__.py",
    "model/recipes/base.py",
    "model/recipes/course.py",
    "model/recipes/linear.py",
    "model/recipes/pretrip.py",
    "model/recipes/registry.py",
    "model/recipes/trip.py",
    "model/recipes/validation.py",
    "model/regressors.py",
    "model/serving.py",
    "model/skops_files.py",
    "model/space.py",
    "model/zones.py",
    "trips/__init__.py",
    "trips/columns.py",
    "trips/frames.py",
    "trips/schema.py",
)
"""The modules of this package that :mod:`taxi_pipeline.model.serving` reaches, and no others."""

SERVING_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "xgboost")
"""The packages that they import."""


def signature(taxi: str) -> ModelSignature:
    """Rows as TLC publishes them; pickup time and zones are required, the rest may be missing.

    The columns are of any type, since MLflow's types refuse what a caller may well have: whole
    numbers for doubles, nulls among whole numbers, times in text. The model reads them itself, see
    :func:`taxi_pipeline.trips.frames.to_table`. All are, since MLflow gives columns of any type
    another index than the rest.

    A prediction takes the parameter ``interval``, see
    :class:`taxi_pipeline.model.serving.PublishedRecords`. The schema of outputs is that of a
    prediction without it; MLflow does not enforce it.
    """
    required = [schema.pickup_column(taxi), "PULocationID", "DOLocationID"]
    inputs = [
        *(ColSpec(AnyType(), name) for name in required),
        *(ColSpec(AnyType(), name, required=False) for name in schema.optional_columns(taxi)),
    ]
    return ModelSignature(
        MlflowSchema(list(inputs)),
        MlflowSchema([ColSpec("double")]),
        ParamSchema([ParamSpec(INTERVAL, "double", default=None)]),
    )


def copy_serving_code(folder: Path) -> Path:
    """Copy what a registered model needs of this package into a folder; the copy is returned."""
    package = Path(__file__).parent.parent
    copy = folder / package.name
    for module in SERVING_MODULES:
        target = copy / module
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(package / module, target)
    (copy / "__init__.py").write_text('"""The part of taxi_pipeline that predicts."""\n')
    return copy
