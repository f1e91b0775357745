"""Locks that hold across machines: one process at a time does what only one may do.

A process that wants a lock writes a file of its own first and lists the files of the others then:
so of two that begin at the same time at least one sees the other, and holds back. That needs no
more of a store than that a file which was written is listed, as local disks, shared folders and
object stores all do.

The holder renews its file. One that has ended on this machine is known at once; one of another
machine whose file has not changed for :data:`SECONDS_UNRENEWED`, by the clock of who waits, counts
as ended. A process that stood still for longer than that, and then goes on, may do so beside
another: whatever is done under a lock must also find what is there already.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import is_running, own_name
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.protocol import Storage

RENEW_SECONDS = 10.0
"""Seconds after which the holder of a lock renews its file."""

SECONDS_UNRENEWED = 60.0
"""After this many seconds without renewal, a holder of another machine counts as ended."""

WAIT_SECONDS = 600.0
"""Seconds that a lock is waited for by default."""

POLL_SECONDS = 0.1
MAX_POLL_SECONDS = 1.0


@contextlib.contextmanager
def lock(
    storage: Storage, name: str, purpose: str, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[bool]:
    """Within, no other process holds the lock of this name under the same root.

    Args:
        storage: the root.
        name: of the lock: letters and digits.
        purpose: what is done under it, for who waits.
        wait_seconds: how long others are waited for; infinity for as long as they go on.

    Yields:
        Whether another process was waited for.

    Raises:
        StorageError: another process has held it all the time, or the store cannot be written.
    """
    claim = _Claim(storage, name, purpose)
    waited = claim.acquire(wait_seconds)
    try:
        yield waited
    finally:
        claim.release()


class _Claim:
    """The file of this process among those of a lock."""

    def __init__(self, storage: Storage, name: str, purpose: str) -> None:
        self._storage = storage
        self._name = name
        self._purpose = purpose
        self._location = layout.lock_file(name, own_name())
        self._renewals = 0
        self._is_released = threading.Event()
        self._writing = threading.Lock()
        self._seen: dict[str, tuple[Any, float]] = {}

    def acquire(self, wait_seconds: float) -> bool:
        end, poll, is_told = time.monotonic() + wait_seconds, POLL_SECONDS, False
        while True:
            self._write()
            try:
                holder = self._other()
            except BaseException:
                self._remove()
                raise
            if holder is None:
                threading.Thread(target=self._renew, name="lock", daemon=True).start()
                return is_told
            self._remove()
            while holder is not None:
                place = self._storage.uri(holder)
                if time.monotonic() > end:
                    raise StorageError(
                        f"another process has been busy with {self._purpose} for "
                        f"{wait_seconds:.0f} seconds: wait for it or end it, or remove {place} if "
                        "it has ended; then run again"
                    )
                if not is_told:
                    logger.info("waiting for another process to end %s (%s)", self._purpose, place)
                    is_told = True
                # Two that saw each other do not try again at the same moment.
                time.sleep(poll * random.uniform(0.5, 1.5))  # noqa: S311  (not for secrets)
                poll = min(poll * 1.5, MAX_POLL_SECONDS)
                holder = self._other()

    def release(self) -> None:
        with self._writing:
            self._is_released.set()
            self._remove()

    def _other(self) -> str | None:
        """Another process that holds the lock or wants to; what ended ones left is removed."""
        for file in sorted(self._storage.file_sizes(layout.LOCKS)):
            location = f"{layout.LOCKS}/{file}"
            if not file.startswith(f"{self._name}-") or location == self._location:
                continue
            if self._goes_on(location):
                return location
            with contextlib.suppress(StorageError):
                self._storage.remove(location)
        return None

    def _goes_on(self, location: str) -> bool:
        runs = is_running(location.removesuffix(".json"))
        if runs is not None:
            return runs
        try:
            content = self._storage.read_json(location)
        except DamagedOutput:
            content = "damaged"
        if content is None:  # it has just been released
            return False
        now = time.monotonic()
        known, since = self._seen.get(location, (None, now))
        if known != content:
            since = now
        self._seen[location] = (content, since)
        return now - since < SECONDS_UNRENEWED

    def _write(self) -> None:
        self._renewals += 1
        content = {"purpose": self._purpose, "renewals": self._renewals}
        self._storage.write_json(self._location, content)

    def _remove(self) -> None:
        try:
            self._storage.remove(self._location)
        except StorageError as error:
            logger.warning("%s", error)

    def _renew(self) -> None:
        while not self._is_released.wait(RENEW_SECONDS):
            with self._writing:
                if self._is_released.is_set():
                    return
                try:
                    self._write()
                except StorageError as error:
                    logger.warning("%s; it is tried again", error)
