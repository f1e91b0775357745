"""What a storage can do, wherever it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from taxi_pipeline.errors import StorageError
from taxi_pipeline.storage import disk, filesystems


class Storage(Protocol):
    """Where outputs are kept.

    Locations are relative to the root and written with slashes, as :mod:`.layout` makes them. Each
    method raises a StorageError where the store cannot be read or written.

    Attributes:
        root: a folder of this machine, or a URL.
    """

    root: str

    def uri(self, location: str) -> str:
        """The location as a user would type it."""

    def snapshot(self, *, wide: bool = False) -> AbstractContextManager[None]:
        """Within, what is read of the store is asked for once, until this thread writes to it.

        Args:
            wide: whether many months will be asked for, so that they are asked for together.
        """

    def exists(self, location: str) -> bool:
        """Whether a file is there."""

    def read_bytes(self, location: str) -> bytes | None:
        """The content of a small file; None if it is not there."""

    def read_json(self, location: str) -> Any:
        """The content of a JSON file; None if it is not there.

        Raises:
            DamagedOutput: the file is cut off or no JSON.
        """

    def write_json(self, location: str, content: Any) -> None:
        """Write a JSON file so that a reader sees the old or the new content, never a part."""

    def write_text(self, location: str, text: str) -> None:
        """Write a text file likewise."""

    def write_json_exclusive(self, location: str, content: Any) -> bool:
        """Write a JSON file in one piece unless it is there; whether this process wrote it."""

    def list_dirs(self, location: str) -> list[str]:
        """The names of the folders in a folder, sorted; none if it is not there."""

    def link_latest(self, task_dir: str, key: str) -> None:
        """Have the link ``latest`` of a task lead to the output of a key, where links exist."""

    def latest_key(self, task_dir: str) -> str | None:
        """The key that the link ``latest`` of a task names; None if there is no such link."""

    def file_sizes(self, location: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its relative name; none if it is not there."""

    def open_file(self, location: str) -> AbstractContextManager[BinaryIO]:
        """A file, to be read once from its beginning."""

    def modified(self, location: str) -> datetime | None:
        """When a file was last written, in UTC; None if it is not there or the store keeps none."""

    def leads_outside(self, location: str) -> bool:
        """Whether links lead from a location to somewhere outside the root."""

    def remove(self, location: str) -> None:
        """Remove a file, a link or a folder, of an output its manifest first.

        So an output whose removal is interrupted does not count as one. What is not there is
        removed already.
        """

    def set_aside(self, location: str) -> str:
        """Move a file or a folder out of the way, into a hidden folder; the URI that it has now."""

    def staging(self) -> AbstractContextManager[Path]:
        """A folder of this machine to write into; removed at the end."""

    def remove_left_over(self, *, ending: bool = False) -> None:
        """Remove what processes of this machine that have ended left half written.

        Args:
            ending: whether this process counts as ended as well.
        """

    def streaming_file(self, location: str) -> AbstractContextManager[Path]:
        """A path of this machine to write a file to that may be read meanwhile, such as a log."""

    def publish(self, folder: Path, location: str) -> None:
        """Make a staging folder visible at a location, its manifest last.

        If another process has published the same location meanwhile, its output stays: both were
        made from the same things. An output that is damaged is set aside.
        """

    def local_path(self, location: str) -> Path:
        """A path on this machine that holds the file's content; not to be written to."""


@contextlib.contextmanager
def wrap_errors(uri: str, action: str, root: Path | None = None) -> Iterator[None]:
    """Failures of a store as one line, whatever library they come from.

    Args:
        uri: what is read or written, as a user would type it.
        action: ``read``, ``written`` or ``removed``.
        root: the store, if it is a folder of this machine, whose disk may be full.

    Raises:
        StorageError: in place of any other exception.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        if root and action != "read" and (line := disk.explain(error, root)):
            raise StorageError(line) from error
        if line := filesystems.explain(error):
            raise StorageError(f"{uri} cannot be {action}: {line}") from error
        cause = " ".join(str(error).split())
        raise StorageError(
            f"{uri} cannot be {action}: {type(error).__name__} {cause}; "
            "check [storage] root and the access to it"
        ) from error
