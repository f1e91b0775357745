"""The URL of a month's file, and the template that names it.

Every command imports this module to check its template, but few commands fetch anything: so fsspec
is imported only for a protocol that the module does not know.
"""

from __future__ import annotations

import re

from taxi_pipeline.errors import InvalidConfig, MonthNotPublished
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import redact_url

DEFAULT_URL = (
    "https://d37ci6vzurychx.cloudfront.net/trip-data/{taxi}_tripdata_{year}-{month:02d}.parquet"
)
"""Where TLC publishes."""

FIRST_MONTHS = {"green": Month(2013, 8), "yellow": Month(2011, 1)}
"""The first month of each taxi whose file can be used."""

SYNTHETIC = "synthetic://"
"""How a URL of the synthetic city begins."""

_SYNTHETIC_FILE = "{taxi}_tripdata_{year}-{month:02d}.parquet"
_LIGHT_PROTOCOLS = {"http", "https", "file", "synthetic"}  # need no look at what fsspec knows

_PLACEHOLDER = re.compile(r"\{(?:taxi|(year|month)(?::0\dd?)?)\}")
_PROTOCOL = re.compile(r"(?:^|::)([^:/?#]{2,})://")


def month_url(template: str, taxi: str, month: Month) -> str:
    """The URL of a month's file.

    Args:
        template: what :func:`check_template` accepts.
        taxi: ``green`` or ``yellow``.
        month: the month that the file is published for.
    """
    return _in_full(template).format(taxi=taxi, year=month.year, month=month.month)


def _in_full(template: str) -> str:
    """The template, with a file name if it is ``synthetic://`` with at most a query."""
    query = template.removeprefix(SYNTHETIC)
    if query != template and query[:1] in ("", "?"):
        return f"{SYNTHETIC}{_SYNTHETIC_FILE}{query}"
    return template


def check_template(template: str) -> None:
    """Refuse a URL template that cannot name the file of each month.

    Raises:
        InvalidConfig: it has other braces than those of the placeholders, does not name the year
            and the month, or has a protocol that fsspec cannot use.
    """
    shown = redact_url(template)
    full = _in_full(template)
    if set("{}") & set(_PLACEHOLDER.sub("", full)):
        raise InvalidConfig(f"{shown}: braces may only read {{taxi}}, {{year}} and {{month:02d}}")
    if lacking := {"year", "month"} - {found[1] for found in _PLACEHOLDER.finditer(full)}:
        raise InvalidConfig(
            f"{shown}: it lacks the {' and the '.join(sorted(lacking))}; name each month's file "
            "with {year} and {month:02d}"
        )
    for protocol in set(_PROTOCOL.findall(template)) - _LIGHT_PROTOCOLS:
        _check_protocol(protocol, shown)


def _check_protocol(protocol: str, shown: str) -> None:
    from fsspec.registry import get_filesystem_class

    try:
        get_filesystem_class(protocol)
    except ValueError:
        raise InvalidConfig(
            f"{shown}: fsspec knows no protocol {protocol}; use https, file, s3 ..."
        ) from None
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or protocol
        raise InvalidConfig(
            f"{shown}: protocol {protocol} needs a package that is not installed; "
            f"pip install {package.partition('.')[0]}"
        ) from None


def check_month(taxi: str, month: Month) -> None:
    """Refuse a month that no source can offer in a form of use.

    Raises:
        MonthNotPublished: the month is before the taxi's first.
    """
    first = FIRST_MONTHS[taxi]
    if month < first:
        reason = (
            f"no green file exists before {first}"
            if taxi == "green"
            else f"files before {first} hold coordinates instead of zone ids"
        )
        raise MonthNotPublished(f"{taxi} {month}: {reason}; choose {first} or a later month")


def is_http(url: str) -> bool:
    """Whether a web server is asked for the URL."""
    return url.startswith(("http://", "https://"))
