"""Reading outputs that are kept under a URL."""

from __future__ import annotations

import contextlib
import multiprocessing.util
import shutil
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.storage import filesystems
from taxi_pipeline.storage.files import parse_json
from taxi_pipeline.storage.protocol import wrap_errors
from taxi_pipeline.storage.snapshot import Snapshot

_SNAPSHOT: ContextVar[Snapshot | None] = ContextVar("snapshot", default=None)


class RemoteReader:
    """What is read under a URL; files are copied to this machine for that."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self._remote = filesystems.open_filesystem(self.root)
        self._files, self._prefix = self._remote.files, self._remote.prefix
        scratch = contextlib.ExitStack()
        self._scratch = scratch.enter_context(temporary_folder())
        # Unlike atexit, this also runs at the end of a forked Luigi worker.
        multiprocessing.util.Finalize(None, scratch.close, exitpriority=0)

    def uri(self, location: str) -> str:
        """The location as a user would type it."""
        return f"{self.root}/{location}"

    def _path(self, location: str) -> str:
        return f"{self._prefix}/{location}" if location else self._prefix

    @contextlib.contextmanager
    def snapshot(self, *, wide: bool = False) -> Iterator[None]:
        """Within, what is read of the store is asked for once, until this thread writes to it.

        An inner snapshot is part of the outer one, unless only the inner one is wide.
        """
        outer = self._snapshot
        if outer is not None and (outer.wide or not wide):
            yield
            return
        token = _SNAPSHOT.set(Snapshot(self._remote, wide=wide))
        try:
            yield
        finally:
            _SNAPSHOT.reset(token)

    @property
    def _snapshot(self) -> Snapshot | None:
        found = _SNAPSHOT.get()
        return found if found is not None and found.remote is self._remote else None

    def _answers(self) -> Snapshot:
        return self._snapshot or Snapshot(self._remote, wide=False)

    def exists(self, location: str) -> bool:
        """Whether a file is there."""
        # Read rather than looked for, which takes two requests where a file is not there.
        if location.endswith(".json"):
            return self.read_bytes(location) is not None
        with wrap_errors(self.uri(location), "read"):
            return bool(self._files.exists(self._path(location)))

    def read_bytes(self, location: str) -> bytes | None:
        """The content of a small file; None if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            return self._answers().content(location)

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there."""
        content = self.read_bytes(location)
        return None if content is None else parse_json(content, self.uri(location))

    def list_dirs(self, location: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                entries = self._files.ls(self._path(location), detail=True, refresh=True)
            except FileNotFoundError:
                return []
        paths = (entry["name"] for entry in entries if entry["type"] == "directory")
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def latest_key(self, task_dir: str) -> str | None:  # noqa: ARG002
        """None: object stores have no links."""
        return None

    def file_sizes(self, location: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its relative name; none if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            return dict(self._answers().sizes(location))

    @contextlib.contextmanager
    def open_file(self, location: str) -> Iterator[BinaryIO]:
        """A file, to be read once from its beginning; it is not copied to this machine."""
        with (
            wrap_errors(self.uri(location), "read"),
            self._files.open(self._path(location), "rb") as file,
        ):
            yield file

    def modified(self, location: str) -> datetime | None:
        """When a file was last written, in UTC; None if it is not there or the store keeps none."""
        with wrap_errors(self.uri(location), "read"):
            try:
                time: datetime = self._files.modified(self._path(location))
            except (FileNotFoundError, NotImplementedError):
                return None
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)

    def leads_outside(self, location: str) -> bool:  # noqa: ARG002
        """No: object stores have no links."""
        return False

    def local_path(self, location: str) -> Path:
        """A copy of the file, or of the folder, on this machine."""
        path = self._scratch / location
        if not path.exists():
            with wrap_errors(self.uri(location), "read"), temporary_folder() as folder:
                arriving = folder / path.name
                self._files.get(self._path(location), str(arriving), recursive=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(arriving, path)
        return path
