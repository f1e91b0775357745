"""What is typed for Luigi's command: a task and its flags, and what is wrong with them."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register

from taxi_pipeline import commands
from taxi_pipeline.formatting import did_you_mean
from taxi_pipeline.redaction import redact

USAGE_ERROR = 2
"""The exit code for flags that the parser does not take, as argparse has it."""

CONFIGURATION_FLAGS = (
    "Every option of luigi.cfg is a flag as well: [cleaning] max_minutes is "
    "--cleaning-max-minutes, [source] url is --source-url, [storage] root is "
    "--storage-root, [tracking] uri is --tracking-uri. --help-all lists all."
)

IN_WORDS = {
    "core_local_scheduler": "Run by yourself, without the central scheduler, luigid.",
    "core_module": "A module to import, such as one with recipes or tasks of your own.",
    "core_help": "Show the most common flags, and those of the task.",
    "core_help_all": "Show all flags.",
}
"""What flags of Luigi's are for, by the name of their value."""

_build_parser: Callable[..., Any] = CmdlineParser._build_parser  # noqa: SLF001  (Luigi offers no other way)


def install(*own_flags: str) -> None:
    """Have Luigi's parser tell what is wrong in one line, with the flag that may be meant.

    Args:
        own_flags: what the command takes beside Luigi's flags.
    """
    parser: Any = CmdlineParser
    parser._build_parser = staticmethod(  # noqa: SLF001  (Luigi offers no other way)
        functools.partial(_readable_parser, own_flags)
    )


def _readable_parser(
    own_flags: tuple[str, ...], root_task: str | None = None, help_all: bool = False
) -> argparse.ArgumentParser:
    # Luigi parses the same arguments nine times, and asks for a new parser each time.
    return _parser_of(tuple(Register._reg), own_flags, root_task, help_all)  # noqa: SLF001


@functools.lru_cache(maxsize=8)
def _parser_of(
    _known: tuple[type, ...], own_flags: tuple[str, ...], root_task: str | None, help_all: bool
) -> argparse.ArgumentParser:
    """The parser for the flags of all tasks and sections that are known."""
    parser: Any = _build_parser(root_task=root_task, help_all=help_all)
    for action in parser._actions:  # noqa: SLF001  (argparse tells no actions)
        if any(flag.startswith(f"--{root_task}-") for flag in action.option_strings):
            action.help = argparse.SUPPRESS  # the same flag is listed without the task's name
        elif action.help != argparse.SUPPRESS:
            # Descriptions, in which % is no sign of argparse's.
            described = IN_WORDS.get(action.dest, action.help or "")
            action.help = described.replace("%", "%%")
    parser.epilog = CONFIGURATION_FLAGS
    known = [*parser._option_string_actions, *own_flags]  # noqa: SLF001  (argparse tells no flags)
    parser.error = functools.partial(_refuse, root_task or "TASK", known)
    made: argparse.ArgumentParser = parser
    return made


def _refuse(task: str, known: list[str], message: str) -> NoReturn:
    """Print a line, and end with the exit code of a wrong usage."""
    _, unknown, arguments = message.partition("unrecognized arguments: ")
    if unknown:
        words = arguments.split()
        flag = next((word for word in words if word.startswith("--")), words[0]).partition("=")[0]
        # Flags of other tasks, such as --TrainModel-year, are seldom meant.
        alike = [name for name in known if name[2:3].islower() == flag[2:3].islower()]
        message = f"{task} has no flag {flag}{did_you_mean(flag, alike)}"
        if not flag.startswith("-"):
            message = f"{task} takes flags, such as --year 2021, and not {flag}"
    line = f"{message} ({commands.write('run', task, '--help')} lists the flags)"
    sys.stderr.write(f"ERROR: {redact(line)}\n")
    sys.exit(USAGE_ERROR)
