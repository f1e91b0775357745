"""What a registered model consists of beside its files: a signature, and the code that predicts."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import ColSpec
from mlflow.types import Schema as MlflowSchema

from taxi_pipeline.trips import schema

SERVING_MODULES = (
    "errors.py",
    "model/__init__.py",
    "model/components.py",
    "model/duration.py",
    "model/encoders.py",
    "model/feature_names.py",
    "model/features.py",
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
    "trips/schema.py",
)
"""The modules of this package that :mod:`taxi_pipeline.model.serving` reaches, and no others."""

SERVING_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "xgboost")
"""The packages that they import."""


def signature(taxi: str) -> ModelSignature:
    """Rows as TLC publishes them; pickup time and zones are required, the rest may be missing."""
    inputs = [
        ColSpec("datetime", schema.pickup_column(taxi)),
        ColSpec("long", "PULocationID"),
        ColSpec("long", "DOLocationID"),
        # Doubles, since pandas reads whole numbers with nulls among them so. A column of any type
        # would be kinder, but MLflow 3.16 gives it another index than the rest.
        *(
            ColSpec("long" if name == "VendorID" else "double", name, required=False)
            for name in schema.optional_columns(taxi)
        ),
    ]
    return ModelSignature(MlflowSchema(list(inputs)), MlflowSchema([ColSpec("double")]))


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
