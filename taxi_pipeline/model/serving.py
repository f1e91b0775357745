"""How MLflow loads a registered model: the module that its ``loader_module`` names."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from taxi_pipeline.compute.cores import cores
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.model import intervals
from taxi_pipeline.model.duration import DurationModel
from taxi_pipeline.model.levels import check_level
from taxi_pipeline.model.regressors import Minutes
from taxi_pipeline.trips import schema

INTERVAL = "interval"
"""The parameter of a prediction that asks for intervals: the share of trips that they hold."""

NO_INTERVALS = (
    "this version has no intervals: the last days of its training window had too few trips to "
    "learn them from, as the description of its run says; predict without interval, or register a "
    "model that is trained on more"
)


class PublishedRecords:
    """A model over rows as TLC publishes them, in the form that MLflow's pyfunc calls.

    Args:
        model: predicts.
        file: what makes intervals of its predictions, as
            :meth:`taxi_pipeline.model.intervals.Intervals.save` wrote it. It is read once it is
            needed, and may be missing.
    """

    def __init__(self, model: DurationModel, file: Path) -> None:
        self.model = model
        self.file = file

    def predict(
        self, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> Minutes | pd.DataFrame:
        """Minutes for each row.

        With ``interval`` among the parameters, such as 0.9, a table instead: ``minutes``, ``low``
        and ``high``, with the index of the rows. That share of trips lies between the latter two.

        Raises:
            InvalidParameter: the interval is out of range, or the model was registered without any.
        """
        level = (params or {}).get(INTERVAL)
        if level is None:
            return self.model.predict_published(model_input)
        check_level(level)
        found = self._intervals
        if model_input.empty:
            return pd.DataFrame(columns=["minutes", "low", "high"], dtype="float64")
        features = self.model.published_features(model_input)
        minutes = self.model.predict(features)
        low, high = found.bounds(features, minutes, level)
        columns = {"minutes": minutes, "low": low, "high": high}
        return pd.DataFrame(columns, index=model_input.index)

    @functools.cached_property
    def _intervals(self) -> intervals.Intervals:
        if not self.file.exists():
            raise InvalidParameter(NO_INTERVALS)
        return intervals.Intervals.load(self.file)


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
    """Load a model from the folder that MLflow keeps it in (MLflow calls this by name).

    Many rows are predicted on all cores, or on as many as ``OMP_NUM_THREADS`` says; few rows on
    one, as they come in requests that are answered side by side.
    """
    folder = Path(path)
    model = DurationModel.load(folder)
    model.parallel = int(os.environ.get("OMP_NUM_THREADS") or cores())
    return PublishedRecords(model, folder / intervals.FILE)
