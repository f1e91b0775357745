"""``latest TASK ...`` prints where the current output of a task is."""

from __future__ import annotations

import argparse

from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime.plan import parse_task
from taxi_pipeline.tasks.base import Stage

HELP = "print where the output of a task is, as the configuration is now"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.usage = "python -m taxi_pipeline latest TASK [LUIGI'S FLAGS]"
    parser.add_argument("task", nargs=argparse.REMAINDER, help="as luigi --module taxi_pipeline")


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the output's location, if it is made.

    Raises:
        InvalidParameter: the task has no output, or it is not made.
    """
    if not options.task:
        parser.error("which task? For example EvaluateModel --year 2021 --month 1")
    with parse_task(options.task) as task:
        if not isinstance(task, Stage):
            raise InvalidParameter(f"{task.task_family} has no output of its own")
        if not task.complete():
            raise InvalidParameter(
                f"{task.label} is not made, as the configuration is now: luigi --module "
                "taxi_pipeline with the same arguments makes it"
            )
        print(task.output())
    return 0
