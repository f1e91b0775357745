"""What a store holds, asked as seldom as can be: for as long as a run is planned.

A request to an object store takes tens of milliseconds. A run that asks for each file of each month
by itself would need seconds to find that there is nothing to do. Within a snapshot nothing is asked
twice. A wide one, for runs of many months, asks for all months of a stage together: it lists their
folder, and reads the small files that say what is done from an index, one file that holds copies of
them. A copy counts only if the listing says that its file is still the same one; files without a
copy are read at the same time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from taxi_pipeline.storage import layout
from taxi_pipeline.storage.filesystems import CONNECTIONS, RemoteFiles, require_bucket

MAX_UNINDEXED = 8
"""Small files of a folder without a copy in its index after which the index is written anew."""

_VERSIONS = ("ETag", "etag", "md5Hash")
"""The entries of a listing, of S3, Azure and Google, that change with a file's content."""


class _Folder(NamedTuple):
    """The files of a folder by their locations: sizes, and the contents of the small ones."""

    sizes: Mapping[str, int]
    contents: Mapping[str, bytes]


class Snapshot:
    """Answers about a store that are asked for once.

    Args:
        remote: the store.
        wide: whether to ask for all months of a stage together.
    """

    def __init__(self, remote: RemoteFiles, *, wide: bool) -> None:
        self.remote = remote
        self.wide = wide
        self._folders: dict[str, _Folder] = {}
        self._contents: dict[str, bytes | None] = {}
        self._sizes: dict[str, dict[str, int]] = {}

    def forget(self) -> None:
        """Ask again from now on, as this process has written something."""
        self._folders.clear()
        self._contents.clear()
        self._sizes.clear()

    def content(self, location: str) -> bytes | None:
        """The content of a file; None if it is not there."""
        if self._is_shared(location):
            folder = self._folder(location)
            if location in folder.contents:
                return folder.contents[location]
            if location not in folder.sizes:
                return None
        if location not in self._contents:
            self._contents[location] = self._read(location)
        return self._contents[location]

    def sizes(self, location: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its relative name."""
        start = f"{location}/"
        if self._is_shared(start):
            known = self._folder(location).sizes
            return {
                name.removeprefix(start): size
                for name, size in known.items()
                if name.startswith(start)
            }
        if location not in self._sizes:
            found = self._list(location)
            self._sizes[location] = {name: int(entry["size"]) for name, entry in found.items()}
        return self._sizes[location]

    def _is_shared(self, location: str) -> bool:
        return self.wide and "/" in location and not layout.is_hidden(location)

    def _folder(self, location: str) -> _Folder:
        name = layout.shared_folder(location)
        if name not in self._folders:
            self._folders[name] = self._load(name)
        return self._folders[name]

    def _load(self, name: str) -> _Folder:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(self._read, layout.index_file(name))
            found = self._list(name)
            index = _parse_index(reading.result())
        entries = {f"{name}/{file}": entry for file, entry in found.items()}
        wanted = {
            location: _version(entry)
            for location, entry in entries.items()
            if layout.is_indexed(location)
        }
        contents = {
            location: index[location][1].encode()
            for location, version in wanted.items()
            if version and location in index and index[location][0] == version
        }
        missing = [location for location in wanted if location not in contents]
        contents |= self._read_all(missing)
        if len(missing) > MAX_UNINDEXED:
            self._write_index(name, wanted, contents)
        sizes = {location: int(entry["size"]) for location, entry in entries.items()}
        return _Folder(sizes, contents)

    def _list(self, folder: str) -> dict[str, dict[str, Any]]:
        """What the store says of each file below a folder, by its relative name."""
        path = f"{self.remote.prefix}/{folder}"
        try:
            found = self.remote.files.find(path, detail=True)
        except FileNotFoundError as error:
            require_bucket(error)
            return {}
        return {name[len(path) + 1 :]: entry for name, entry in found.items()}

    def _read(self, location: str) -> bytes | None:
        try:
            content: bytes = self.remote.files.cat_file(
                f"{self.remote.prefix}/{location}", **self.remote.reading
            )
        except FileNotFoundError as error:
            require_bucket(error)
            return None
        return content

    def _read_all(self, locations: list[str]) -> dict[str, bytes]:
        """The contents of files, read at the same time; what is gone meanwhile is left out."""
        if not locations:
            return {}
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            contents = dict(zip(locations, pool.map(self._read, locations), strict=True))
        return {location: content for location, content in contents.items() if content is not None}

    def _write_index(
        self, name: str, versions: Mapping[str, str], contents: Mapping[str, bytes]
    ) -> None:
        copies = {
            location: [version, contents[location].decode(errors="replace")]
            for location, version in versions.items()
            if version and location in contents
        }
        # The root may be there to be read only; then every run reads what the index lacks.
        with contextlib.suppress(PermissionError):
            self.remote.files.pipe_file(
                f"{self.remote.prefix}/{layout.index_file(name)}", json.dumps(copies).encode()
            )


def _version(entry: Mapping[str, Any]) -> str:
    """What tells a file's content from those that it had before; empty if the store keeps none."""
    return next((str(entry[name]) for name in _VERSIONS if entry.get(name)), "")


def _parse_index(content: bytes | None) -> dict[str, tuple[str, str]]:
    """The copies of an index, each with the version of its file; of a damaged one none."""
    if content is None:
        return {}
    try:
        return {
            str(location): (str(version), str(text))
            for location, (version, text) in json.loads(content).items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
