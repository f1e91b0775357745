"""Features where there is no storage: the content of one file in, that of another out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from taxi_pipeline.model.feature_writing import write_features


def feature_bytes(trips: bytes, max_miles: float) -> tuple[bytes, int]:
    """The features of a month's clean trips, as another machine makes them.

    Args:
        trips: the content of the file of clean trips.
        max_miles: as in :func:`taxi_pipeline.model.feature_writing.write_features`.

    Returns:
        The content of the file that ``write_features`` writes, and the number of its rows.
    """
    with tempfile.TemporaryDirectory(prefix="taxi_pipeline-") as folder:
        source, destination = Path(folder, "trips.parquet"), Path(folder, "features.parquet")
        source.write_bytes(trips)
        rows = write_features(source, destination, max_miles=max_miles)
        return destination.read_bytes(), rows
