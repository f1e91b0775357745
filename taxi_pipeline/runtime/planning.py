"""What a run asks an object store while it is planned: as seldom as can be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import luigi

from taxi_pipeline import config
from taxi_pipeline.storage import open_storage
from taxi_pipeline.tasks.backfill import BackfillMonths

FEW_MONTHS = 3
FEW_TASKS = 40
"""Up to so many months, or tasks, a store is asked for each, rather than for all together."""


def snapshot(tasks: int) -> AbstractContextManager[None]:
    """A snapshot of the root in which so many tasks are looked at."""
    return open_storage(config.storage().root).snapshot(wide=tasks > FEW_TASKS)


class Planning:
    """The planning of a run: what the store says counts until something is run."""

    def __init__(self) -> None:
        self._held = contextlib.ExitStack()
        self._is_over = False

    @contextlib.contextmanager
    def reading(self, task: luigi.Task) -> Iterator[None]:
        """Within, a task is planned, with all that it requires."""
        months = getattr(task, "window", 1)
        wide = isinstance(task, BackfillMonths) or months > FEW_MONTHS
        taken = open_storage(config.storage().root).snapshot(wide=wide)
        if not self._is_over:
            self._held.enter_context(taken)
            taken = contextlib.nullcontext()
        with taken:
            yield

    def ends(self, *, anything_to_run: bool) -> None:
        """The run begins; if there is nothing to run, its end may use what is known."""
        self._is_over = True
        if anything_to_run:
            self._held.close()

    def close(self) -> None:
        """The run has ended."""
        self._is_over = True
        self._held.close()
