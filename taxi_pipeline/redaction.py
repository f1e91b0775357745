"""What must not be read in a log: passwords, tokens, addresses that are secrets themselves.

Parameters that may hold a secret tell it to :func:`remember` when they are read, wherever they
were set; the environment's are recognised by their names.
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

_SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|SECRET|SECRET_ACCESS_KEY|TOKEN|API_?KEY)$", re.IGNORECASE
)
_USER = re.compile(r"(?<=://)[^\s/@'\"]+@")
_PARAMETER = re.compile(
    r"(?<=[?&#])([\w.%-]*(?:token|signature|sig|secret|password|credential|apikey)=)[^&#\s'\"]+",
    re.IGNORECASE,
)
# User and password, and the query, of a URL.
_PARTS = re.compile(r"^[^:/?#]+://(?:(?P<user>[^/?#]*)@)?[^?#]*(?:[?](?P<query>.+))?", re.DOTALL)
_NO_SECRETS = "synthetic://"

_known: set[str] = set()


def remember(url: str) -> None:
    """Keep what is secret in a URL, its password and its query, out of all that is logged."""
    parts = _PARTS.match(url)
    if parts is None or url.startswith(_NO_SECRETS):
        return
    _, colon, password = (parts["user"] or "").partition(":")
    for secret in (password if colon else "", unquote(password), parts["query"] or ""):
        remember_all_of(secret)


def remember_all_of(secret: str) -> None:
    """Keep a whole text out of all that is logged."""
    if len(secret) >= SHORTEST:
        _known.add(secret)


def without_user(url: str) -> str:
    """The URL without user and password, for a link."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def redact(text: str) -> str:
    """The text with ``***`` for secrets: what is known, and what URLs usually hide."""
    secrets = sorted(_known | _of_environment(), key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _PARAMETER.sub(rf"\1{MASK}", _USER.sub(f"{MASK}@", text))


@functools.cache
def _of_environment() -> frozenset[str]:
    return frozenset(
        value
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= SHORTEST
    )


class RedactingFilter(logging.Filter):
    """Redacts messages and tracebacks of all records that pass."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that holds secrets."""
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
