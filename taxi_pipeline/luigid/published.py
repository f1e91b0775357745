"""What of the storage root a browser may see: outputs, their logs, and the champions' ledgers.

The root may be any folder, one with a configuration and databases in it as well, and a link in it
may lead anywhere. Shown is only what stands where the layout has the outputs of a month or a change
of a champion, and is of a kind that a browser shows or saves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taxi_pipeline.storage import layout

BINARY = "application/octet-stream"

KINDS = {
    ".json": "application/json; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    **dict.fromkeys((".log", ".txt", ".md"), "text/plain; charset=utf-8"),
    **dict.fromkeys((".parquet", ".skops", ".ubj", ".npy", ".npz", ".onnx"), BINARY),
}
"""The kinds of files that are shown or saved, by the end of the name, and their content types."""


@dataclass(frozen=True)
class Entry:
    """What stands in a folder that is shown.

    Attributes:
        name: its name; what is not UTF-8 in it is replaced.
        is_folder: whether it is a folder, or leads to one.
        is_shown: whether it can be followed; else it is only named.
        note: its size, or where it leads.
    """

    name: str
    is_folder: bool
    is_shown: bool
    note: str


class PublishedRoot:
    """The part of a storage root that is shown.

    Args:
        root: the storage root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def file(self, location: str) -> Path | None:
        """The file at a location, relative to the root; None if it is not there or not shown."""
        path, inner = self._resolve(location)
        if path is None or not layout.is_of_outputs(location) or not path.is_file():
            return None
        return path if _is_shown_file(inner) else None

    def folder(self, location: str) -> Path | None:
        """The folder at a location, relative to the root; None if it is not there or not shown."""
        path, inner = self._resolve(location)
        if path is None or not path.is_dir():
            return None
        if layout.holds_outputs(location) and layout.holds_outputs(inner):
            return path
        # The folders above are shown if they lead to outputs and are no links.
        return path if inner in {location, "."} and self._leads_to_outputs(path, inner) else None

    def entries(self, location: str) -> Iterator[Entry]:
        """What stands in a folder that is shown."""
        folder = self.folder(location)
        if folder is None:
            return
        is_deep = layout.holds_outputs(location)
        with os.scandir(folder) as found:
            for known in found:
                name = os.fsencode(known.name).decode(errors="replace")
                inner = f"{location}/{known.name}".removeprefix("/")
                if layout.is_hidden(known.name):
                    continue
                is_folder, is_shown = self._kind(known, inner)
                is_shown = is_shown and name == known.name
                # What is not shown is named, so that one knows that it is there.
                if is_shown or (is_deep and self._is_inside(known, inner)):
                    yield Entry(name, is_folder, is_shown, _note(Path(known.path)))

    def _kind(self, known: os.DirEntry[str], location: str) -> tuple[bool, bool]:
        """Whether an entry is a folder, and whether it is shown."""
        if known.is_symlink() or known.is_dir():
            is_folder = self.folder(location) is not None
            return is_folder, is_folder or self.file(location) is not None
        # Most entries of a large folder: nothing is left to be looked for.
        return False, known.is_file() and _is_shown_file(location)

    def _is_inside(self, known: os.DirEntry[str], location: str) -> bool:
        """Whether an entry is in the root, wherever it leads."""
        if not known.is_symlink():
            return True
        try:
            return (self.root / location).resolve().is_relative_to(self.root)
        except (OSError, RuntimeError):  # links in a circle
            return False

    def _resolve(self, location: str) -> tuple[Path | None, str]:
        """The path at a location, and its own location where no link is left; None if none is."""
        if layout.is_hidden(location):
            return None, ""
        try:
            path = (self.root / location).resolve(strict=True)
            inner = path.relative_to(self.root).as_posix()
        # Names that no file can have, links in a circle, what may not be looked at.
        except (OSError, ValueError, RuntimeError):
            return None, ""
        return (None, "") if layout.is_hidden(inner) else (path, inner)

    def _leads_to_outputs(self, folder: Path, inner: str) -> bool:
        """Whether a folder is the root, or outputs are below it."""
        if inner == ".":
            return True
        try:
            return any(
                path.is_dir()
                and not path.is_symlink()
                and (
                    layout.holds_outputs(f"{inner}/{path.name}")
                    or ("/" not in inner and self._leads_to_outputs(path, f"{inner}/{path.name}"))
                )
                for path in folder.iterdir()
            )
        except OSError:
            return False


def _is_shown_file(location: str) -> bool:
    return os.path.splitext(location)[1] in KINDS and layout.is_of_outputs(location)  # noqa: PTH122


def _note(path: Path) -> str:
    try:
        if path.is_symlink():
            target = os.fsencode(path.readlink()).decode(errors="replace")
            return f"\N{RIGHTWARDS ARROW} {target}"
        return f"{path.stat().st_size:,} bytes" if path.is_file() else ""
    except OSError:  # it has just gone
        return ""
