"""What there is under a storage root, whatever made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from taxi_pipeline.identity import is_key
from taxi_pipeline.month import Month
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.output import Output
from taxi_pipeline.storage.protocol import Storage


@dataclass(frozen=True)
class TaskDir:
    """The folder of all outputs of one task, whatever they were made from.

    Attributes:
        stage: the stage's name.
        taxi: ``green`` or ``yellow``.
        month: the month.
        variant: such as ``trip-w1``; empty for stages that are not about a model.
        names: the folders in it: outputs by their keys, ``logs``, trials, ``latest``.
    """

    stage: str
    taxi: str
    month: Month
    variant: str
    names: tuple[str, ...]

    @property
    def location(self) -> str:
        """Relative to the root."""
        return layout.task_dir(self.stage, self.taxi, str(self.month), self.variant)

    @property
    def keys(self) -> list[str]:
        """The keys of the outputs."""
        return [name for name in self.names if is_key(name)]

    @property
    def searches(self) -> list[str]:
        """The keys of the searches that have trials here."""
        prefix = layout.TRIALS_PREFIX
        return [name.removeprefix(prefix) for name in self.names if name.startswith(prefix)]

    def output(self, storage: Storage, key: str) -> Output:
        """The output of a key."""
        return Output(storage, layout.output_dir(self.location, key))


def task_dirs(storage: Storage) -> Iterator[TaskDir]:
    """The folders of tasks, by stage, taxi and month; what is something else is passed over."""
    for stage in storage.list_dirs(""):
        if layout.is_hidden(stage):
            continue
        for taxi in storage.list_dirs(stage):
            for month in storage.list_dirs(f"{stage}/{taxi}"):
                yield from _of_month(storage, stage, taxi, month)


def _of_month(storage: Storage, stage: str, taxi: str, month: str) -> Iterator[TaskDir]:
    try:
        calendar_month = Month.parse(month)
    except ValueError:
        return
    names = storage.list_dirs(layout.task_dir(stage, taxi, month))
    variants = [name for name in names if name not in {layout.LOGS, layout.LATEST}]
    if not variants or any(is_key(name) for name in names):
        yield TaskDir(stage, taxi, calendar_month, "", tuple(names))
        return
    for variant in variants:
        inner = storage.list_dirs(layout.task_dir(stage, taxi, month, variant))
        yield TaskDir(stage, taxi, calendar_month, variant, tuple(inner))
