"""Published records become clean trips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.ingest import IngestTrips


class TransformTrips(Stage):
    """Clean a month's records, and report on their quality."""

    stage = "transform"
    sections: ClassVar = (config.cleaning,)

    FILE = "trips.parquet"
    QUALITY = "quality.json"

    def requires(self) -> IngestTrips:
        """The published file."""
        return self.clone(IngestTrips)

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the clean trips and the quality report."""
        from taxi_pipeline.trips.cleaning import Rules, clean_file

        report = clean_file(
            self.input().file(IngestTrips.FILE),
            folder / self.FILE,
            taxi=self.taxi,
            month=self.calendar_month,
            rules=Rules(**config.cleaning().param_kwargs),
            batch_rows=config.source().batch_rows,
            progress=lambda kept, read, total: self.report(
                f"{kept:,} of {read:,} rows kept", read, total
            ),
        )
        quality = report.as_dict()
        (folder / self.QUALITY).write_text(json.dumps(quality, indent=2) + "\n")
        return {
            "summary": f"{report.rows_kept:,} of {report.rows_read:,} rows kept",
            "rows": report.rows_kept,
            "rows_read": report.rows_read,
            "rows_dropped": report.dropped,
        }
