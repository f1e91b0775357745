"""The files beside MLflow's SQLite database, compared with what the database names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.storage import describe_files, to_json
from taxi_pipeline.storage.files import parse_json
from taxi_pipeline.tracking.lookup import TIMEOUT_SECONDS
from taxi_pipeline.tracking.relocation import ARTIFACTS, open_sqlite, sqlite_tables, unreadable

LISTING = "files.json"
"""The file of a registered model that lists the others, with bytes and sha256."""

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


def write_listing(folder: Path) -> None:
    """List the files of a model that is about to be registered, so that damage is noticed later."""
    (folder / LISTING).write_text(to_json(describe_files(folder)))


def damage_of_files(folder: Path) -> str:
    """What is wrong with the files of a registered model, in a few words; empty if nothing is.

    Of what version 0.1 registered, which has no list of its files, it is known whether it is there.
    """
    if not (folder / "MLmodel").exists():
        return "its files are missing"
    if not (folder / LISTING).exists():
        return ""
    try:
        listed = parse_json((folder / LISTING).read_bytes(), LISTING)
        found = describe_files(folder)
    except (DamagedOutput, OSError) as error:
        return str(error)
    if not isinstance(listed, dict):
        return f"{LISTING} is damaged: it lists no files"
    for name, described in listed.items():
        if found.get(name) != described:
            return f"its {name} is {'not what was registered' if name in found else 'missing'}"
    return ""


def versions_with_damage(file: Path) -> list[tuple[str, str, str]]:
    """The versions of registered models whose files are missing, or not what was registered.

    Args:
        file: the database.

    Returns:
        The model's name, the version, and what is wrong, with the place of the files.

    Raises:
        TrackingError: the database cannot be read.
    """
    return [
        (str(name), str(version), f"{problem} ({folder})")
        for name, version, location in _rows(file, _VERSIONS)
        if (folder := _local_folder(location)) and (problem := damage_of_files(folder))
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
        raise unreadable(file, error) from None


def _local_folder(location: str | None) -> Path | None:
    """The folder of this machine that a location names; None if it names none."""
    parts = urlsplit(location or "")
    if parts.scheme not in {"", "file"} or not parts.path:
        return None
    return Path(unquote(parts.path) if parts.scheme else str(location)).resolve()
