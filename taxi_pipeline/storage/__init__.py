"""Where outputs are kept, and how one becomes visible: whole or not at all.

The root is a local folder or any URL that fsspec understands. A stage writes its files into a
staging folder on the local disk; :meth:`Storage.publish` then makes the folder visible under its
final name. Locally that is one rename. Elsewhere the files are uploaded one after the other with
``manifest.json`` last. So in both places a manifest's presence means that everything beside it is
whole.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import multiprocessing.util
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi

from taxi_pipeline.errors import StorageError
from taxi_pipeline.observability.logs import logger
from taxi_pipeline.redaction import redact

MANIFEST = "manifest.json"


class Storage:
    """A local folder that holds outputs.

    Locations are relative to the root and written with slashes.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._folder = Path(root.removeprefix("file://")).expanduser()

    def where(self, location: str) -> str:
        """The location as a user would type it."""
        return str(self._folder / location)

    def exists(self, location: str) -> bool:
        """Whether a file is there."""
        with self._told(location, "read"):
            return (self._folder / location).exists()

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there."""
        with self._told(location, "read"):
            try:
                return json.loads((self._folder / location).read_bytes())
            except FileNotFoundError:
                return None

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file so that a reader sees the old or the new content, never a part."""
        with self._written(location, content) as (made, path):
            made.replace(path)

    def create_json(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it."""
        with self._written(location, content) as (made, path):
            return put_in_place(made, path)

    @contextlib.contextmanager
    def _written(self, location: str, content: Any) -> Iterator[tuple[Path, Path]]:
        """A JSON file under a name that nobody reads, and the path that it is to have."""
        path = self._folder / location
        text = to_json(content)
        with self.staging() as folder, self._told(location, "written"):
            made = folder / path.name
            made.write_text(text)
            path.parent.mkdir(parents=True, exist_ok=True)
            yield made, path

    def folders(self, location: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with self._told(location, "read"):
            try:
                with os.scandir(self._folder / location) as entries:
                    return sorted(entry.name for entry in entries if entry.is_dir())
            except FileNotFoundError:
                return []

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder to write into, on the same disk as the root; removed at the end."""
        folder = self._folder / ".staging" / uuid.uuid4().hex
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"[storage] root {self.root} cannot be written: {error.strerror or error}"
            ) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def growing_file(self, location: str) -> Iterator[Path]:
        """A path to write a file to that may be read meanwhile, such as a log."""
        path = self._folder / location
        with self._told(location, "written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        yield path

    def publish(self, folder: Path, location: str) -> None:
        """Make a staging folder, with its manifest, visible at a location.

        If another process has published the same location meanwhile, its output stays: both were
        made from the same things.
        """
        target = self._folder / location
        with self._told(location, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError as error:
            if not (target / MANIFEST).exists():
                raise StorageError(
                    f"{target} is in the way, without a {MANIFEST}: move it away ({error})"
                ) from error

    def local_file(self, location: str) -> Path:
        """A path on this machine that holds the file's content; not to be written to."""
        return self._folder / location

    @contextlib.contextmanager
    def _told(self, location: str, action: str) -> Iterator[None]:
        """Failures of the store as one line, whatever library they come from."""
        try:
            yield
        except StorageError:
            raise
        except Exception as error:
            cause = " ".join(str(error).split())
            raise StorageError(
                f"{self.where(location)} cannot be {action}: {type(error).__name__} {cause}; "
                "check [storage] root and the access to it"
            ) from error


class RemoteStorage(Storage):
    """A URL that fsspec understands; files are copied to this machine to be read."""

    def __init__(self, root: str) -> None:
        # fsspec is imported here only: it costs a third of Luigi's own import, and a run on local
        # storage that has nothing to do shall not pay for it.
        import fsspec

        self.root = root.rstrip("/")
        try:
            self._files, self._prefix = fsspec.core.url_to_fs(self.root)
        except Exception as error:
            cause = " ".join(str(error).split())
            raise StorageError(
                f"[storage] root {redact(root)} is not usable: {type(error).__name__} {cause}"
            ) from error
        self._scratch = Path(tempfile.mkdtemp(prefix="taxi_pipeline-"))
        # Unlike atexit, this also runs at the end of a forked Luigi worker.
        multiprocessing.util.Finalize(
            None, shutil.rmtree, (self._scratch,), {"ignore_errors": True}, exitpriority=0
        )

    def where(self, location: str) -> str:
        """The location as a user would type it."""
        return f"{self.root}/{location}"

    def _path(self, location: str) -> str:
        return f"{self._prefix}/{location}"

    def exists(self, location: str) -> bool:
        """Whether a file is there."""
        with self._told(location, "read"):
            return bool(self._files.exists(self._path(location)))

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there."""
        with self._told(location, "read"):
            try:
                return json.loads(self._files.cat_file(self._path(location)))
            except FileNotFoundError:
                return None

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file in one piece."""
        text = to_json(content)
        with self._told(location, "written"):
            self._files.pipe_file(self._path(location), text.encode())

    def create_json(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it."""
        text = to_json(content)
        with self._told(location, "written"):
            try:
                self._files.pipe_file(self._path(location), text.encode(), mode="create")
            except FileExistsError:
                return False
        return True

    def folders(self, location: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with self._told(location, "read"):
            try:
                entries = self._files.ls(self._path(location), detail=True, refresh=True)
            except FileNotFoundError:
                return []
        paths = (entry["name"] for entry in entries if entry["type"] == "directory")
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder of this machine to write into; removed at the end."""
        with tempfile.TemporaryDirectory(prefix="taxi_pipeline-") as folder:
            yield Path(folder)

    @contextlib.contextmanager
    def growing_file(self, location: str) -> Iterator[Path]:
        """A path of this machine to write a file to, which is uploaded at the end."""
        with self.staging() as folder:
            path = folder / location.rpartition("/")[2]
            try:
                yield path
            finally:
                try:
                    self._upload(path, location)
                except StorageError as error:
                    # What was done, or what failed, matters more than the file that tells of it.
                    logger.warning("%s", error)

    def _upload(self, file: Path, location: str) -> None:
        if file.exists():
            with self._told(location, "written"):
                self._files.put_file(str(file), self._path(location))

    def publish(self, folder: Path, location: str) -> None:
        """Upload a staging folder, its manifest last, unless the location has one already."""
        if self.exists(f"{location}/{MANIFEST}"):
            return
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path == folder / MANIFEST):
            name = path.relative_to(folder).as_posix()
            self._upload(path, f"{location}/{name}")

    def local_file(self, location: str) -> Path:
        """A copy of the file, or of the folder, on this machine."""
        path = self._scratch / location
        if not path.exists():
            with self._told(location, "read"), tempfile.TemporaryDirectory() as folder:
                arriving = Path(folder, path.name)
                self._files.get(self._path(location), str(arriving), recursive=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(arriving, path)
        return path


def open_storage(root: str) -> Storage:
    """The storage at a root, a local folder or a URL."""
    return _open_storage(root, os.getpid())


@functools.cache
def _open_storage(root: str, _process: int) -> Storage:
    # One a process: what fsspec holds open does not survive the fork of a Luigi worker.
    if "://" in root and not root.startswith("file://"):
        return RemoteStorage(root)
    return Storage(root)


class Output(luigi.Target):
    """What a stage made from one identity: a folder whose manifest is written last."""

    def __init__(self, storage: Storage, location: str) -> None:
        self.storage = storage
        self.location = location

    def __str__(self) -> str:
        return self.storage.where(self.location)

    def exists(self) -> bool:
        """Whether the output is there, whole."""
        return self.storage.exists(f"{self.location}/{MANIFEST}")

    def manifest(self) -> dict[str, Any]:
        """What the output holds and what it was made from.

        Raises:
            StorageError: the output is not there.
        """
        content = self.storage.read_json(f"{self.location}/{MANIFEST}")
        if content is None:
            raise StorageError(f"{self} has no {MANIFEST}: the output is not there (any more)")
        return dict(content)

    def file(self, name: str) -> Path:
        """A file (or folder) of the output, as a path on this machine."""
        return self.storage.local_file(f"{self.location}/{name}")


def put_in_place(made: Path, path: Path) -> bool:
    """Give a file its final name unless that is taken; whether it was not."""
    try:
        # Unlike a renamed file, a link never takes the place of one that is there.
        path.hardlink_to(made)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links, where two that do this at once may both believe it.
        if path.exists():
            return False
        made.replace(path)
    return True


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 of each file in a folder, by its relative name."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sha256(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(content: Any) -> str:
    """JSON for people and machines: indented, keys in the order given."""
    return json.dumps(content, indent=2) + "\n"
