"""The limits of resources: as the scheduler grants them, and of libraries in this process."""

from __future__ import annotations

import os
from typing import Any

import luigi


def sync_resource_limits(scheduler: Any) -> dict[str, int]:
    """Tell the scheduler the limits of resources that it does not know; all limits are returned.

    A scheduler grants one of a resource that it does not know, so that a task which takes two of
    it would never run. Limits that the scheduler knows win over those of the configuration.
    """
    known = {entry["name"]: int(entry["num_total"]) for entry in scheduler.resource_list() or ()}
    ours = luigi.configuration.get_config().getintdict("resources")
    for name in sorted(set(ours) - set(known)):
        scheduler.update_resource(name, ours[name])
    return {**ours, **known}


def limit_library_threads(threads: int) -> None:
    """Limit the threads of the libraries beneath NumPy, which would take all cores.

    Linear algebra gets one: its matrices are small here (265 zones), and beside other work its
    threads wait for each other (nine times the CPU seconds were measured). The libraries read this
    when they are loaded. What the user has set stays.
    """
    limits = {"OMP": threads, "OPENBLAS": 1, "MKL": 1}
    for library, limit in limits.items():
        os.environ.setdefault(f"{library}_NUM_THREADS", str(limit))
