"""The limits of resources, as the scheduler grants them."""

from __future__ import annotations

from typing import Any

import luigi


def _limits(scheduler: Any) -> dict[str, int]:
    """The scheduler's limits of resources, after it was told those that it had not heard of.

    Of what it does not know, a scheduler grants one, so that what takes two would never run.
    """
    known = {entry["name"]: int(entry["num_total"]) for entry in scheduler.resource_list() or ()}
    ours = luigi.configuration.get_config().getintdict("resources")
    for name in sorted(set(ours) - set(known)):
        scheduler.update_resource(name, ours[name])
    return {**ours, **known}
