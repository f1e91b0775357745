"""What is under a root, what is made of what, and the removal of what nothing needs.

Which outputs are needed is for others to say: here is what follows from that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.identity import Identity
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.inventory import TaskDir, task_dirs
from taxi_pipeline.storage.protocol import Storage

THREADS = 16
"""Manifests that are read at a time."""


@dataclass(frozen=True)
class Made:
    """An output under a root.

    Attributes:
        task_dir: the folder of its task.
        key: its key.
        manifest: its manifest; None if there is none, or none that can be read.
    """

    task_dir: TaskDir
    key: str
    manifest: Mapping[str, Any] | None = field(compare=False, hash=False, repr=False)

    @property
    def location(self) -> str:
        """Relative to the root."""
        return layout.output_dir(self.task_dir.location, self.key)

    @cached_property
    def identity(self) -> Identity | None:
        """What it was made from, as far as its manifest says so."""
        try:
            return Identity(**(self.manifest or {})["identity"])
        except (KeyError, TypeError):
            return None

    @property
    def inputs(self) -> Mapping[str, str]:
        """The keys of what it was made from, by their labels."""
        return self.identity.inputs if self.identity else {}

    @property
    def finished(self) -> datetime | None:
        """When it was published, if its manifest says so."""
        return parse_time((self.manifest or {}).get("finished"))

    @property
    def seconds(self) -> float:
        """The time that it took to make."""
        return float((self.manifest or {}).get("seconds", 0.0))


def parse_time(text: object) -> datetime | None:
    """The time that a manifest holds; None if it holds none."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Contents:
    """All that is under a root.

    Attributes:
        task_dirs: the folders of tasks.
        outputs: the outputs in them.
    """

    task_dirs: Sequence[TaskDir]
    outputs: Sequence[Made]

    @cached_property
    def by_key(self) -> Mapping[str, Sequence[Made]]:
        """The outputs that have a key: one, unless a file was published for two months."""
        found: dict[str, list[Made]] = defaultdict(list)
        for made in self.outputs:
            found[made.key].append(made)
        return found

    def with_inputs(self, roots: Iterable[Made]) -> set[Made]:
        """Some outputs and all that they were made from, directly or not."""
        reached: set[Made] = set()
        ahead = list(roots)
        while ahead:
            made = ahead.pop()
            if made not in reached:
                reached.add(made)
                for key in made.inputs.values():
                    ahead += self.by_key.get(key, ())
        return reached


def read(storage: Storage) -> Contents:
    """All that is under a root; nothing that a link out of the root leads to."""
    folders = [
        folder for folder in task_dirs(storage) if not storage.leads_outside(folder.location)
    ]
    places = [(folder, key) for folder in folders for key in folder.keys]
    with ThreadPoolExecutor(THREADS) as pool:
        outputs = list(pool.map(lambda place: _made(storage, *place), places))
    return Contents(folders, outputs)


def _made(storage: Storage, folder: TaskDir, key: str) -> Made:
    try:
        manifest = storage.read_json(layout.manifest_file(layout.output_dir(folder.location, key)))
    except DamagedOutput:
        manifest = None
    return Made(folder, key, manifest if isinstance(manifest, dict) else None)


@dataclass(frozen=True)
class Removal:
    """Something that nothing needs.

    Attributes:
        what: ``output``, ``trials``, ``pointer``, or ``damaged`` for what was set aside.
        task_dir: the location of the task that it belongs to; empty for what was set aside.
        location: what is removed.
        reason: why it is not needed.
        size: its bytes.
        seconds: the time that it took to make.
        logs: the log of the run that made it, which goes with it.
    """

    what: Literal["output", "trials", "pointer", "damaged"]
    task_dir: str
    location: str
    reason: str
    size: int
    seconds: float = 0.0
    logs: tuple[str, ...] = ()


def of_output(storage: Storage, made: Made, reason: str) -> Removal:
    """The removal of an output, with the log of the run that made it."""
    place = made.task_dir.location
    sizes = storage.file_sizes(made.location)
    log = str((made.manifest or {}).get("log", ""))
    own_log = re.fullmatch(rf"{re.escape(place)}/{layout.LOGS}/[^/]+\.log", log)
    return Removal(
        "output",
        place,
        made.location,
        reason,
        sum(sizes.values()),
        made.seconds,
        (log,) if own_log else (),
    )


def of_trials(storage: Storage, folder: TaskDir, search: str, reason: str) -> Removal:
    """The removal of the trials of a search."""
    location = layout.trials_dir(folder.location, search)
    size = sum(storage.file_sizes(location).values())
    return Removal("trials", folder.location, location, reason, size)


def last_written(storage: Storage, location: str) -> datetime | None:
    """When the last of the files in a folder was written; None if the store keeps no times."""
    times = (storage.modified(f"{location}/{name}") for name in storage.file_sizes(location))
    return max((time for time in times if time), default=None)


def of_damaged(storage: Storage, before: datetime) -> Iterator[Removal]:
    """The removals of what was set aside as damaged before a time."""
    sizes: dict[tuple[str, datetime | None], int] = defaultdict(int)
    for name, size in storage.file_sizes(layout.DAMAGED).items():
        if aside := layout.parse_set_aside(f"{layout.DAMAGED}/{name}"):
            sizes[aside] += size
    for (location, time), size in sorted(sizes.items(), key=lambda entry: entry[0][0]):
        if time is None or time <= before:
            since = f" on {time:%Y-%m-%d}" if time else ""
            yield Removal("damaged", "", location, f"set aside as damaged{since}", size)


def remove(
    storage: Storage,
    removals: Collection[Removal],
    progress: Callable[[Removal], object] = lambda _: None,
) -> None:
    """Remove what nothing needs, and ``latest`` links to it.

    What was made of something goes before it (the order given is reversed), so that nothing whose
    removal was interrupted is taken for something else later.
    """
    for removal in removals:
        if removal.task_dir:
            latest = storage.latest_key(removal.task_dir)
            if latest and layout.output_dir(removal.task_dir, latest) == removal.location:
                storage.remove(layout.latest_link(removal.task_dir))
        for location in (removal.location, *removal.logs):
            storage.remove(location)
        progress(removal)


def downstream_first(contents: Contents, outputs: Collection[Made]) -> list[Made]:
    """Outputs in an order in which each comes before what it was made from."""
    order: list[Made] = []
    seen: set[Made] = set()
    for first in sorted(outputs, key=lambda made: made.location):
        ahead = [(first, False)]
        while ahead:
            made, inputs_done = ahead.pop()
            if inputs_done:
                order.append(made)
            elif made not in seen:
                seen.add(made)
                ahead.append((made, True))
                for key in made.inputs.values():
                    ahead += [(found, False) for found in contents.by_key.get(key, ())]
    return [made for made in reversed(order) if made in set(outputs)]
