"""Passwords, tokens and secret URLs are kept out of all that is logged or shown.

A parameter that may hold a secret registers it when it is read, wherever it was set (see
:func:`register_url_secrets` and :func:`register_secret`). The environment's secrets are recognised
by the names of their variables.

Registered secrets stay registered as long as the process lives: another task, server or log handler
may come upon them later.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from urllib.parse import unquote, urlsplit

MASK = "***"
MIN_LENGTH = 6
"""Characters of the shortest secret that is masked; shorter ones would mask ordinary words."""

MIN_QUERY_LENGTH = 12
"""Characters from which on a value in a query is masked even where its name is not beside it."""

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

_secrets: set[str] = set()


def register_url_secrets(url: str) -> None:
    """Register the secrets of a URL, its password and its query, so that nothing shows them.

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
                if len(value := setting.partition("=")[2]) >= MIN_QUERY_LENGTH:
                    register_secret(value)


def register_secret(secret: str) -> None:
    """Register a whole text as a secret, so that nothing shows it."""
    if len(secret) >= MIN_LENGTH:
        _secrets.add(secret)


def strip_credentials(url: str) -> str:
    """The URL without user and password, for a link."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def redact(text: str) -> str:
    """The text with ``***`` in place of registered secrets, and of what is secret in URLs.

    Args:
        text: any text; of a single URL, :func:`redact_url` shows less.
    """
    secrets = sorted(_secrets | _secrets_of_environment(), key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _PARAMETER.sub(rf"\1{MASK}", _USER.sub(f"{MASK}@", text))


def redact_url(url: str) -> str:
    """The URL with ``***`` in place of user, password, query and fragment.

    Args:
        url: one URL and nothing else; nothing of it needs to be registered.
    """
    if url.startswith(_NO_SECRETS):
        return url
    return _URL_QUERY.sub(rf"\1{MASK}", _URL_USER.sub(f"{MASK}@", url))


@functools.cache
def _secrets_of_environment() -> frozenset[str]:
    return frozenset(
        value
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= MIN_LENGTH
    )


def message(record: logging.LogRecord) -> str:
    """A record's message; arguments that do not fit it are appended instead of failing."""
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
        text = message(record)
        if (redacted := redact(text)) != text:
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
