"""What single options may be; errors say where they are set."""

from __future__ import annotations

import importlib.util
import os
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.formatting import did_you_mean
from taxi_pipeline.redaction import redact_url
from taxi_pipeline.trips import urls

_HOST = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE | re.ASCII)
_CLUSTER = re.compile(r"(tcp|tls)://([\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}", re.IGNORECASE | re.ASCII)
_PASSWORD = re.compile(r"[\w.~-]{8,}", re.ASCII)
_DRIVERS = {"postgresql": "psycopg", "mysql": "MySQLdb", "mssql": "pyodbc"}
"""What SQLAlchemy takes for a database where the URI names no driver."""

_NAMED_AS_MODULES = {*_DRIVERS.values(), "psycopg2", "pg8000", "pymysql", "pymssql"}
"""Drivers whose name in a URI is that of the module; others are left to SQLAlchemy."""

_REGISTRIES = ("http", "https", "sqlite", *_DRIVERS, "file", "databricks", "databricks-uc", "uc")
_AGE = re.compile(r"(\d{1,6}) *(minute|hour|day|week)s?")


def check_source_url(template: str) -> None:
    """Refuse a template that cannot name each month's file.

    Raises:
        InvalidConfig: it cannot.
    """
    try:
        urls.check_template(template)
    except InvalidConfig as error:
        raise InvalidConfig(f"[source] url {error}") from None


def check_root(root: str) -> None:
    """Refuse a folder whose name cannot be handed on: Parquet, XGBoost and SQLite take UTF-8 alone.

    Raises:
        InvalidConfig: it cannot.
    """
    if "://" in root and not root.startswith("file://"):
        return
    try:
        place = str(Path(root.removeprefix("file://")).expanduser().absolute())
    except RuntimeError:
        raise InvalidConfig(
            f"[storage] root {root}: there is no such user; a folder of that name is ./{root}"
        ) from None
    try:
        place.encode()
    except UnicodeEncodeError:
        name = os.fsencode(place)
        try:
            shown, advice = name.decode(), "run in a locale of UTF-8, such as LC_ALL=C.UTF-8"
        except UnicodeDecodeError:
            shown, advice = name.decode(errors="backslashreplace"), "rename it, or take another"
        raise InvalidConfig(
            f"[storage] root {shown} cannot be used: its path is no text in UTF-8 here; {advice}"
        ) from None


def max_answer_age(text: str) -> timedelta | None:
    """How old an answer of the source may get before it is asked again; None for never.

    Args:
        text: ``always``, ``never`` or an age such as ``1 day``.

    Raises:
        InvalidConfig: the text is something else.
    """
    if text in {"always", "never"}:
        return timedelta() if text == "always" else None
    if (age := _AGE.fullmatch(text)) is None:
        raise InvalidConfig(
            f"[source] check is {text!r}: it must be always, never, or an age such as 1 day, "
            "12 hours or 30 minutes"
        )
    return timedelta(**{f"{age[2]}s": int(age[1])})


def check_age(text: str) -> None:
    """Refuse what is no age.

    Raises:
        InvalidConfig: it is none.
    """
    max_answer_age(text)


def check_webhook(url: str) -> None:
    """Refuse a URL that nothing can be posted to; the error hides it, since it is a secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        usable = False
    if url and not (usable and url.isascii() and url.isprintable() and " " not in url):
        raise InvalidConfig(
            "[alerts] webhook must be a URL such as https://host/path, without user and blanks"
        )


def check_cluster(address: str) -> None:
    """Refuse what is no address of a Dask scheduler.

    Raises:
        InvalidConfig: it is none.
    """
    if address and not _CLUSTER.fullmatch(address):
        raise InvalidConfig(
            f"[compute] scheduler is {redact_url(address)!r}: it must be the address of a Dask "
            "scheduler, tcp://host:port or tls://host:port, as `dask scheduler` prints it"
        )


def check_tracking_uri(uri: str) -> None:
    """Refuse a registry that could only be found out to be out of reach after training.

    A scheme that is like none of MLflow's own may be that of a plugin, and is left to MLflow.

    Raises:
        InvalidConfig: the scheme is misspelt, or the driver of the database is not installed.
    """
    if "://" not in uri:
        return
    scheme, _, driver = uri.partition("://")[0].partition("+")
    if scheme not in _REGISTRIES:
        if meant := did_you_mean(scheme, _REGISTRIES):
            raise InvalidConfig(
                f"[tracking] uri {redact_url(uri)}: MLflow knows no scheme {scheme}{meant}"
            )
        return
    module = driver or _DRIVERS.get(scheme, "")
    if module in _NAMED_AS_MODULES and not importlib.util.find_spec(module):
        extra = " (pip install 'taxi_pipeline[postgresql]')" if module == "psycopg" else ""
        raise InvalidConfig(
            f"[tracking] uri {redact_url(uri)}: the database's driver {module} is not installed "
            f"here: install it{extra}"
        )


def check_hosts(text: str) -> None:
    """Refuse what is no list of host names.

    Raises:
        InvalidConfig: a part of the text is no name.
    """
    for name in text.replace(",", " ").split():
        if not _HOST.fullmatch(name):
            raise InvalidConfig(
                f"[luigid] hosts has {name!r}: it must be names of hosts such as luigi.example.org "
                "or luigi.example.org:8443, separated by commas, without http:// and without paths"
            )


def check_password(text: str) -> None:
    """Refuse a password that a URL would change, or that is short; the error does not show it.

    Raises:
        InvalidConfig: it is one.
    """
    if text and not _PASSWORD.fullmatch(text):
        raise InvalidConfig(
            "[luigid] password must have at least 8 characters, and only letters, digits, - . _ ~, "
            "since clients write it into a URL; python -c 'import secrets; "
            "print(secrets.token_urlsafe())' makes one"
        )
