"""Where outputs are kept, and how one becomes visible: whole or not at all.

The root is a local folder or any URL that fsspec understands. A stage writes its files into a
staging folder on the local disk; publishing then makes the folder visible under its final name.
Locally that is one rename. Elsewhere the files are uploaded one after the other with
``manifest.json`` last. So in both places a manifest's presence means that everything beside it is
whole. What an output is made from, and when it is made, belongs in ``tasks``.
"""

from taxi_pipeline.storage.files import describe_files, rename_exclusive, sha256, to_json
from taxi_pipeline.storage.layout import MANIFEST
from taxi_pipeline.storage.local import LocalStorage
from taxi_pipeline.storage.opening import open_storage
from taxi_pipeline.storage.output import Output
from taxi_pipeline.storage.protocol import Storage
from taxi_pipeline.storage.remote import RemoteStorage

__all__ = [
    "MANIFEST",
    "LocalStorage",
    "Output",
    "RemoteStorage",
    "Storage",
    "describe_files",
    "open_storage",
    "rename_exclusive",
    "sha256",
    "to_json",
]
