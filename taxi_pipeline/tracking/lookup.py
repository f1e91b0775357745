"""What the registry holds of a model, asked without MLflow, whose import alone takes seconds.

A server is asked through MLflow's REST API, a database by the tables that MLflow keeps in it. A
registry of another kind (Databricks ...) cannot be asked here: what a receipt says of it is taken
to be true.
"""

from __future__ import annotations

import contextlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.redaction import redact, redact_url
from taxi_pipeline.tracking.relocation import open_sqlite, sqlite_file, sqlite_tables
from taxi_pipeline.tracking.tags import KEY_TAG

if TYPE_CHECKING:
    import sqlalchemy

TIMEOUT_SECONDS = 5.0
"""Seconds that connecting to a registry, and each read of its answers, may take."""

PAGE_SIZE = 1000
MAX_PAGES = 100
"""Pages of versions after which a server that always names a further one counts as broken."""

_WEB = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""Schemes of the databases that MLflow works with."""

_DRIVER_ADVICE = (
    "install the driver of the database (for PostgreSQL: pip install 'taxi_pipeline[postgresql]')"
)

_TABLES = {"registered_models", "model_versions", "model_version_tags", "registered_model_aliases"}
_DELETED = "Deleted_Internal"


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a registered model.

    Attributes:
        run_id: the run that made it; empty if none is known.
        created: when it was registered.
        tags: its tags.
    """

    run_id: str
    created: datetime
    tags: Mapping[str, str]

    @property
    def candidate_key(self) -> str:
        """The key of the candidate that it is; empty if the pipeline did not make it."""
        return self.tags.get(KEY_TAG, "")


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model.

    Attributes:
        versions: its versions by number, which is text as in MLflow.
        aliases: the number of the version that each alias points to.
    """

    versions: Mapping[str, RegisteredVersion]
    aliases: Mapping[str, str]


class CannotBeAsked(TrackingError):
    """The registry is of a kind that is asked by means of MLflow only."""


def _can_be_asked(uri: str) -> bool:
    kind = scheme(uri)
    if kind in _WEB:
        # With these MLflow signs its requests by means of further packages.
        signed = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4")
        return not any(os.environ.get(name) for name in signed)
    return kind in DATABASES


def look_up(uri: str, name: str) -> RegisteredModel | None:
    """What the registry holds of a model.

    Args:
        uri: MLflow's tracking URI.
        name: of the registered model.

    Returns:
        The model; None if the registry has none of this name. A database file that is not there,
        and a database without MLflow's tables, have no models.

    Raises:
        CannotBeAsked: the registry is neither a server nor a database, or wants signed requests.
        TrackingError: the registry does not answer, or not as MLflow does.
    """
    if not _can_be_asked(uri):
        raise CannotBeAsked("a registry of this kind cannot be asked")
    if scheme(uri) in _WEB:
        return _ask_server(uri, name)
    if file := sqlite_file(uri):
        return _ask_sqlite(uri, file, name)
    return _ask_database(uri, name)


def scheme(uri: str) -> str:
    """The scheme of a tracking URI, without the driver that may follow it."""
    return uri.partition(":")[0].partition("+")[0]


@contextlib.contextmanager
def _answering(uri: str, *errors: type[Exception]) -> Iterator[None]:
    """Errors of a library as one line, which says which server does not answer."""
    try:
        yield
    except errors as error:
        cause = redact(str(error)).partition("\n")[0] or type(error).__name__
        advice = f": {_DRIVER_ADVICE}" if isinstance(error, ImportError) else ""
        raise TrackingError(
            f"the MLflow server {redact_url(uri)} does not answer ({cause}){advice}"
        ) from error


# --- databases ------------------------------------------------------------------------------------


def _ask_sqlite(uri: str, file: Path, name: str) -> RegisteredModel | None:
    import sqlite3

    with _answering(uri, sqlite3.Error, OSError, *_UNLIKE_MLFLOW):
        if not file.exists():
            return None
        with open_sqlite(file, "ro", TIMEOUT_SECONDS) as database:
            if not sqlite_tables(database) >= _TABLES:
                return None
            database.row_factory = sqlite3.Row
            return _from_tables(lambda sql: database.execute(sql, {"name": name}).fetchall())


@contextlib.contextmanager
def connect(uri: str) -> Iterator[sqlalchemy.Connection]:
    """A connection to a database that MLflow keeps its tables in.

    Raises:
        TrackingError: the database does not answer.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    timeout = {"connect_timeout": int(TIMEOUT_SECONDS)}
    with _answering(uri, SQLAlchemyError, ImportError, OSError, ValueError):
        engine = sqlalchemy.create_engine(
            uri,
            poolclass=NullPool,
            connect_args=timeout if scheme(uri) in {"postgresql", "mysql"} else {},
        )
        with engine.connect() as database:
            yield database


