"""``latest TASK ...`` prints where the current output of a task is."""

from __future__ import annotations

import json

from taxi_pipeline import commands
from taxi_pipeline.cli.options import examples, json_option
from taxi_pipeline.cli.task_arguments import task_arguments
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.redaction import redact
from taxi_pipeline.runtime.other_sources import explain, from_elsewhere
from taxi_pipeline.runtime.plan import parse_task
from taxi_pipeline.tasks.base import Stage

HELP = "Print where the output of a task is, as the configuration is now."


@task_arguments(
    "latest",
    short_help=HELP,
    example="EvaluateModel --year 2021 --month 1",
    epilog=examples("latest EvaluateModel --year 2021 --month 1", configuration=False),
)
@json_option
def command(arguments: list[str], *, as_json: bool) -> None:
    """Print where the output of a task is, as the configuration is now.

    TASK and its flags are those of luigi --module taxi_pipeline. If the output is not made, the
    exit code is 1.
    """
    with parse_task(arguments) as task:
        if not isinstance(task, Stage):
            raise InvalidParameter(f"{task.task_family} has no output of its own")
        if not task.complete():
            if months := from_elsewhere(task):
                raise InvalidParameter(f"{task.label} is not made: {explain(months)}")
            command = commands.write("run", *map(redact, arguments))
            raise InvalidParameter(
                f"{task.label} is not made, as the configuration is now: {command} makes it"
            )
        place = str(task.output())
        facts = {"task": task.label, "key": task.key, "location": place}
        print(json.dumps(facts, indent=2) if as_json else place)
