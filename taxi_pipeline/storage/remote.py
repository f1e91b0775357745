"""A URL that fsspec understands, under which outputs are kept."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.identity import digest
from taxi_pipeline.logger import logger
from taxi_pipeline.processes import remove_temporary_folders, temporary_folder
from taxi_pipeline.storage import disk, filesystems, layout, locks
from taxi_pipeline.storage.files import to_json
from taxi_pipeline.storage.output import Output, announce_set_aside
from taxi_pipeline.storage.protocol import wrap_errors
from taxi_pipeline.storage.remote_reader import RemoteReader

UPLOADS = 4
"""Files of an output that are uploaded at the same time."""

SETTLING_SECONDS = (0.05, 0.1, 0.2)
"""Seconds between two looks at an output that is not whole, before it counts as damaged."""


class RemoteStorage(RemoteReader):
    """What is read and written under a URL that fsspec understands."""

    @contextlib.contextmanager
    def _writing(self, location: str, action: str = "written") -> Iterator[None]:
        with wrap_errors(self.uri(location), action):
            try:
                yield
            finally:
                if snapshot := self._snapshot:
                    snapshot.forget()

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file in one piece."""
        self.write_text(location, to_json(content))

    def write_text(self, location: str, text: str) -> None:
        """Write a text file in one piece."""
        with self._writing(location):
            self._files.pipe_file(self._path(location), text.encode())

    def write_json_exclusive(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it.

        S3, Google and Azure decide that by themselves (S3 by the header ``If-None-Match``), so that
        of several processes exactly one is told that it wrote.
        """
        text = to_json(content)
        with self._writing(location):
            return self._created(
                lambda: self._files.pipe_file(self._path(location), text.encode(), mode="create")
            )

    @staticmethod
    def _created(create: Callable[[], object]) -> bool:
        """Whether a file was created, rather than found there."""
        try:
            create()
        except Exception as error:
            if filesystems.was_taken(error):
                return False
            raise
        return True

    def link_latest(self, task_dir: str, key: str) -> None:
        """Nothing: object stores have no links. ``taxi-pipeline latest`` answers too."""

    def remove(self, location: str) -> None:
        """Remove a file or a folder, of an output its manifest first."""
        path = self._path(location)
        with self._writing(location, "removed"):
            if location.endswith(".json"):
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(path)
                return
            for victim in (f"{path}/{layout.MANIFEST}", path):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    self._files.rm(victim, recursive=victim == path)
        self._forget_copy(location)

    def set_aside(self, location: str) -> str:
        """Move a file or a folder out of the way, into a hidden folder; the URI that it has now."""
        aside = layout.set_aside(location, datetime.now(UTC), uuid.uuid4().hex[:8])
        with self._writing(location):
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

    def _upload(self, file: Path, location: str, **options: Any) -> None:
        if file.exists():
            with self._writing(location):
                options = {**self._remote.uploading, **options}
                self._files.put_file(str(file), self._path(location), **options)

    def publish(self, folder: Path, location: str) -> None:
        """Upload a staging folder, its manifest last, unless the location has a whole output.

        The files are uploaded at the same time, in parts, and the manifest when all are there: who
        is interrupted leaves no output. One process at a time publishes a location (see
        :mod:`.locks`), and the store creates a manifest only where there is none, so that files of
        two publishers are never mixed. The exception is a publisher that stood still for longer
        than its lock is kept and then goes on: what it writes over has another digest than the
        manifest says, which is found when it is read.

        An output that is damaged is set aside.
        """
        from concurrent.futures import ThreadPoolExecutor

        name = f"publish{digest(location)}"
        with locks.lock(self, name, f"the upload of {location}"):
            if self.exists(layout.manifest_file(location)):
                if self._becomes_whole(Output(self, location)):
                    return
                announce_set_aside(self.uri(location), self.set_aside(location))
            manifest = folder / layout.MANIFEST
            files = [path for path in folder.rglob("*") if path.is_file() and path != manifest]
            with ThreadPoolExecutor(UPLOADS) as pool:
                uploads = [
                    pool.submit(
                        self._upload,
                        path,
                        layout.output_file(location, path.relative_to(folder).as_posix()),
                    )
                    for path in sorted(files)
                ]
                for upload in uploads:
                    upload.result()
            self._created(
                lambda: self._upload(manifest, layout.manifest_file(location), mode="create")
            )

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
