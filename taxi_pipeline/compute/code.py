"""Which code of this package a process runs."""

from __future__ import annotations

import hashlib
from pathlib import Path


def _digest() -> str:
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for file in sorted(package.rglob("*.py"), key=lambda file: file.relative_to(package).parts):
        content.update(f"{file.relative_to(package).as_posix()}\0".encode())
        content.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return content.hexdigest()[:12]


DIGEST = _digest()
"""Of the package's modules as they were when this one was imported.

A process that was started before the package was changed on its disk has another.
"""


def digest() -> str:
    """:data:`DIGEST`, of the process that is asked."""
    return DIGEST
