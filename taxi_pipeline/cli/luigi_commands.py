"""Commands for a shell that a person is told to run next."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from taxi_pipeline.month import Month

DEFAULTS: dict[str, Any] = {"taxi": "green", "recipe": "trip", "window": 1}
"""Values that need not be typed."""


def luigi_command(family: str, months: Collection[Month], **parameters: Any) -> str:
    """The command that runs a task for some months.

    Args:
        family: of the task, such as ``RegisterModel``.
        months: the values of its year and month; where there are several, those between them are
            made as well.
        parameters: the others, such as the recipe.
    """
    further = {name: value for name, value in parameters.items() if value != DEFAULTS.get(name)}
    command = "luigi --module taxi_pipeline"
    first, last = min(months), max(months)
    if first == last:
        flags = "".join(f" --{name} {value}" for name, value in further.items())
        return f"{command} {family} --year {first.year} --month {first.month}{flags}"
    params = f" --of-params '{json.dumps(further)}'" if further else ""
    return f"{command} BackfillMonths --of {family} --start {first} --stop {last + 1}{params}"
