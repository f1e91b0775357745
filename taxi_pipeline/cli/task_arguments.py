"""Commands whose arguments are those of Luigi's: a task and its flags."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from taxi_pipeline.cli.options import Function, import_modules, module_option
from taxi_pipeline.observability.task_names import task_names
from taxi_pipeline.runtime import luigi_arguments


def task_arguments(
    name: str, *, example: str, **settings: Any
) -> Callable[[Function], click.Command]:
    """A command that takes what Luigi's command takes, its own options anywhere among it.

    The function gets Luigi's arguments as ``arguments``. ``--help`` is the command's own, and once
    a task is named Luigi's, which tells the task's parameters.

    Args:
        name: of the command.
        example: what may be typed behind it.
        settings: of the command.
    """

    def decorate(function: Function) -> click.Command:
        @functools.wraps(function)
        def run(
            arguments: tuple[str, ...], module: tuple[str, ...], *, show_help: bool, **values: Any
        ) -> Any:
            context = click.get_current_context()
            if not arguments and show_help:
                print(context.get_help())
                return 0
            if not arguments:
                raise click.UsageError(f"which task? For example {example}")
            import_modules(module)
            flags = [flag for option in context.command.params for flag in option.opts]
            luigi_arguments.install(*flags)
            return function([*arguments, *(["--help"] if show_help else [])], **values)

        decorated: Function = click.option(
            "-h", "--help", "show_help", is_flag=True, help="Show this message."
        )(run)
        decorated = click.argument(
            "arguments",
            nargs=-1,
            type=click.UNPROCESSED,
            metavar="TASK [LUIGI'S FLAGS]",
            shell_complete=_complete,
        )(module_option(decorated))
        options = {"ignore_unknown_options": True, "help_option_names": []}
        return click.command(name, cls=click.Command, context_settings=options, **settings)(
            decorated
        )

    return decorate


def _complete(context: click.Context, _parameter: click.Parameter, begin: str) -> list[str]:
    """The names of tasks that begin so, where none is typed yet."""
    if context.params.get("arguments"):
        return []
    return [name for name in task_names() if name.startswith(begin)]
