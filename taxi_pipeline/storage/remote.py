"""A URL that fsspec understands, under which outputs are kept."""

from __future__ import annotations

import contextlib
import multiprocessing.util
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import remove_temporary_folders, temporary_folder
from taxi_pipeline.redaction import redact
from taxi_pipeline.storage import disk, layout
from taxi_pipeline.storage.files import parse_json, to_json
from taxi_pipeline.storage.output import Output, announce_set_aside
from taxi_pipeline.storage.protocol import wrap_errors

SETTLING_SECONDS = (0.05, 0.1, 0.2)
"""Seconds between two looks at an output that is not whole, before it counts as damaged."""


class RemoteStorage:
    """A URL that fsspec understands; files are copied to this machine to be read."""

    def __init__(self, root: str) -> None:
        import fsspec

        self.root = root.rstrip("/")
        try:
            self._files, self._prefix = fsspec.core.url_to_fs(self.root)
        except Exception as error:
            cause = " ".join(str(error).split())
            raise StorageError(
                f"[storage] root {redact(root)} is not usable: {type(error).__name__} {cause}"
            ) from error
        scratch = contextlib.ExitStack()
        self._scratch = scratch.enter_context(temporary_folder())
        # Unlike atexit, this also runs at the end of a forked Luigi worker.
        multiprocessing.util.Finalize(None, scratch.close, exitpriority=0)

    def uri(self, location: str) -> str:
        """The location as a user would type it."""
        return f"{self.root}/{location}"

    def _path(self, location: str) -> str:
        return f"{self._prefix}/{location}" if location else self._prefix

    def exists(self, location: str) -> bool:
        """Whether a file is there."""
        with wrap_errors(self.uri(location), "read"):
            return bool(self._files.exists(self._path(location)))

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                content = self._files.cat_file(self._path(location))
            except FileNotFoundError:
                return None
        return parse_json(content, self.uri(location))

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file in one piece."""
        self.write_text(location, to_json(content))

    def write_text(self, location: str, text: str) -> None:
        """Write a text file in one piece."""
        with wrap_errors(self.uri(location), "written"):
            self._files.pipe_file(self._path(location), text.encode())

    def write_json_exclusive(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it."""
        text = to_json(content)
        with wrap_errors(self.uri(location), "written"):
            try:
                self._files.pipe_file(self._path(location), text.encode(), mode="create")
            except FileExistsError:
                return False
        return True

    def list_dirs(self, location: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with wrap_errors(self.uri(location), "read"):
            try:
                entries = self._files.ls(self._path(location), detail=True, refresh=True)
            except FileNotFoundError:
                return []
        paths = (entry["name"] for entry in entries if entry["type"] == "directory")
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def link_latest(self, task_dir: str, key: str) -> None:
        """Nothing: object stores have no links. ``python -m taxi_pipeline latest`` answers too."""

    def latest_key(self, task_dir: str) -> str | None:  # noqa: ARG002
        """None: object stores have no links."""
        return None

    def file_sizes(self, location: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its relative name; none if it is not there."""
        folder = self._path(location)
        with wrap_errors(self.uri(location), "read"):
            try:
                found = self._files.find(folder, detail=True)
            except FileNotFoundError:
                return {}
        start = len(folder) + 1
        return {path[start:]: int(entry["size"]) for path, entry in found.items()}

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

    def remove(self, location: str) -> None:
        """Remove a file or a folder, of an output its manifest first."""
        path = self._path(location)
        with wrap_errors(self.uri(location), "removed"):
            for victim in (f"{path}/{layout.MANIFEST}", path):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    self._files.rm(victim, recursive=victim == path)
        self._forget_copy(location)

    def set_aside(self, location: str) -> str:
        """Move a file or a folder out of the way, into a hidden folder; the URI that it has now."""
        aside = layout.set_aside(location, datetime.now(UTC), uuid.uuid4().hex[:8])
        with wrap_errors(self.uri(location), "written"):
            self._files.mv(self._path(location), self._path(aside), recursive=True)
        self._forget_copy(location)
        return self.uri(aside)

    def _forget_copy(self, location: str) -> None:
        """Remove this machine's copy of what has another place now, or none."""
        copy = self._scratch / location
        if copy.is_dir():
            shutil.rmtree(copy)
        copy.unlink(missing_ok=True)

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder of this machine to write into; removed at the end."""
        with disk.writing(Path(tempfile.gettempdir()), "the variable TMPDIR"):  # noqa: SIM117
            with temporary_folder() as folder:
                yield folder

    def remove_left_over(self, *, ending: bool = False) -> None:
        """Remove what processes of this machine that have ended, or end, left half written."""
        remove_temporary_folders(ending=ending)

    @contextlib.contextmanager
    def streaming_file(self, location: str) -> Iterator[Path]:
        """A path of this machine to write a file to, which is uploaded at the end."""
        with self.staging() as folder:
            path = folder / location.rpartition("/")[2]
            try:
                yield path
            finally:
                try:
                    self._upload(path, location)
                except StorageError as error:
                    # A log that cannot be uploaded must not hide how its task ended.
                    logger.warning("%s", error)

    def _upload(self, file: Path, location: str) -> None:
        if file.exists():
            with wrap_errors(self.uri(location), "written"):
                self._files.put_file(str(file), self._path(location))

    def publish(self, folder: Path, location: str) -> None:
        """Upload a staging folder, its manifest last, unless the location has a whole output.

        An output that is damaged is set aside.
        """
        if self.exists(layout.manifest_file(location)):
            if self._becomes_whole(Output(self, location)):
                return
            announce_set_aside(self.uri(location), self.set_aside(location))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path == folder / layout.MANIFEST):
            name = path.relative_to(folder).as_posix()
            self._upload(path, layout.output_file(location, name))

    @staticmethod
    def _becomes_whole(output: Output) -> bool:
        """Whether an output is whole, or is in a moment: some stores show what is being written."""
        for wait in SETTLING_SECONDS:
            with contextlib.suppress(DamagedOutput):
                output.manifest()
                output.check_sizes()
                return True
            time.sleep(wait)
        return output.exists()

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
