"""What single options may be; errors say where they are set."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.trips import urls

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
