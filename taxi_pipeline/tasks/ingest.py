"""Published trip records arrive under the storage root, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.identity import ContentIdentity, Identity, digest
from taxi_pipeline.logger import logger
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.storage import layout, sha256
from taxi_pipeline.tasks.base import Stage
from taxi_pipeline.tasks.publication import PublishedTrips
from taxi_pipeline.trips.download import fetch
from taxi_pipeline.trips.file_checks import check_file
from taxi_pipeline.trips.urls import check_month


class IngestTrips(Stage):
    """Download a month's file and check it.

    Its identity is the content of the file. Which content a source offered when the month was
    ingested stands in a small pointer beside the outputs, one for each source; without it the
    identity is not known yet.
    """

    stage = "ingest"
    sections: ClassVar = (config.source,)

    # Downloads first: what is not published should be known before anything is computed.
    priority = 100

    FILE = "trips.parquet"

    def requires(self) -> PublishedTrips:
        """The file at its source."""
        return self.clone(PublishedTrips)

    @property
    def url(self) -> str:
        """Where the configured source keeps the month."""
        return self.requires().url

    @property
    def _pointer(self) -> str:
        return layout.source_pointer(self.task_dir, digest(self.url))

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A download."""
        return {"downloads": 1}

    def compute_identity(self) -> Identity | None:
        """The content that the pointer names; None if the month is not ingested."""
        pointer = self.storage.read_json(self._pointer)
        return None if pointer is None else self._identity(pointer["sha256"])

    def final_identity(self, expected: Identity | None, folder: Path) -> Identity:  # noqa: ARG002
        """The content of the file that was just fetched, whatever the source offered before."""
        return self._identity(sha256(folder / self.FILE))

    def _identity(self, content: str) -> Identity:
        return ContentIdentity(
            task=self.task_family,
            parameters=self.to_str_params(only_significant=True),
            version=self._version(),
            config={},
            inputs={"content": content},
        )

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Fetch and check the file."""
        from taxi_pipeline.trips import schema

        source = config.source()
        name = f"{self.taxi} {self.calendar_month}"
        check_month(self.taxi, self.calendar_month)
        fetch(
            self.url,
            folder / self.FILE,
            attempts=source.attempts,
            timeout=source.timeout,
            progress=self._progress,
            on_retry=lambda line: logger.warning("%s: %s", self.task_family, line),
            label=name,
        )
        rows = check_file(
            folder / self.FILE,
            label=name,
            url=self.url,
            required=schema.required_columns(self.taxi),
        )
        url = redact_url(self.url)
        return {"summary": f"{rows:,} rows from {url}", "rows": rows, "url": url}

    def after_publish(self, identity: Identity) -> None:
        """Point to the content."""
        pointer = {"url": redact_url(self.url), "sha256": identity.inputs["content"]}
        self.storage.write_json(self._pointer, pointer)

    def _progress(self, done: int, total: int | None) -> None:
        self.report(f"{done:,} of {total:,} fetched" if total else f"{done:,} fetched", done, total)
