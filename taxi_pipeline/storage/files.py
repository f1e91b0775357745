"""Files of this machine: renaming in one step, digests, JSON with a checksum."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.identity import digest

CHECKSUM = "checksum"
"""The entry of a JSON file that holds the digest of the others."""


def rename_exclusive(made: Path, path: Path) -> bool:
    """Give a file its final name unless that name is taken.

    Returns:
        Whether this call gave it.
    """
    try:
        # Unlike renaming, linking never replaces a file.
        path.hardlink_to(made)
    except FileExistsError:
        return False
    except OSError:
        # Without links two processes at once may both be told that the name was theirs.
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


def parse_json(content: bytes, uri: str) -> Any:
    """The content of a JSON file that this package wrote, without its checksum.

    Args:
        content: the file's bytes. Files of the first versions have no checksum.
        uri: of the file, as a user would type it.

    Raises:
        DamagedOutput: it is cut off, no JSON, or not what was written.
    """
    try:
        parsed = json.loads(content)
    except ValueError:
        problem = "it is no JSON" if content else "it is empty"
        raise DamagedOutput(f"{uri} is damaged: {problem}") from None
    if isinstance(parsed, dict) and CHECKSUM in parsed:
        written = parsed.pop(CHECKSUM)
        if written != digest(parsed):
            raise DamagedOutput(f"{uri} is damaged: it is not what its {CHECKSUM} says")
    return parsed


def to_json(content: Any) -> str:
    """JSON for people and machines: indented, keys in the order given.

    An object has a checksum as its last entry.
    """
    text = json.dumps(content)
    plain = json.loads(text)  # as it will be read: keys are text
    if isinstance(plain, dict):
        plain[CHECKSUM] = digest(plain)
    return json.dumps(plain, indent=2) + "\n"
