"""Where a command works: by which settings, and in which root; the first line of a run."""

from __future__ import annotations

from collections.abc import Sequence

from taxi_pipeline import config
from taxi_pipeline.config.luigi_settings import settings_files
from taxi_pipeline.redaction import redact, redact_url, strip_credentials


def root() -> str:
    """The storage root as a whole path, or a URL without its secrets."""
    storage = config.storage()
    return redact(str(storage.local_folder or redact_url(storage.root)))


def place() -> str:
    """Which files of settings were read, and where the storage root is."""
    return in_words([str(file) for file in settings_files()], root())


def in_words(files: Sequence[str], root: str) -> str:
    """The same of what was found before."""
    named = ", ".join(files)
    return f"settings: {named or 'defaults (there is no luigi.cfg here)'}; root: {root}"


def first_line(scheduler_url: str) -> str:
    """Which settings, storage root, registry and scheduler a run has.

    Args:
        scheduler_url: of the central scheduler; empty if the run has one of its own.
    """
    registry = config.tracking().uri
    scheduler = strip_credentials(scheduler_url) if scheduler_url else "of this run alone"
    return redact(
        f"{place()}; registry: {redact_url(registry) if registry else 'in the root'}; "
        f"scheduler: {scheduler}"
    )
