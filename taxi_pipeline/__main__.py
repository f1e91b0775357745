"""``python -m taxi_pipeline``: what is not a task.

- ``write-config`` writes the commented ``luigi.cfg`` with every default into the current folder.
- ``plan TASK ...`` prints what a run would do and why, and draws it.
- ``luigid`` starts the central scheduler.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import luigi

from taxi_pipeline import config, redaction
from taxi_pipeline.observability import failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 if it did what was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m taxi_pipeline",
        description="Tasks are run by Luigi: luigi --module taxi_pipeline RegisterModel --help",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    write = commands.add_parser("write-config", help="write a commented luigi.cfg of all defaults")
    write.add_argument("--force", action="store_true", help="overwrite a luigi.cfg that is there")

    plan = commands.add_parser(
        "plan",
        help="print what a run would do and why, without running anything",
        usage="python -m taxi_pipeline plan [--draw FILE] TASK [LUIGI'S FLAGS]",
    )
    plan.add_argument("--draw", type=Path, metavar="FILE", help="draw it as well (.svg, .png)")
    plan.add_argument("task", nargs=argparse.REMAINDER, help="as luigi --module taxi_pipeline")

    scheduler = commands.add_parser("luigid", help="start the central scheduler")
    scheduler.add_argument("--address", help="interface to listen on")
    scheduler.add_argument("--port", help="port to listen on; 0 takes any")
    scheduler.add_argument("--folder", help="folder of its state and history")
    scheduler.add_argument("--storage-root", help="folder of the outputs that it shows")

    options = parser.parse_args(arguments)
    if options.command == "plan" and not options.task:
        plan.error("which task? For example RegisterModel --year 2021 --month 1")
    try:
        return {"write-config": _write_config, "plan": _plan, "luigid": _luigid}[options.command](
            options
        )
    except BrokenPipeError:
        # Who read has seen enough: head, or a pager. Nothing is to be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        line = failures.error_line(error)
        if line is None:
            raise
        print(f"ERROR: {redaction.redact(line)}", file=sys.stderr)  # noqa: T201
        return 1


def _write_config(options: argparse.Namespace) -> int:
    target = Path("luigi.cfg")
    if target.exists() and not options.force:
        print(f"{target} is there already: --force overwrites it", file=sys.stderr)  # noqa: T201
        return 1
    target.write_text(config.as_cfg())
    print(f"wrote {target}: edit it, or delete what you leave as it is")  # noqa: T201
    return 0


def _plan(options: argparse.Namespace) -> int:
    from taxi_pipeline.runtime import plan

    with plan.parsed(options.task) as task:
        steps = plan.plan(task)
    if options.draw:
        plan.draw(steps, options.draw)
    print(plan.as_text(steps))  # noqa: T201
    if options.draw:
        print(f"It is drawn in {options.draw}.")  # noqa: T201
    return 0


def _luigid(options: argparse.Namespace) -> int:
    from taxi_pipeline.luigid import server as luigid

    given = {
        ("luigid", "address"): options.address,
        ("luigid", "port"): options.port,
        ("luigid", "folder"): options.folder,
        ("storage", "root"): options.storage_root,
    }
    for (section, option), value in given.items():
        if value is not None:
            luigi.configuration.get_config().set(section, option, value.replace("%", "%%"))
    config.check()
    luigid.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
