"""A local folder that holds outputs."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from taxi_pipeline.errors import StorageError
from taxi_pipeline.processes import own_name, remove_left_over, remove_temporary_folders
from taxi_pipeline.storage import disk, layout
from taxi_pipeline.storage.files import parse_json, rename_exclusive, to_json
from taxi_pipeline.storage.output import Output, announce_set_aside
from taxi_pipeline.storage.protocol import wrap_errors


class LocalStorage:
    """A local folder that holds outputs.

    Locations are relative to the root and written with slashes.

    Raises:
        StorageError: there is a file in place of the folder.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        folder = Path(root.removeprefix("file://")).expanduser()
        # Arrow takes what stands before a colon for the scheme of a URL.
        self._folder = folder.absolute() if ":" in str(folder) else folder
        disk.check_folder(folder)

    def uri(self, location: str) -> str:
        """The location as a user would type it."""
        return str(self._folder / location)

    def snapshot(self, *, wide: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing: a disk answers at once."""
        return contextlib.nullcontext()

    def exists(self, location: str) -> bool:
        """Whether a file is there."""
        with wrap_errors(self.uri(location), "read"):
            return (self._folder / location).exists()

    def read_bytes(self, location: str) -> bytes | None:
        """The content of a small file; None if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                return (self._folder / location).read_bytes()
            except FileNotFoundError:
                return None

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there."""
        content = self.read_bytes(location)
        return None if content is None else parse_json(content, self.uri(location))

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file so that a reader sees the old or the new content, never a part."""
        self.write_text(location, to_json(content))

    def write_text(self, location: str, text: str) -> None:
        """Write a text file likewise."""
        with self._staged(location, text) as (made, path):
            made.replace(path)

    def write_json_exclusive(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it."""
        with self._staged(location, to_json(content)) as (made, path):
            return rename_exclusive(made, path)

    @contextlib.contextmanager
    def _staged(self, location: str, text: str) -> Iterator[tuple[Path, Path]]:
        """A text file under a name that nobody reads, and the path that it is to have."""
        path = self._folder / location
        with self.staging() as folder, wrap_errors(self.uri(location), "written", self._folder):
            made = folder / path.name
            made.write_text(text, encoding="utf-8")
            path.parent.mkdir(parents=True, exist_ok=True)
            yield made, path

    def list_dirs(self, location: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                with os.scandir(self._folder / location) as entries:
                    return sorted(entry.name for entry in entries if entry.is_dir())
            except FileNotFoundError:
                return []

    def link_latest(self, task_dir: str, key: str) -> None:
        """Have the link ``latest`` of a task lead to the output of a key."""
        link = self._folder / layout.latest_link(task_dir)
        if link.is_symlink() and str(link.readlink()) == key:
            return
        # The disk may know no links, or the root may be there to be read only.
        with contextlib.suppress(OSError, StorageError), self.staging() as folder:
            made = folder / link.name
            made.symlink_to(key)
            made.replace(link)

    def latest_key(self, task_dir: str) -> str | None:
        """The key that the link ``latest`` of a task names; None if there is no such link."""
        link = self._folder / layout.latest_link(task_dir)
        return link.readlink().name if link.is_symlink() else None

    def file_sizes(self, location: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its relative name; none if it is not there."""
        folder = self._folder / location
        sizes = {}
        with wrap_errors(self.uri(location), "read"):
            for path in folder.rglob("*"):
                with contextlib.suppress(FileNotFoundError):  # removed since it was listed
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        sizes[path.relative_to(folder).as_posix()] = status.st_size
        return sizes

    @contextlib.contextmanager
    def open_file(self, location: str) -> Iterator[BinaryIO]:
        """A file, to be read once from its beginning."""
        with wrap_errors(self.uri(location), "read"), (self._folder / location).open("rb") as file:
            yield file

    def modified(self, location: str) -> datetime | None:
        """When a file was last written, in UTC; None if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                return datetime.fromtimestamp((self._folder / location).stat().st_mtime, UTC)
            except FileNotFoundError:
                return None

    def leads_outside(self, location: str) -> bool:
        """Whether links lead from a location to somewhere outside the root."""
        with wrap_errors(self.uri(location), "read"):
            place = (self._folder / location).resolve()
            return not place.is_relative_to(self._folder.resolve())

    def remove(self, location: str) -> None:
        """Remove a file, a link or a folder: in one rename, whatever interrupts the rest."""
        with (
            self.staging() as folder,
            wrap_errors(self.uri(location), "removed", self._folder),
            contextlib.suppress(FileNotFoundError),
        ):
            (self._folder / location).rename(folder / "removed")

    def set_aside(self, location: str) -> str:
        """Move a file or a folder out of the way, into a hidden folder; the URI that it has now."""
        aside = layout.set_aside(location, datetime.now(UTC), uuid.uuid4().hex[:8])
        with wrap_errors(self.uri(location), "written", self._folder):
            (self._folder / aside).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / location).rename(self._folder / aside)
        return self.uri(aside)

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder to write into, on the same disk as the root; removed at the end."""
        folder = self._folder / layout.STAGING / own_name()
        with disk.writing(self._folder):
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                raise StorageError(disk.cannot_be_made(self._folder, error)) from error
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def remove_left_over(self, *, ending: bool = False) -> None:
        """Remove what processes of this machine that have ended, or end, left half written."""
        remove_left_over(self._folder / layout.STAGING, ending=ending)
        remove_left_over(self._folder / layout.RUNNING, ending=ending)
        remove_left_over(self._folder / layout.LOCKS, ending=ending)
        remove_temporary_folders(ending=ending)

    @contextlib.contextmanager
    def streaming_file(self, location: str) -> Iterator[Path]:
        """A path to write a file to that may be read meanwhile, such as a log."""
        path = self._folder / location
        with wrap_errors(self.uri(location), "written", self._folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o640)  # a log may name servers, which is not for everybody
        yield path

    def publish(self, folder: Path, location: str) -> None:
        """Make a staging folder, with its manifest, visible at a location.

        If another process has published the same location meanwhile, its output stays: both were
        made from the same things. An output that is damaged is set aside.
        """
        target = self._folder / location
        with wrap_errors(self.uri(location), "written", self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.rename(target)
            except OSError:
                if not target.exists():
                    raise
                if not Output(self, location).exists():
                    announce_set_aside(self.uri(location), self.set_aside(location))
                    folder.rename(target)

    def local_path(self, location: str) -> Path:
        """A path on this machine that holds the file's content; not to be written to."""
        return self._folder / location
