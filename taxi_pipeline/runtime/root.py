"""What a run does to its storage root before anything else."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidConfig, StorageError, TrackingError
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import remove_left_over
from taxi_pipeline.storage import layout, open_storage
from taxi_pipeline.tracking.relocation import relocate, sqlite_file

MIN_TIME = datetime(1980, 1, 2, tzinfo=UTC)
"""The first time that a ZIP archive can hold, in any zone; skops keeps fitted objects in one."""


def prepare_root() -> None:
    """Remove what killed runs left half written, and follow a root that was moved or copied.

    MLflow's database that cannot be followed is a warning: not every run needs it.

    Raises:
        StorageError: the clock of this machine is that of a machine without one.
    """
    now = datetime.now(UTC)
    if now < MIN_TIME:
        raise StorageError(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M}: set it, as outputs are dated, "
            "and what is kept of a model can have no time before 1980"
        )
    open_storage(config.storage().root).remove_left_over()
    if file := _database():
        remove_left_over(file.parent, layout.HALF_MADE)
        try:
            relocate(file)
        except TrackingError as error:
            logger.warning("%s", error)


def clear_root() -> None:
    """Remove what this process, which ends at once, leaves half written."""
    if file := _database():
        remove_left_over(file.parent, layout.HALF_MADE, ending=True)
    open_storage(config.storage().root).remove_left_over(ending=True)


def _database() -> Path | None:
    """MLflow's SQLite file, if there is one that can be used."""
    with contextlib.suppress(InvalidConfig):  # a task that registers tells
        return sqlite_file(config.tracking().server_uri)
    return None
