"""``write-config`` writes the commented ``luigi.cfg`` of all defaults into the current folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from taxi_pipeline import config

HELP = "write a commented luigi.cfg of all defaults"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--force", action="store_true", help="overwrite a luigi.cfg that is there")


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Write the file, unless one is there."""
    target = Path("luigi.cfg")
    if target.exists() and not options.force:
        print(f"{target} is there already: --force overwrites it", file=sys.stderr)
        return 1
    target.write_text(config.as_cfg())
    print(f"wrote {target}: edit it, or delete what you leave as it is")
    return 0
