"""The files beside MLflow's SQLite database, compared with what the database names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.tracking.lookup import TIMEOUT_SECONDS
from taxi_pipeline.tracking.relocation import ARTIFACTS, open_sqlite, sqlite_tables

_TABLES = {"runs", "logged_models", "model_versions"}

_VERSIONS = """
SELECT version.name, version.version,
    COALESCE(model.artifact_location, version.storage_location, version.source)
FROM model_versions AS version
LEFT JOIN logged_models AS model ON version.source = 'models:/' || model.model_id
WHERE version.current_stage != 'Deleted_Internal'
ORDER BY version.name, version.version
"""

_NAMED = "SELECT artifact_uri FROM runs UNION SELECT artifact_location FROM logged_models"

_SHARED = {"models", "traces"}
"""Folders of MLflow's in which each run, model or trace has one of its own."""


def versions_without_files(file: Path) -> list[tuple[str, str, Path]]:
    """The versions of registered models that cannot be loaded, since their files are missing.

    Args:
        file: the database.

    Returns:
        The model's name, the version, and where its files should be.

    Raises:
        TrackingError: the database cannot be read.
    """
    return [
        (str(name), str(version), folder)
        for name, version, location in _rows(file, _VERSIONS)
        if (folder := _local_folder(location)) and not (folder / "MLmodel").exists()
    ]


def folders_without_names(file: Path) -> list[Path]:
    """The folders of files, beside a database, that no run and no logged model names.

    Raises:
        TrackingError: the database cannot be read.
    """
    named = {folder for (location,) in _rows(file, _NAMED) if (folder := _local_folder(location))}
    if not named:
        return []
    in_use = {parent for folder in named for parent in (folder, *folder.parents)}
    return [
        folder for folder in _folders(file.resolve().parent / ARTIFACTS) if folder not in in_use
    ]


def _folders(artifacts: Path) -> Iterator[Path]:
    """The folders of runs and of models."""
    for parent in (artifacts, artifacts / "models"):
        if parent.is_dir():
            yield from sorted(
                folder
                for folder in parent.iterdir()
                if folder.is_dir() and folder.name not in _SHARED
            )


def _rows(file: Path, query: str) -> list[tuple[str, ...]]:
    if not file.exists():
        return []
    try:
        with open_sqlite(file, "ro", TIMEOUT_SECONDS) as database:
            if not sqlite_tables(database) >= _TABLES:
                return []
            return database.execute(query).fetchall()
    except (sqlite3.Error, OSError) as error:
        raise TrackingError(f"MLflow's database {file} cannot be read ({error})") from None


def _local_folder(location: str | None) -> Path | None:
    """The folder of this machine that a location names; None if it names none."""
    parts = urlsplit(location or "")
    if parts.scheme not in {"", "file"} or not parts.path:
        return None
    return Path(unquote(parts.path) if parts.scheme else str(location)).resolve()