def _ask_database(uri: str, name: str) -> RegisteredModel | None:
    import sqlalchemy

    with _answering(uri, *_UNLIKE_MLFLOW), connect(uri) as database:
        if not set(sqlalchemy.inspect(database).get_table_names()) >= _TABLES:
            return None
        return _from_tables(
            lambda sql: database.execute(sqlalchemy.text(sql), {"name": name}).mappings().all()
        )


def _from_tables(rows: Callable[[str], Any]) -> RegisteredModel | None:
    """A model from MLflow's tables.

    Args:
        rows: the rows, by the names of their columns, that answer an SQL query with a ``:name``.
    """

    def of(table: str) -> Any:
        # All columns: the name of one, `key`, is a word of the language in some databases.
        return rows(f"SELECT * FROM {table} WHERE name = :name")  # noqa: S608  (from below)

    if not of("registered_models"):
        return None
    tags: dict[str, dict[str, str]] = {}
    for row in of("model_version_tags"):
        tags.setdefault(str(row["version"]), {})[row["key"]] = row["value"]
    return RegisteredModel(
        versions={
            str(row["version"]): RegisteredVersion(
                row["run_id"] or "", _time(row["creation_time"]), tags.get(str(row["version"]), {})
            )
            for row in of("model_versions")
            if row["current_stage"] != _DELETED
        },
        aliases={row["alias"]: str(row["version"]) for row in of("registered_model_aliases")},
    )


def _time(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


# --- MLflow's REST API ----------------------------------------------------------------------------

_UNLIKE_MLFLOW = (ValueError, LookupError, TypeError, AttributeError)
"""What an answer of another form than MLflow's raises."""


def _ask_server(uri: str, name: str) -> RegisteredModel | None:
    import configparser

    with _answering(uri, OSError, configparser.Error, *_UNLIKE_MLFLOW):
        ask = _rest_api(uri)
        found = ask("registered-models/get", {"name": name})
        if found is None:
            return None
        versions: dict[str, RegisteredVersion] = {}
        quoted = f'"{name}"' if "'" in name else f"'{name}'"
        query = {"filter": f"name={quoted}", "max_results": str(PAGE_SIZE)}
        for _ in range(MAX_PAGES):
            page = ask("model-versions/search", query) or {}
            for version in page.get("model_versions", []):
                versions[str(version["version"])] = RegisteredVersion(
                    version.get("run_id", ""),
                    _time(version["creation_timestamp"]),
                    {tag["key"]: tag.get("value", "") for tag in version.get("tags", [])},
                )
            if not (token := page.get("next_page_token")):
                break
            query["page_token"] = token
        else:
            raise ValueError(f"more than {MAX_PAGES} pages of versions")
        aliases = found["registered_model"].get("aliases", [])
        return RegisteredModel(
            versions, {alias["alias"]: str(alias["version"]) for alias in aliases}
        )


def _rest_api(uri: str) -> Callable[[str, Mapping[str, str]], Any]:
    """A function that asks a server's REST API; its answer is None for what is not there."""
    # Luigi has imported it already.
    import requests

    session = requests.Session()
    # As MLflow's own client does; user and password in the URI come before these.
    user, password = _configured_user()
    if user and password:
        basic = b64encode(f"{user}:{password}".encode()).decode()
        session.headers["Authorization"] = f"Basic {basic}"
    elif token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        session.headers["Authorization"] = f"Bearer {token}"
    if workspace := os.environ.get("MLFLOW_WORKSPACE"):
        session.headers["X-MLFLOW-WORKSPACE"] = workspace
    insecure = os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}
    verify = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or not insecure
    certificate = os.environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH")

    def ask(what: str, query: Mapping[str, str]) -> Any:
        try:
            answer = session.get(
                f"{uri.rstrip('/')}/api/2.0/mlflow/{what}",
                params=query,
                timeout=TIMEOUT_SECONDS,
                verify=verify,
                cert=certificate,
            )
        except requests.Timeout:
            raise TimeoutError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except requests.exceptions.SSLError:
            raise
        except requests.ConnectionError:
            # Its text quotes the whole URL.
            raise ConnectionError("it cannot be reached") from None
        if answer.status_code == requests.codes.ok:
            return answer.json()
        with contextlib.suppress(*_UNLIKE_MLFLOW):
            if answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST":
                return None
        raise ValueError(f"HTTP status {answer.status_code}")

    return ask


def _configured_user() -> tuple[str, str]:
    """User and password from the environment, or else from MLflow's file of credentials."""
    from configparser import ConfigParser

    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    file = ConfigParser()
    file.read(Path.home() / ".mlflow" / "credentials")
    user, password = (
        os.environ.get(name) or file.get("mlflow", name, fallback="") or "" for name in names
    )
    return user, password
