"""The output of a stage, as a Luigi target."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import luigi

from taxi_pipeline.errors import DamagedOutput, StorageError
from taxi_pipeline.logger import logger
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.files import sha256
from taxi_pipeline.storage.protocol import Storage

MADE_ANEW = "run the same command again, and it is made anew"

# Files of this machine that were found to be what was published, with size and times: a file that
# is read again is not compared again.
_verified: set[tuple[str, int, int]] = set()


class Output(luigi.Target):
    """The output of a stage for one identity: a folder whose manifest is written last."""

    def __init__(self, storage: Storage, location: str) -> None:
        self.storage = storage
        self.location = location

    def __str__(self) -> str:
        return self.storage.uri(self.location)

    def exists(self) -> bool:
        """Whether the output is there and, as far as names and sizes of its files say, whole."""
        try:
            manifest = self._manifest()
            if manifest is None:
                return False
            self._check_sizes(manifest)
        except DamagedOutput as error:
            logger.warning("%s; it is made again", error)
            return False
        return True

    def manifest(self) -> dict[str, Any]:
        """What the output holds and what it was made from.

        Raises:
            DamagedOutput: the manifest is not there, or not what was written.
        """
        content = self._manifest()
        if content is None:
            raise DamagedOutput(
                f"{self} has no {layout.MANIFEST}: the output is not there (any more); run again, "
                "and it is made again"
            )
        return content

    def _manifest(self) -> dict[str, Any] | None:
        content = self.storage.read_json(layout.manifest_file(self.location))
        if content is None:
            return None
        key = self.location.rpartition("/")[2]
        if not isinstance(content, dict) or content.get("key") != key:
            raise DamagedOutput(f"{self} is damaged: its {layout.MANIFEST} is that of another key")
        return content

    def check_sizes(self) -> None:
        """Compare names and sizes of the files with the manifest.

        Raises:
            DamagedOutput: a file is missing or has another size.
        """
        self._check_sizes(self.manifest())

    def _check_sizes(self, manifest: Mapping[str, Any]) -> None:
        sizes = self.storage.file_sizes(self.location)
        for name, described in manifest["files"].items():
            if name not in sizes:
                raise DamagedOutput(_missing(self, name))
            if sizes[name] != described["bytes"]:
                raise DamagedOutput(
                    f"{self} is damaged: its {name} has {sizes[name]:,} bytes, "
                    f"{described['bytes']:,} were published"
                )

    def file(self, name: str, advice: str = MADE_ANEW) -> Path:
        """A file (or folder) of the output, as a path on this machine.

        Its content is compared with the manifest, once a process.

        Args:
            name: of the file.
            advice: how a person gets the output back if it is damaged.

        Raises:
            DamagedOutput: it is not what was published. The output is set aside, so that the next
                run makes it again.
            StorageError: the output never had it.
        """
        if name == layout.MANIFEST:
            self.manifest()
        else:
            files = self._described(name)
            with self._setting_aside(advice):
                self.check_content(files)
        return self.storage.local_path(layout.output_file(self.location, name))

    def read_json(self, name: str) -> Any:
        """The content of a small JSON file of the output, which is compared with the manifest.

        Raises:
            DamagedOutput: likewise.
            StorageError: the output never had it.
        """
        described = self._described(name)[name]
        with self._setting_aside(MADE_ANEW):
            content = self.storage.read_bytes(layout.output_file(self.location, name))
            if content is None:
                raise DamagedOutput(_missing(self, name))
            if hashlib.sha256(content).hexdigest() != described["sha256"]:
                raise DamagedOutput(_changed(self, name))
        return json.loads(content)

    def _described(self, name: str) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of a file, or of those of a folder."""
        described = self.manifest()["files"]
        files = [part for part in described if f"{part}/".startswith(f"{name}/")]
        if not files:
            raise StorageError(f"{self} has no file {name}; it has {', '.join(described)}")
        return {part: described[part] for part in files}

    @contextlib.contextmanager
    def _setting_aside(self, advice: str) -> Iterator[None]:
        """Within, damage that is found leads to the output being set aside."""
        try:
            yield
        except DamagedOutput as error:
            raise DamagedOutput(f"{error}; {self._set_aside()}: {advice}") from None

    def _set_aside(self) -> str:
        """Set the output aside, unless another process has done so; what was done, in words."""
        try:
            return f"it was set aside as {self.storage.set_aside(self.location)}"
        except StorageError:
            if self.storage.exists(layout.manifest_file(self.location)):
                raise
            return "it was set aside"

    def check_content(self, files: Mapping[str, Mapping[str, Any]]) -> None:
        """Compare the content of files with what the manifest says of them, once a process.

        Raises:
            DamagedOutput: a file is missing or has another content.
        """
        for name, described in files.items():
            path = self.storage.local_path(layout.output_file(self.location, name))
            try:
                status = path.stat()
            except FileNotFoundError:
                raise DamagedOutput(_missing(self, name)) from None
            seen = (str(path), status.st_size, status.st_mtime_ns)
            if seen in _verified:
                continue
            if sha256(path) != described["sha256"]:
                raise DamagedOutput(_changed(self, name))
            _verified.add(seen)


def _missing(output: Output, name: str) -> str:
    return f"{output} is damaged: its {name} is missing"


def _changed(output: Output, name: str) -> str:
    return f"{output} is damaged: its {name} is not what was published"


def announce_set_aside(uri: str, aside: str) -> None:
    """Log that something damaged was in the way of an output."""
    logger.warning("%s was damaged and is made again; what was there is kept as %s", uri, aside)
