"""The output of a stage, as a Luigi target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import luigi

from taxi_pipeline.errors import StorageError
from taxi_pipeline.storage import layout
from taxi_pipeline.storage.protocol import Storage


class Output(luigi.Target):
    """The output of a stage for one identity: a folder whose manifest is written last."""

    def __init__(self, storage: Storage, location: str) -> None:
        self.storage = storage
        self.location = location

    def __str__(self) -> str:
        return self.storage.uri(self.location)

    def exists(self) -> bool:
        """Whether the output is there; if it is, it is whole."""
        return self.storage.exists(layout.manifest_file(self.location))

    def manifest(self) -> dict[str, Any]:
        """What the output holds and what it was made from.

        Raises:
            StorageError: the output is not there.
        """
        content = self.storage.read_json(layout.manifest_file(self.location))
        if content is None:
            raise StorageError(
                f"{self} has no {layout.MANIFEST}: the output is not there (any more)"
            )
        return dict(content)

    def file(self, name: str) -> Path:
        """A file (or folder) of the output, as a path on this machine."""
        return self.storage.local_path(layout.output_file(self.location, name))
