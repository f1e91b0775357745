"""Writing trips, or what is computed of them, as Parquet: small files that cost little to write.

Values that repeat are worth a dictionary, times in their order are worth their differences; all
else is written as it is, and compressed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def open_writer(path: Path, columns: pa.Schema, repeated: Collection[str]) -> pq.ParquetWriter:
    """A writer of a Parquet file; close it.

    Args:
        path: the file to write.
        columns: names and types.
        repeated: columns with many different values that each come often, such as zones or
            durations; unlike flags, which compress as well by themselves.
    """
    times = [field.name for field in columns if pa.types.is_timestamp(field.type)]
    return pq.ParquetWriter(
        path,
        columns,
        compression="zstd",
        use_dictionary=[name for name in columns.names if name in repeated],
        column_encoding=dict.fromkeys(times, "DELTA_BINARY_PACKED"),
        write_statistics=times,  # of use to readers that look for some days
    )
