"""Files of features."""

import pyarrow.parquet as pq
import pytest

from taxi_pipeline.model import feature_writing
from taxi_pipeline.model.features import compute_features
from taxi_pipeline.trips.schema import TRIP

MAX_MILES = 100.0


@pytest.mark.parametrize("batch", [700, 10**6])
def test_a_file_is_described_as_its_table_is(folder, tmp_path, monkeypatch, batch):
    monkeypatch.setattr(feature_writing, "BATCH_ROWS", batch)
    clean, reported = pq.read_table(folder / "clean.parquet"), []
    rows = feature_writing.write_features(
        folder / "clean.parquet",
        tmp_path / "features.parquet",
        max_miles=MAX_MILES,
        progress=lambda *done: reported.append(done),
    )
    assert rows == clean.num_rows
    assert pq.read_table(tmp_path / "features.parquet").equals(compute_features(clean, MAX_MILES))
    assert reported[-1] == (rows, rows)
    assert len(reported) == -(-rows // batch)


def test_a_file_without_trips_has_no_features(tmp_path):
    pq.write_table(TRIP.empty_table(), tmp_path / "clean.parquet")
    rows = feature_writing.write_features(
        tmp_path / "clean.parquet", tmp_path / "features.parquet", max_miles=MAX_MILES
    )
    assert rows == 0
