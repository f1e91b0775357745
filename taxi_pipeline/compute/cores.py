"""The cores of this machine, and the share of one task in them."""

from __future__ import annotations

import os
from dataclasses import dataclass


def cores() -> int:
    """The number of cores that this process may use; on macOS, which does not tell, all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class CoreShare:
    """The share of one task in the cores of this machine.

    Attributes:
        tasks_at_once: how many tasks run at a time, which share the cores evenly.
        limit: the most cores that one task may take; None or 0 if nothing limits them.
    """

    tasks_at_once: int = 1
    limit: int | None = None

    def threads(self, requested: int = 0) -> int:
        """The number of threads of one fit, which is never 0 and never above the limit.

        Args:
            requested: how many are wished for; 0 takes the share of one task.
        """
        threads = requested or max(1, cores() // self.tasks_at_once)
        return min(threads, self.limit or threads)
