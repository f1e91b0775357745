"""Text laid out for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; those that hold numbers only are set to the right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    numeric = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    lines = (
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in (header, *rows)
    )
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    return not cell or cell.replace(",", "").replace(".", "").isdigit()


def pluralize(number: int, thing: str) -> str:
    """A number of things: ``1 month``, ``2 months``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def format_bytes(size: float) -> str:
    """A number of bytes in the unit that suits it: ``12 B``, ``3.4 MB``."""
    thousand = 1000
    if size < thousand:
        return f"{size:.0f} B"
    for unit in ("KB", "MB", "GB"):
        size /= thousand
        if size < thousand:
            return f"{size:.1f} {unit}"
    return f"{size / thousand:.1f} TB"


def format_seconds(seconds: float) -> str:
    """A time in the two units that suit it: ``8 s``, ``2 min 5 s``, ``1 h 20 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question for what was meant, to be put behind a name that is not known; empty if unclear.

    Whether letters are capitals does not count.
    """
    names = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    return f": did you mean {names[near[0]]}?" if near else ""
