"""A new SQLite file for MLflow.

MLflow makes its tables by seventy migrations, one after the other, which takes a second. They end
in the same empty tables each time. So these are kept as a file, for the versions that made them,
where Python keeps what it compiles, and are copied the next time.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import shutil
import sqlite3
from pathlib import Path

import alembic
import mlflow
import sqlalchemy
from mlflow.store.db import utils

from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.storage import layout, rename_exclusive

logger = logging.getLogger(__name__)


def create_database(file: Path) -> None:
    """Create MLflow's SQLite file under another name first, so that it is seen whole or not at all.

    A file whose creation was killed cannot be used or repaired, and two processes that create the
    same file disturb each other.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(file.parent, layout.HALF_MADE) as folder:
        made = folder / file.name
        if not _copy_template(made):
            _make_tables(made)
            _keep_template(made)
        mlflow.MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
        rename_exclusive(made, file)


def template_file() -> Path:
    """Where the empty tables of these versions of MLflow and of what it makes tables with are."""
    makers = (mlflow.__version__, alembic.__version__, sqlalchemy.__version__)
    compiled = Path(importlib.util.cache_from_source(__file__))
    return compiled.with_name(f"mlflow-{'-'.join(makers)}-{sqlite3.sqlite_version}.db")


def _make_tables(file: Path) -> None:
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(file)), poolclass=sqlalchemy.NullPool
    )
    utils._initialize_tables(engine)  # noqa: SLF001  (MLflow offers no other way)


def _copy_template(file: Path) -> bool:
    """Copy the empty tables, if they are there and whole."""
    try:
        shutil.copyfile(template_file(), file)
        with contextlib.closing(sqlite3.connect(file)) as database:
            if _is_whole(database):
                return True
        logger.warning("%s is damaged, MLflow's tables are made without it", template_file())
    except FileNotFoundError:
        return False
    except (OSError, sqlite3.Error) as error:
        logger.warning(
            "%s cannot be used, MLflow's tables are made without it: %s", template_file(), error
        )
    file.unlink(missing_ok=True)
    return False


def _is_whole(database: sqlite3.Connection) -> bool:
    (state,) = database.execute("PRAGMA quick_check").fetchone()
    revisions = [revision for (revision,) in database.execute("SELECT * FROM alembic_version")]
    return state == "ok" and revisions == [utils._get_latest_schema_revision()]  # noqa: SLF001


def _keep_template(made: Path) -> None:
    """Keep the empty tables for the next time."""
    template = template_file()
    # Without the right to write there, or without room, nothing is lost but a second.
    with contextlib.suppress(OSError):
        template.parent.mkdir(exist_ok=True)
        with temporary_folder(template.parent) as folder:
            arriving = folder / template.name
            shutil.copyfile(made, arriving)
            arriving.replace(template)
