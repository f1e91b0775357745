"""What must not be read in a log: passwords, tokens, addresses that are secrets themselves.

A parameter that may hold a secret registers it when it is read, wherever it was set (see
:func:`register_url_secrets` and :func:`register_secret`). The environment's secrets are recognised
by the names of their variables.

The registered secrets are kept for the whole process, and never forgotten: what was a secret once
must not be read later either, whichever task, server or log handler comes upon it.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from urllib.parse import unquote, urlsplit

MASK = "***"
SHORTEST = 6
"""Shorter secrets are left: they would mask ordinary words."""

LONG = 12
"""A value of a query that is as long is taken for a secret even without its name."""

_SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIALS?|CONNECTION_STRING)$", re.IGNORECASE
)
_USER = re.compile(r"(?<=://)[^\s/@'\"]+@")
_PARAMETER = re.compile(
    r"(?<=[?&#])([\w.%-]*(?:token|signature|sig|secret|password|credential|apikey)=)[^&#\s'\"]+",
    re.IGNORECASE,
)
# A colon that no port number follows begins a password; that may hold anything, up to the last @.
_PASSWORD = re.compile(r"[^/?#@:]*:(?!\d*(?:[/?#]|$))(.*)@", re.DOTALL)
_NO_SECRETS = "synthetic://"

# What comes before the host, in a URL or in the part of one that an error quotes; the
# password is found as above.
_URL_USER = re.compile(r"(?:(?<=://)|^)(?:[^/?#@:]*:(?!\d*(?:[/?#]|$)).*|[^/?#]*)@", re.DOTALL)
_URL_QUERY = re.compile(r"([?#]).+", re.DOTALL)

_known: set[str] = set()


def register_url_secrets(url: str) -> None:
    """Keep the secrets of a URL, which are its password and its query, out of all that is logged.

    Args:
        url: of one file system, or of several that are chained with ``::``.
    """
    for part in url.split("::"):
        scheme, _, rest = part.partition("://")
        if f"{scheme}://" == _NO_SECRETS:
            continue
        found = _PASSWORD.match(rest)
        # An @ may belong to the password or come after it.
        for password in (found[1], found[1].partition("@")[0]) if found else ():
            register_secret(password)
            register_secret(unquote(password))
        for query in {rest.partition("?")[2], rest.rpartition("@")[2].partition("?")[2]}:
            # A template's query changes with the month, but for the parts that do not.
            for setting in (query, *query.split("&")):
                register_secret(setting)
                if len(value := setting.partition("=")[2]) >= LONG:
                    register_secret(value)


def register_secret(secret: str) -> None:
    """Keep a whole text out of all that is logged."""
    if len(secret) >= SHORTEST:
        _known.add(secret)


def strip_credentials(url: str) -> str:
    """The URL without user and password, for a link."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def redact(text: str) -> str:
    """The text with ``***`` for secrets: what is known, and what URLs usually hide.

    Args:
        text: any text; of a single URL, :func:`redact_url` shows less.
    """
    secrets = sorted(_known | _of_environment(), key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _PARAMETER.sub(rf"\1{MASK}", _USER.sub(f"{MASK}@", text))


def redact_url(url: str) -> str:
    """The URL with ``***`` for all that may be secret in it: user, password, query and fragment.

    Args:
        url: one URL and nothing else; nothing of it needs to be registered.
    """
    if url.startswith(_NO_SECRETS):
        return url
    return _URL_QUERY.sub(rf"\1{MASK}", _URL_USER.sub(f"{MASK}@", url))


@functools.cache
def _of_environment() -> frozenset[str]:
    return frozenset(
        value
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= SHORTEST
    )


def message(record: logging.LogRecord) -> str:
    """A record's message; one whose arguments do not fit is mended first, rather than fail."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg, record.args = f"{record.msg} {record.args}", ()
        return record.msg


class RedactingFilter(logging.Filter):
    """Redacts messages and tracebacks of all records that pass."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that holds secrets."""
        said = message(record)
        if (told := redact(said)) != said:
            record.msg, record.args = told, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
