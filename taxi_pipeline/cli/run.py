"""``run TASK ...`` runs a task and all that it needs, as Luigi's own command does."""

from __future__ import annotations

import click
from luigi.cmdline import luigi_run

from taxi_pipeline.cli.options import examples
from taxi_pipeline.cli.plan import print_plan
from taxi_pipeline.cli.task_arguments import task_arguments
from taxi_pipeline.runtime import command as luigi_command

HELP = "Run a task, and all that it needs and is not made yet."


@task_arguments(
    "run",
    short_help=HELP,
    example="RegisterModel --year 2021 --month 1 --local-scheduler",
    epilog=examples(
        "run RegisterModel --year 2021 --month 1 --local-scheduler",
        "run BackfillMonths --of RegisterModel --start 2021-01 --workers 2 --quiet",
        "run --dry-run RegisterModel --year 2021 --month 2 --recipe pretrip",
        configuration=False,
    ),
)
@click.option("--dry-run", is_flag=True, help="Print the plan, and run nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Show warnings, errors and the last line alone.")
def command(arguments: list[str], *, dry_run: bool, quiet: bool) -> None:
    """Run a task, and all that it needs and is not made yet.

    It is what luigi --module taxi_pipeline does with the same arguments, and has its exit codes: 0
    if all is made, 20 if a month is not published yet, 30 if a task failed, 35 if one could not be
    scheduled, 40 for a wrong value or no scheduler. run TASK --help tells the task's parameters.
    """
    if dry_run:
        print_plan(arguments)
        return
    luigi_command.install(quiet=quiet)
    luigi_run(["--module", "taxi_pipeline", *arguments])  # ends with Luigi's exit code
