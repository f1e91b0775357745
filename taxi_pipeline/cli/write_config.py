"""``write-config`` writes the commented ``luigi.cfg`` of all defaults into the current folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from taxi_pipeline import config
from taxi_pipeline.cli.options import examples

HELP = "Write a commented luigi.cfg of all defaults."


@click.command(
    "write-config",
    short_help=HELP,
    epilog=examples("write-config", "write-config --force", configuration=False),
)
@click.option("--force", is_flag=True, help="Overwrite a luigi.cfg that is there.")
def command(*, force: bool) -> int:
    """Write a commented luigi.cfg of all defaults into the current folder.

    If one is there, it is left, and the exit code is 1.
    """
    target = Path("luigi.cfg")
    if target.exists() and not force:
        print(f"{target} is there already: --force overwrites it", file=sys.stderr)
        return 1
    target.write_text(config.as_cfg())
    print(f"wrote {target}: edit it, or delete what you leave as it is")
    return 0
