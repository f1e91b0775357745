"""What stands beside the outputs of a task, and whether one that is kept still needs it.

These are the trials of searches, and the pointers to the champions that candidates are compared
with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TypeVar

from taxi_pipeline.errors import DamagedOutput, InvalidConfig
from taxi_pipeline.identity import Identity
from taxi_pipeline.storage import Storage, layout, prune
from taxi_pipeline.storage.inventory import TaskDir
from taxi_pipeline.storage.prune import Removal
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.gate import ApplyGate
from taxi_pipeline.tasks.tune import TuneHyperparameters

OfRecipe = TypeVar("OfRecipe", bound=RecipeStage)


class Unknown(Exception):
    """Why something cannot be judged."""


def leftovers(
    storage: Storage, folder: TaskDir, kept: Collection[Identity], before: datetime
) -> Iterator[Removal]:
    """The trials and the pointers of a task that no run would go by and no kept output needs.

    Args:
        storage: the root.
        folder: of the task.
        kept: the identities of those of its outputs that are kept.
        before: what was written after this is kept.

    Raises:
        Unknown: that cannot be judged.
    """
    if folder.searches:
        yield from _trials(storage, folder, kept, before)
    if folder.stage == ApplyGate.stage:
        yield from _pointers(storage, folder, kept, before)


def _trials(
    storage: Storage, folder: TaskDir, kept: Collection[Identity], before: datetime
) -> Iterator[Removal]:
    """The trials of searches that led to no output that is kept and that no run would continue."""
    try:
        needed = {TuneHyperparameters.search_key_of(identity) for identity in kept}
    except KeyError as error:
        raise Unknown(f"an output has no {error}") from None
    task = _task(TuneHyperparameters, folder)
    if task.identity() is None:
        raise Unknown("its months are not ingested from [source] url, so its search is not known")
    needed.add(task.search_key)
    for search in folder.searches:
        if search not in needed:
            written = prune.last_written(storage, layout.trials_dir(folder.location, search))
            if written is not None and written <= before:
                yield prune.of_trials(storage, folder, search, "no search as it is now has them")


def _pointers(
    storage: Storage, folder: TaskDir, kept: Collection[Identity], before: datetime
) -> Iterator[Removal]:
    """The pointers to champions that lead to no record of the gate that is kept or made next."""
    sizes = storage.file_sizes(folder.location)
    pointers = [name for name in sizes if layout.is_champion_pointer(name)]
    if not pointers:
        return
    needed = {ApplyGate.pointed_key(identity) for identity in kept}
    if identity := _task(ApplyGate, folder).identity():
        needed.add(ApplyGate.pointed_key(identity))
    for name in pointers:
        location = f"{folder.location}/{name}"
        try:
            content = storage.read_json(location)
        except DamagedOutput:  # verify tells of it
            continue
        # The first pointers do not say whose they are.
        key = content.get(ApplyGate.POINTED) if isinstance(content, dict) else None
        written = storage.modified(location)
        if key in needed or (kept and not key) or written is None or written > before:
            continue
        reason = "no record of the gate is found by it"
        yield Removal("pointer", folder.location, location, reason, sizes[name])


def _task(kind: type[OfRecipe], folder: TaskDir) -> OfRecipe:
    """The task of a kind to which a folder belongs."""
    recipe, _, window = folder.variant.rpartition("-w")
    try:
        task = kind(
            year=folder.month.year,
            month=folder.month.month,
            taxi=folder.taxi,
            recipe=recipe,
            window=int(window),
        )
    except InvalidConfig:
        raise
    except ValueError as error:
        raise Unknown(str(error)) from None
    if task.task_dir != folder.location:
        raise Unknown(f"no outputs of {task.task_family} are kept here")
    return task
