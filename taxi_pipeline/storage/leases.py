"""Which tasks runs work on, so that nothing that they read is removed meanwhile.

A run has a file under ``.running``. While the run is planned, the file stands for everything under
the root; then it names the folders of the run's tasks and of all that these require, whatever the
outputs are made from. A command that removes outputs has a file there too. Each writes its own file
first and reads those of the others then, so that of two that begin at the same time at least one
sees the other:

- A run that sees a removal waits for its end, and is planned after that.
- A removal that sees a run being planned steps back until it knows the run's folders, and keeps
  what is in them.

A file is that of a process that has ended if the process ran on this machine and is gone, or ran on
another machine and has not renewed its file for a day.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import is_running, own_name
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.protocol import Storage

RENEW_SECONDS = 3600.0
"""Seconds after which a process renews its file."""

SECONDS_UNRENEWED = 24 * 3600.0
"""After this many seconds without renewal, a process of another machine counts as ended."""

WAIT_SECONDS = 600.0
"""Seconds that a run waits for a removal, and a removal for the planning of a run."""

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Lease:
    """What a process that goes on works on.

    Attributes:
        name: of its file.
        task_dirs: the folders of its tasks; None for everything.
        removes: whether it removes outputs.
    """

    name: str
    task_dirs: frozenset[str] | None
    removes: bool

    def covers(self, task_dir: str) -> bool:
        """Whether it works on a task."""
        return self.task_dirs is None or task_dir in self.task_dirs


def live(storage: Storage) -> list[Lease]:
    """The leases of processes that go on; those of processes that have ended are removed."""
    found = []
    for file in sorted(storage.file_sizes(layout.RUNNING)):
        location = f"{layout.RUNNING}/{file}"
        try:
            content = storage.read_json(location)
        except DamagedOutput:
            content = {}  # it may be anybody's
        if content is None:  # its process has just ended
            continue
        if not isinstance(content, dict):
            content = {}
        if _is_live(file.removesuffix(".json"), content.get("renewed")):
            places = content.get("task_dirs")
            known = frozenset(map(str, places)) if isinstance(places, list) else None
            found.append(Lease(file, known, bool(content.get("removes"))))
        else:
            with contextlib.suppress(StorageError):  # of a root that can be read only
                storage.remove(location)
    return found


def _is_live(name: str, renewed: object) -> bool:
    runs = is_running(name)
    if runs is not None:
        return runs
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(str(renewed)).astimezone(UTC)
    except ValueError:  # it does not say
        return True
    return age.total_seconds() < SECONDS_UNRENEWED


class Holder:
    """The lease of this process: nothing at first, then everything, then some folders.

    Args:
        storage: the root.
        removes: whether this process removes outputs rather than reads them.
    """

    def __init__(self, storage: Storage, *, removes: bool = False) -> None:
        self.storage = storage
        self.name = f"{own_name()}.json"
        self._removes = removes
        self._held = False
        self._task_dirs: set[str] | None = None
        self._lock = threading.Lock()
        self._released = threading.Event()

    def cover(self, task_dirs: Collection[str]) -> None:
        """See to it that nothing in some folders is removed from now on.

        The first call covers everything, until :meth:`narrow`.

        Raises:
            StorageError: a removal does not come to its end.
        """
        if self._held and (self._task_dirs is None or self._task_dirs.issuperset(task_dirs)):
            return
        if self._task_dirs is not None:
            self._task_dirs.update(task_dirs)
        self._write()
        self._await_removals()

    def narrow(self, task_dirs: Collection[str]) -> None:
        """Cover these folders and no others any more."""
        self._task_dirs = set(task_dirs)
        self._write()

    def release(self, patience: float = -1) -> None:
        """Cover nothing any more; a file that cannot be removed counts until this process ends.

        Args:
            patience: seconds that a thread of this process which is writing the file is waited for,
                since it may have been stopped; by default as long as it takes.
        """
        if not self._held:
            return
        self._released.set()
        locked = self._lock.acquire(timeout=patience)
        try:
            self._held = False
            self._task_dirs = None
            self.storage.remove(f"{layout.RUNNING}/{self.name}")
        except StorageError as error:
            logger.warning("%s", error)
        finally:
            if locked:
                self._lock.release()

    def _write(self) -> None:
        with self._lock:
            content = {
                "renewed": datetime.now(UTC).isoformat(timespec="seconds"),
                "removes": self._removes,
                "task_dirs": None if self._task_dirs is None else sorted(self._task_dirs),
            }
            self.storage.write_json(f"{layout.RUNNING}/{self.name}", content)
            begins, self._held = not self._held, True
        if begins:
            self._released = threading.Event()
            threading.Thread(
                target=self._renew, args=(self._released,), name="lease", daemon=True
            ).start()

    def _renew(self, released: threading.Event) -> None:
        while not released.wait(RENEW_SECONDS):
            try:
                self._write()
            except StorageError as error:
                logger.warning("%s; it is tried again in an hour", error)

    def _await_removals(self) -> None:
        end, told = time.monotonic() + WAIT_SECONDS, False
        while removals := [lease for lease in live(self.storage) if lease.removes]:
            place = self.storage.uri(f"{layout.RUNNING}/{removals[0].name}")
            if time.monotonic() > end:
                raise StorageError(
                    f"a prune has not ended for {WAIT_SECONDS:.0f} seconds, and this run cannot "
                    f"begin beside it: end it, or remove {place} if it has ended, and run again"
                )
            if not told:
                logger.info("waiting for the prune that has %s to end", place)
                told = True
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def removal(storage: Storage) -> Iterator[list[Lease]]:
    """Within, outputs may be removed but for those that the leases cover; runs that begin wait.

    Raises:
        StorageError: a run has been planned for :data:`WAIT_SECONDS`.
    """
    own = Holder(storage, removes=True)
    end = time.monotonic() + WAIT_SECONDS
    try:
        while True:
            own.narrow(())
            others = [lease for lease in live(storage) if not lease.removes]
            planned = next((lease for lease in others if lease.task_dirs is None), None)
            if planned is None:
                break
            own.release()
            if time.monotonic() > end:
                place = storage.uri(f"{layout.RUNNING}/{planned.name}")
                raise StorageError(
                    f"a run has been planned for {WAIT_SECONDS:.0f} seconds, so that it is not "
                    f"known what it needs: prune when it has ended, or remove {place} if it has"
                )
            time.sleep(POLL_SECONDS)
        yield others
    finally:
        own.release()
