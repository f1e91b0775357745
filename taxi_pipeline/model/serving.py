"""How MLflow loads a registered model: the module that its ``loader_module`` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.trips import schema


class PublishedRecords:
    """A model over rows as TLC publishes them, in the form that MLflow's pyfunc calls."""

    def __init__(self, model: DurationModel) -> None:
        self.model = model

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002  (MLflow's signature)
    ) -> Minutes:
        """Minutes for each row."""
        return self.model.predict_published(model_input)


def example(published: Path, taxi: str, rows: int = 5) -> pd.DataFrame:
    """The first rows of a published file, in the columns and types that a model is called with."""
    file = pq.ParquetFile(published)
    optional = {name.lower(): name for name in schema.optional_columns(taxi)}
    required = [schema.pickup_column(taxi), "PULocationID", "DOLocationID"]
    columns = [
        name for name in file.schema_arrow.names if name in required or name.lower() in optional
    ]
    frame: pd.DataFrame = next(file.iter_batches(rows, columns=columns)).to_pandas()
    frame = frame.rename(columns=lambda name: optional.get(name.lower(), name))
    whole = {*required, "VendorID"}
    kinds = {name: "int64" if name in whole else "float64" for name in frame.columns}
    del kinds[required[0]]
    return frame.astype(kinds)


def _load_pyfunc(path: str) -> PublishedRecords:
    """Load a model from the folder that MLflow keeps it in (MLflow calls this by name)."""
    return PublishedRecords(DurationModel.load(Path(path)))
