"""Opening the storage of a root."""

from __future__ import annotations

import functools
import os

from taxi_pipeline.storage.local import LocalStorage
from taxi_pipeline.storage.protocol import Storage
from taxi_pipeline.storage.remote import RemoteStorage


def open_storage(root: str) -> Storage:
    """The storage at a root, a local folder or a URL."""
    return _open_storage(root, os.getpid())


@functools.cache
def _open_storage(root: str, _process: int) -> Storage:
    # One a process: what fsspec holds open does not survive the fork of a Luigi worker.
    if "://" in root and not root.startswith("file://"):
        return RemoteStorage(root)
    return LocalStorage(root)
