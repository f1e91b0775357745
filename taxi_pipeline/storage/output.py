"""The output of a stage, as a Luigi target."""

from __future__ import annotations

from collections.abc import Mapping
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
            if self._manifest() is None:
                return False
            self.check_sizes()
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
        sizes = self.storage.file_sizes(self.location)
        for name, described in self.manifest()["files"].items():
            if name not in sizes:
                raise DamagedOutput(f"{self} is damaged: its {name} is missing")
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
            described = self.manifest()["files"]
            files = [part for part in described if f"{part}/".startswith(f"{name}/")]
            if not files:
                raise StorageError(f"{self} has no file {name}; it has {', '.join(described)}")
            try:
                self.check_content({part: described[part] for part in files})
            except DamagedOutput as error:
                raise DamagedOutput(f"{error}; {self._set_aside()}: {advice}") from None
        return self.storage.local_path(layout.output_file(self.location, name))

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
                raise DamagedOutput(f"{self} is damaged: its {name} is missing") from None
            seen = (str(path), status.st_size, status.st_mtime_ns)
            if seen in _verified:
                continue
            if sha256(path) != described["sha256"]:
                raise DamagedOutput(f"{self} is damaged: its {name} is not what was published")
            _verified.add(seen)


def announce_set_aside(uri: str, aside: str) -> None:
    """Log that something damaged was in the way of an output."""
    logger.warning("%s was damaged and is made again; what was there is kept as %s", uri, aside)
