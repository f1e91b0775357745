"""Clean trips become features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.model import FEATURES_VERSION
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.transform import TransformTrips


class BuildFeatures(Stage):
    """Describe each trip of a month in the way that every recipe reads."""

    stage = "features"
    version: ClassVar[int] = FEATURES_VERSION
    sections: ClassVar = (config.features,)

    FILE = "features.parquet"

    def requires(self) -> TransformTrips:
        """The clean trips."""
        return self.clone(TransformTrips)

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write one row of features a trip, in the trips' order."""
        from taxi_pipeline.model.feature_writing import write_features

        rows = write_features(
            self.input().file(TransformTrips.FILE),
            folder / self.FILE,
            max_miles=config.features().max_miles,
            progress=lambda done, total: self.report(f"{done:,} of {total:,} trips", done, total),
        )
        return {"summary": f"{rows:,} trips described", "rows": rows}
