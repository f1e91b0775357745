"""Writes the parts of docs/ that the code tells: the page of options, and the picture of the rooms.

Usage: .venv/bin/python scripts/docs_from_code.py

tests/e2e/test_site.py fails if a file differs from what this writes.
"""

import ast
import re
from html import escape
from pathlib import Path

from taxi_pipeline import config

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "taxi_pipeline"

# --- the table of options -----------------------------------------------------------------------

HEAD = """# Configuration

<!-- scripts/docs_from_code.py writes this page from taxi_pipeline/config. -->

Every option has a default. You can change it in a file `luigi.cfg` in the folder where you give a
command, or with a flag: `[cleaning] max_minutes` is `--cleaning-max-minutes`. This writes a
`luigi.cfg` that has every option with its meaning:

    taxi-pipeline write-config

`${NAME}` takes a value from the environment; use it for passwords. If an option is misspelt, or has
a value that it cannot have, the error is one line.

The column *key* says yes if outputs depend on the option, since it is then part of their
[key](../explanation/identity.md#the-key). If you change such an option, all that depends on it is
made again, beside what is there. If you change one of the others, nothing is made again.
"""

LUIGI = """
## Luigi's own options

You may set every option of
[Luigi](https://luigi.readthedocs.io/en/stable/configuration.html) as well. With
`[core] local_scheduler = true` you need neither a central scheduler nor the flag
`--local-scheduler`. This package sets these options, where you have not:

| option | set to | why |
|---|---|---|
"""


def configuration_page() -> str:
    """The page of all sections and options."""
    lines = [HEAD]
    for section in config.SECTIONS:
        lines += [
            f"## [{section.__name__}]",
            "",
            _cell((section.__doc__ or "").partition("\n\n")[0]),
        ]
        lines += ["", "| option | default | key | meaning |", "|---|---|---|---|"]
        for name, parameter in section.get_params():
            default = parameter.serialize(parameter._default)  # noqa: SLF001  (no public name)
            key = "yes" if parameter.significant else ""
            shown = f"`{default}`" if default else "empty"
            lines.append(f"| `{name}` | {shown} | {key} | {_cell(parameter.description)} |")
        lines.append("")
    rows = (
        f"| `[{setting.section}] {setting.option}` | {_setting(setting.option, setting.value)} "
        f"| {_cell(setting.reason)} |"
        for setting in config.LUIGI_SETTINGS
    )
    return "\n".join(lines).rstrip() + "\n" + LUIGI + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """A text as a cell of a table: in one line, and what is to be typed as code."""
    one_line = " ".join(text.split()).replace("|", "\\|")
    # A section's name, which would be a link's text before a parenthesis.
    return re.sub(r"(?<![`\w])(\[\w+\])", r"`\1`", one_line)


def _setting(option: str, value: str) -> str:
    # How many cores there are is this machine's to say.
    return "this machine's cores" if option == "cpu" else f"`{value}`"


# --- the picture of the rooms -------------------------------------------------------------------

ROW, NAME, TEXT, CELL = 34, 140, 610, 20
"""Sizes in pixels: a floor's height, a room's name, what it is for, a column of the triangle."""


def floors() -> list[str]:
    """The rooms from the top floor down, as the test of the architecture has them."""
    tree = ast.parse((REPOSITORY / "tests" / "test_architecture.py").read_text())
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FLOORS"
    )
    return [room for floor in ast.literal_eval(table) for room in sorted(floor)]


def imported_rooms(room: str) -> set[str]:
    """The other rooms that a room's modules import from, at whatever place."""
    found = set()
    for file in sorted((PACKAGE / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    own = {name.split(".")[1] for name in found if name.startswith("taxi_pipeline.")}
    return {name for name in own if (PACKAGE / name).is_dir()} - {room}


def purpose(room: str) -> str:
    """The first sentence of what a room says of itself."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) or ""
    paragraph = " ".join(docstring.partition("\n\n")[0].split()).replace("``", "")
    return re.split(r"(?<=[^.])\.(?= |$)", paragraph)[0]


def rooms_picture() -> str:
    """An SVG of the rooms: one floor a row, and a dot in each room below that it imports from."""
    rooms = floors()
    left = NAME + TEXT
    width, height = left + CELL * len(rooms) + 20, ROW * (len(rooms) + 1) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
        'font-family="system-ui, sans-serif" font-size="13">',
        "<title>The rooms of taxi_pipeline from the top floor down, and what each imports</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for row, room in enumerate(rooms):
        top = 10 + row * ROW
        middle = top + ROW / 2 - 2
        parts.append(
            f'<rect x="10" y="{top}" width="{NAME - 20}" height="{ROW - 4}" rx="4" fill="#e8eef7" '
            'stroke="#3f6fb5"/>'
            f'<text x="20" y="{middle + 4}" font-weight="bold" fill="#1d3557">{room}</text>'
            f'<text x="{NAME}" y="{middle + 4}" fill="#333">{escape(purpose(room))}</text>'
        )
        imported = imported_rooms(room)
        for column, other in enumerate(rooms):
            x = left + column * CELL + CELL / 2
            if other == room:
                parts.append(
                    f'<rect x="{x - 5}" y="{middle - 5}" width="10" height="10" fill="#3f6fb5"/>'
                )
            elif other in imported:
                parts.append(f'<circle cx="{x}" cy="{middle}" r="4.5" fill="#d1495b"/>')
            elif column > row:
                parts.append(f'<circle cx="{x}" cy="{middle}" r="1" fill="#bbb"/>')
    note = (
        "A square is a room itself; a dot in a row: the room imports from the one in that column."
    )
    parts.append(f'<text x="10" y="{height - 18}" fill="#555">{note}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


WRITTEN = {
    "docs/reference/configuration.md": configuration_page,
    "docs/images/rooms.svg": rooms_picture,
}
"""The files, and what makes the text of each."""


def main() -> None:
    """Write the files."""
    for name, make in WRITTEN.items():
        (REPOSITORY / name).write_text(make())
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
