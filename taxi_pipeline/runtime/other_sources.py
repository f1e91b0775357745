"""Months that are ingested, but not from the source of the configuration."""

from __future__ import annotations

from collections.abc import Iterable

import luigi

from taxi_pipeline import config
from taxi_pipeline.identity import is_key
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.runtime.sources import months_of
from taxi_pipeline.tasks.ingest import IngestTrips


def from_elsewhere(task: luigi.Task) -> list[IngestTrips]:
    """The months that a task needs and that another source gave, oldest first."""
    return [
        ingest
        for ingest in months_of(task)
        if ingest.pointer() is None and any(map(is_key, ingest.storage.list_dirs(ingest.task_dir)))
    ]


def explain(months: Iterable[IngestTrips]) -> str:
    """One line about such months: that their source is another one, and how to name it."""
    several = sorted(months, key=lambda ingest: (ingest.taxi, ingest.calendar_month))
    names = ", ".join(f"{ingest.taxi} {ingest.calendar_month}" for ingest in several)
    came_from = _origin(several[0])
    return (
        f"no {names} is known from [source] url {redact_url(config.source().url)}"
        + (f", what is ingested came from {came_from}" if came_from else "")
        + ": --source-url, or [source] url in luigi.cfg, names another source"
    )


def _origin(ingest: IngestTrips) -> str:
    """Where the newest file of a month came from; empty if that is not known."""
    keys = filter(is_key, ingest.storage.list_dirs(ingest.task_dir))
    made = [manifest for key in keys if (manifest := ingest.manifest_of(key))]
    newest = max(made, key=lambda manifest: str(manifest["finished"]), default={})
    return str(newest.get("url", ""))
