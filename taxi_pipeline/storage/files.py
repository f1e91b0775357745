"""Files of this machine: put in place whole, described, digested."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def rename_exclusive(made: Path, path: Path) -> bool:
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
