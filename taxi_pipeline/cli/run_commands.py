"""Runs that a person is told to begin next."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from taxi_pipeline import commands
from taxi_pipeline.month import Month

DEFAULTS: dict[str, Any] = {"taxi": "green", "recipe": "trip", "window": 1}
"""Values that need not be typed."""


def run_command(
    family: str, months: Collection[Month], *, flags: Sequence[str] = (), **parameters: Any
) -> str:
    """The command that runs a task for some months.

    Args:
        family: of the task, such as ``RegisterModel``.
        months: the values of its year and month; where there are several, those between them are
            made as well.
        flags: of the configuration, in place of those that the present command was given.
        parameters: the others, such as the recipe.
    """
    further = {name: value for name, value in parameters.items() if value != DEFAULTS.get(name)}
    first, last = min(months), max(months)
    if first == last:
        words = [family, "--year", str(first.year), "--month", str(first.month)]
        for name, value in further.items():
            words += [f"--{name}", str(value)]
    else:
        words = ["BackfillMonths", "--of", family]
        words += ["--start", str(first), "--stop", str(last + 1)]
        words += ["--of-params", json.dumps(further)] if further else []
    return commands.write("run", *words, *flags)
