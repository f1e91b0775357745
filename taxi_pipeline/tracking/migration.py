"""The schema of MLflow's database, which a newer MLflow must upgrade before it can use it.

MLflow upgrades some databases without asking and without a copy, and refuses others. Here a SQLite
file, which lies with the outputs, is copied and upgraded. A database on a server may be shared with
programs that have an older MLflow, so that its owner must decide.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from pathlib import Path
from typing import Any

import mlflow
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from mlflow.store.db import utils
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.redaction import redact, redact_url
from taxi_pipeline.storage import layout
from taxi_pipeline.tracking.lookup import connect
from taxi_pipeline.tracking.relocation import LOCK_SECONDS, open_sqlite


def outdated_schema(uri: str) -> str:
    """The revision of a schema that is older than this MLflow's; empty if there is no such one.

    Args:
        uri: MLflow's tracking URI of a database.

    Raises:
        TrackingError: the schema is newer than this MLflow, or the database does not answer.
    """
    with connect(uri) as database:
        revision = MigrationContext.configure(database).get_current_revision()
    if revision is None or revision == _schemas().get_current_head():
        return ""
    try:
        _schemas().get_revision(revision)
    except CommandError:
        raise TrackingError(
            f"MLflow's database {redact_url(uri)} was made or upgraded by a newer MLflow than "
            f"{mlflow.__version__} (its schema is {revision}): install a newer MLflow"
        ) from None
    return revision


@functools.cache
def require_current_schema(uri: str) -> None:
    """Refuse a database on a server whose schema is not this MLflow's.

    Raises:
        TrackingError: the schema is older or newer, or the database does not answer.
    """
    if outdated_schema(uri):
        where = redact_url(uri)
        raise TrackingError(
            f"MLflow's database {where} was made by an older MLflow than {mlflow.__version__}: "
            f"take a backup of it, see that no older MLflow uses it any more, run mlflow db "
            f"upgrade {where}, then run this again"
        )


def upgrade_sqlite(uri: str, file: Path) -> None:
    """Upgrade the schema of a SQLite file, of which a copy stays beside it.

    Each step is done whole or not at all: after an interruption, the next call goes on. One process
    at a time may call it.

    Args:
        uri: MLflow's tracking URI.
        file: the database that it names.

    Raises:
        TrackingError: the file cannot be copied or upgraded, or its schema is newer.
    """
    revision = outdated_schema(uri)
    if not revision:
        # Another process was faster.
        return
    copy = file.with_name(f"{file.name}.{revision}.bak")
    try:
        _copy(file, copy)
        _upgrade(file)
    except (SQLAlchemyError, CommandError, sqlite3.Error, OSError) as error:
        cause = redact(str(error)).partition("\n")[0]
        raise TrackingError(
            f"MLflow's database {file} was made by an older MLflow and cannot be upgraded "
            f"({cause}): make it and its folder writable, and see that the disk is not full, "
            "then run this again"
        ) from None
    logger.info(
        "MLflow's database %s is upgraded to MLflow %s; as it was, it stays as %s",
        file,
        mlflow.__version__,
        copy.name,
    )


def _copy(file: Path, copy: Path) -> None:
    """Copy a database that others may be writing to; the copy is seen whole or not at all."""
    with (
        temporary_folder(file.parent, layout.HALF_MADE) as folder,
        open_sqlite(file, "ro", LOCK_SECONDS) as database,
    ):
        arriving = folder / copy.name
        with contextlib.closing(sqlite3.connect(arriving)) as target:
            database.backup(target)
        arriving.replace(copy)


def _upgrade(file: Path) -> None:
    from alembic import command

    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(file)),
        poolclass=NullPool,
        connect_args={"timeout": LOCK_SECONDS},
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # Python's driver would leave statements that change the schema outside of transactions.
        connection.isolation_level = None

    @sqlalchemy.event.listens_for(engine, "begin")
    def _(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    config = _config()
    with engine.connect() as connection:
        # MLflow's script opens connections of its own from this one's engine.
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


@functools.cache
def _schemas() -> ScriptDirectory:
    """The revisions of the schema that this MLflow knows."""
    return ScriptDirectory.from_config(_config())


def _config() -> Any:
    return utils._get_alembic_config("")  # noqa: SLF001  (MLflow offers no other way)
