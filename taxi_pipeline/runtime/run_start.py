"""The first line of a run: what it follows, and where it works."""

from __future__ import annotations

from taxi_pipeline import config
from taxi_pipeline.config.luigi_settings import settings_files
from taxi_pipeline.redaction import redact, redact_url, strip_credentials


def first_line(scheduler_url: str) -> str:
    """Which settings, storage root, registry and scheduler a run has.

    Args:
        scheduler_url: of the central scheduler; empty if the run has one of its own.
    """
    files = ", ".join(str(file) for file in settings_files())
    storage, registry = config.storage(), config.tracking().uri
    root = storage.local_folder or redact_url(storage.root)
    scheduler = strip_credentials(scheduler_url) if scheduler_url else "of this run alone"
    return redact(
        f"settings: {files or 'defaults (there is no luigi.cfg here)'}; root: {root}; registry: "
        f"{redact_url(registry) if registry else 'in the root'}; scheduler: {scheduler}"
    )
