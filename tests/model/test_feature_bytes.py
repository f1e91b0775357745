"""Features without a storage: bytes in, bytes out."""

import tempfile

import pyarrow.parquet as pq

from taxi_pipeline.model.feature_bytes import feature_bytes


def test_the_content_is_that_of_the_file_and_nothing_is_left_over(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content, rows = feature_bytes((folder / "clean.parquet").read_bytes(), 100.0)
    assert content == (folder / "features.parquet").read_bytes()
    assert rows == pq.read_metadata(folder / "features.parquet").num_rows
    assert not list(tmp_path.iterdir())
