"""Texts of pure functions, said in the words of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable

import luigi

_ARGUMENT = re.compile(r"`(\w+)`")


def name_options(text: str, sections: Iterable[type[luigi.Config]]) -> str:
    """The text with each argument in backticks named as the option that it comes from.

    Pure functions know nothing of the configuration: their failures name their own arguments, as
    in "raise `timeout`", of which a user sets ``[source] timeout``.

    Args:
        text: for a user; what it has in backticks and is no option stays as it is.
        sections: the sections that the arguments may come from. The first that has an option of an
            argument's name counts.
    """
    options: dict[str, str] = {}
    for section in sections:
        for name, _ in section.get_params():
            options.setdefault(name, f"[{section.__name__}] {name}")
    return _ARGUMENT.sub(lambda found: options.get(found[1], found[0]), text)
