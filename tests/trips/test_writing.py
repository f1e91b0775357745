"""Parquet files that cost little to write."""

import contextlib
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_pipeline.trips.writing import open_writer

ROWS = 1000
NOON = datetime(2021, 1, 4, 12)
TABLE = pa.table(
    {
        "pickup_at": pa.array([NOON + timedelta(seconds=n) for n in range(ROWS)], "timestamp[us]"),
        "zone": pa.array([None if n % 7 == 0 else n % 265 for n in range(ROWS)], pa.int16()),
        "flag": pa.array([float(n % 2) for n in range(ROWS)], pa.float32()),
    }
)


def written(path, *tables):
    with open_writer(path, TABLE.schema, ["zone", "of another table"]) as writer:
        for table in tables:
            writer.write_table(table)
    return pq.ParquetFile(path)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "trips.parquet"
    written(path, TABLE, TABLE.slice(0, 0), TABLE.slice(0, 1))
    assert pq.read_table(path).equals(pa.concat_tables([TABLE, TABLE.slice(0, 1)]))


def test_each_column_is_encoded_as_it_is_worth(tmp_path):
    with contextlib.closing(written(tmp_path / "trips.parquet", TABLE)) as file:
        times, zone, flag = (file.metadata.row_group(0).column(number) for number in range(3))
    assert "DELTA_BINARY_PACKED" in times.encodings
    assert times.statistics.min == NOON
    assert zone.has_dictionary_page
    assert not flag.has_dictionary_page
    assert {column.compression for column in (times, zone, flag)} == {"ZSTD"}
