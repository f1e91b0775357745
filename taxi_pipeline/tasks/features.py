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

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core, unless it is one of another machine."""
        return {} if config.compute().scheduler else super().resources

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write one row of features a trip, in the trips' order."""
        trips = self.input().file(TransformTrips.FILE)
        max_miles = config.features().max_miles
        with self.cluster() as cluster:
            if cluster is None:
                from taxi_pipeline.model.feature_writing import write_features

                rows = write_features(
                    trips,
                    folder / self.FILE,
                    max_miles=max_miles,
                    progress=lambda done, total: self.report(
                        f"{done:,} of {total:,} trips", done, total
                    ),
                )
            else:
                from taxi_pipeline.model.feature_bytes import feature_bytes

                # The content, not its place: workers need no access to the storage.
                content, rows = cluster.run(feature_bytes, trips.read_bytes(), max_miles)
                (folder / self.FILE).write_bytes(content)
        return {"summary": f"{rows:,} trips described", "rows": rows}
