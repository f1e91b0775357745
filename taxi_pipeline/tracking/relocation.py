"""MLflow's SQLite file: where it is, and the place that it was moved from.

MLflow writes the absolute location of every run and model into its database. Here the files lie
beside the database, so where both were moved or copied together, the locations are rewritten.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.logger import logger
from taxi_pipeline.storage import disk, layout

ARTIFACTS = "artifacts"
"""The folder of the files of runs and models, beside the database."""

LOCK_SECONDS = 30
"""Seconds that another process's writing to the database is waited for."""

# Every column in which MLflow keeps the location of a file.
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
    ("trace_tags", "value"),
)
# Those that MLflow itself puts below the location of an experiment.
_BELOW_AN_EXPERIMENT = _COLUMNS[1:3]


def sqlite_file(uri: str) -> Path | None:
    """The file of a tracking URI such as ``sqlite:///mlflow.db``; None if the URI names no file.

    A relative path is one of the working folder, as for MLflow.
    """
    kind, separator, rest = uri.partition(":///")
    name = rest.partition("?")[0]
    if kind.partition("+")[0] != "sqlite" or not separator:
        return None
    if not name or name.startswith((":memory:", "file:")):
        return None
    return Path(name).resolve()


@contextlib.contextmanager
def open_sqlite(file: Path, mode: str, timeout: float) -> Iterator[sqlite3.Connection]:
    """A connection to a SQLite file that is there.

    Args:
        file: the database.
        mode: ``ro`` to read only, or ``rw``.
        timeout: seconds that another process's lock is waited for.
    """
    uri = f"file:{quote(str(file))}?mode={mode}"
    connection = sqlite3.connect(uri, timeout, isolation_level=None, uri=True)
    with contextlib.closing(connection):
        yield connection


def sqlite_tables(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables of a database."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def unreadable(file: Path, error: Exception) -> TrackingError:
    """The line for a database that cannot be read, with what to do if it is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    is_damaged = code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
    advice = ": move it away, and RegisterModel makes a new one with what it registers again"
    return TrackingError(
        f"MLflow's database {file} cannot be read ({error}){advice if is_damaged else ''}"
    )


def relocate(file: Path) -> None:
    """Let MLflow's database name the files beside it, if both were moved or copied here.

    Locations under the ``artifacts`` folder of the place before are rewritten in one transaction,
    but for those whose file is there and not here. Other locations stay, such as that of an
    experiment whose files somebody keeps elsewhere. Where nothing was moved, this reads the
    locations of the experiments and does nothing.

    Args:
        file: the database; if it is not there, nothing is done.

    Raises:
        TrackingError: the database cannot be read, or names files elsewhere and cannot be written.
    """
    file = file.resolve()
    here = file.parent / ARTIFACTS
    moved: list[_Base] = []
    try:
        if not file.exists():
            return
        with open_sqlite(file, "rw", LOCK_SECONDS) as database:
            if not (moved := _moved_bases(database, here)):
                return
            database.execute("BEGIN IMMEDIATE")
            # Another process may have been faster.
            moved = _moved_bases(database, here)
            for base in moved:
                _rewrite(database, base, here)
            database.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        if not moved:
            raise unreadable(file, error) from None
        line = disk.explain(error, file.parent, "[tracking] uri") or (
            f"it cannot be written ({error}): make it and its folder writable, then run this again"
        )
        raise TrackingError(
            f"{_move(moved[0], file)}, but MLflow's database {file} names its files there; {line}"
        ) from None
    for base in moved:
        logger.info("%s: MLflow's database names its files here now", _move(base, file))


@dataclass(frozen=True)
class _Base:
    """The location of an experiment: as MLflow wrote it, and the folder that it means."""

    location: str
    folder: Path

    @classmethod
    def of(cls, location: str) -> _Base | None:
        """The base that a location is; None if it is no folder named as ours is."""
        is_uri = location.startswith("file:")
        folder = Path(unquote(urlsplit(location).path) if is_uri else location)
        if not folder.is_absolute() or folder.name != ARTIFACTS:
            return None
        return cls(location, folder)

    def rows(
        self, database: sqlite3.Connection, columns: tuple[tuple[str, str], ...]
    ) -> Iterator[tuple[str, str, int, str]]:
        """Locations that are this one or below it: table, column, row, and what follows it."""
        tables = sqlite_tables(database)
        for table, column in columns:
            if table in tables:
                found = database.execute(
                    f"SELECT rowid, substr({column}, ?) FROM {table} "  # noqa: S608  (from above)
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (
                        len(self.location) + 1,
                        self.location,
                        len(self.location) + 1,
                        f"{self.location}/",
                    ),
                )
                for row, rest in found.fetchall():
                    yield table, column, row, rest


def _moved_bases(database: sqlite3.Connection, here: Path) -> list[_Base]:
    """The places of experiments that were beside the database before it was moved here."""
    if "experiments" not in sqlite_tables(database):
        return []
    found = database.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    bases = (_Base.of(location) for (location,) in found if location)
    return [
        base
        for base in bases
        if base and base.folder.resolve() != here and _came_along(database, base, here)
    ]


def _came_along(database: sqlite3.Connection, base: _Base, here: Path) -> bool:
    """Whether files of an experiment are here, or are nowhere and would have been beside it."""
    rests = [_relative(rest) for *_, rest in base.rows(database, _BELOW_AN_EXPERIMENT)]
    if any((here / rest).exists() for rest in rests):
        return True
    beside = base.folder.parent.name == here.parent.name
    return beside and not any((base.folder / rest).exists() for rest in rests)


def _rewrite(database: sqlite3.Connection, base: _Base, here: Path) -> None:
    location = here.as_uri() if base.location.startswith("file:") else str(here)
    for table, column, row, rest in base.rows(database, _COLUMNS):
        relative = _relative(rest)
        is_left_behind = (
            bool(rest) and (base.folder / relative).exists() and not (here / relative).exists()
        )
        if not is_left_behind:
            database.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?",  # noqa: S608  (from above)
                (location + rest, row),
            )


def _relative(rest: str) -> str:
    """The path of what follows a base's location."""
    return unquote(rest).lstrip("/")


def _move(base: _Base, file: Path) -> str:
    """What was moved, from where to where."""
    before, now, what = base.folder.parent, file.parent, "the folder of MLflow's database"
    if f"{before.name}/{file.name}" == layout.tracking_database():
        before, now, what = before.parent, now.parent, "the root"
    return f"{what} was moved or copied from {before} to {now}"
