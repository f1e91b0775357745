"""``python -m taxi_pipeline``: what is not a task.

``write-config`` writes the commented ``luigi.cfg`` with every default into the current folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from taxi_pipeline import config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 if it did what was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m taxi_pipeline",
        description="Tasks are run by Luigi: luigi --module taxi_pipeline RegisterModel --help",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write-config", help="write a commented luigi.cfg of all defaults")
    write.add_argument("--force", action="store_true", help="overwrite a luigi.cfg that is there")
    options = parser.parse_args(arguments)

    target = Path("luigi.cfg")
    if target.exists() and not options.force:
        print(f"{target} is there already: --force overwrites it", file=sys.stderr)  # noqa: T201
        return 1
    target.write_text(config.as_cfg())
    print(f"wrote {target}: edit it, or delete what you leave as it is")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
