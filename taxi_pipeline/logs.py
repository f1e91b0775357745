"""A readable console.

Luigi logs to one logger, ``luigi-interface``, and so do the tasks (as a child of it, so that
Luigi's own logging configuration applies). A filter on it does two things: a failure that a user
can cause or mend becomes the one line that its text is, and what Luigi's worker tells of its talk
with the scheduler is left to ``--log-level DEBUG``.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import luigi
from luigi.parameter import ParameterException
from luigi.rpc import RPCError
from luigi.task_register import TaskClassException

from taxi_pipeline.errors import TaxiPipelineError

LUIGI_LOGGER = logging.getLogger("luigi-interface")
logger = LUIGI_LOGGER.getChild("taxi_pipeline")

# Up to which level a module of Luigi's tells of its talk with the scheduler.
CHATTER = {"worker": logging.INFO, "rpc": logging.WARNING}

# The last line of a traceback that Luigi formatted into its message.
_FORMATTED_ERROR = re.compile(r"^taxi_pipeline\.errors\.\w+: (.+)\Z", re.MULTILINE)


def user_message(error: BaseException) -> str | None:
    """The line that tells a user what to do about an error; None for a defect of the pipeline."""
    if isinstance(error, TaxiPipelineError):
        return str(error)
    if isinstance(error, RPCError):
        return (
            "no central scheduler answers: start luigid, name one with --scheduler-url, or add "
            f"--local-scheduler to do without ({error.args[0]})"
        )
    if isinstance(error, TaskClassException):
        return " ".join(str(error).split())
    if isinstance(error, ParameterException):
        return f"{error} (luigi --module taxi_pipeline TASK --help shows the parameters)"
    return None


class ReadableFilter(logging.Filter):
    """Shortens what a user need not read; lets everything through at level DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite or drop a record of Luigi's logger."""
        error = record.exc_info[1] if record.exc_info else None
        line = user_message(error) if error else None
        if line is None and record.levelno >= logging.WARNING:
            formatted = _FORMATTED_ERROR.search(record.getMessage().rstrip())
            line = formatted[1] if formatted else None
        if line is not None:
            record.msg, record.args = _with_task(record.args or (), line), ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.ERROR, "ERROR"
            return True
        chatter = record.levelno <= CHATTER.get(record.module, logging.NOTSET)
        return not chatter or LUIGI_LOGGER.isEnabledFor(logging.DEBUG)


def _with_task(arguments: Iterable[object], line: str) -> str:
    """The line, beginning with the name of the task that a record is about."""
    task = next((value for value in arguments if isinstance(value, luigi.Task)), None)
    if task is None:
        return line
    label = str(getattr(task, "label", task))
    family, _, month = label.partition(" ")
    return f"{family if line.startswith(month) else label}: {line}"


def is_luigi_command() -> bool:
    """Whether this is Luigi's own command; another program's process is that program's affair."""
    return Path(sys.argv[0]).stem == "luigi"


def install() -> None:
    """Make Luigi's console readable; safe to call again."""
    if any(isinstance(known, ReadableFilter) for known in LUIGI_LOGGER.filters):
        return
    LUIGI_LOGGER.addFilter(ReadableFilter())
    # Luigi lets an unknown task's name pass as an uncaught exception.
    if is_luigi_command():
        sys.excepthook = _tell_uncaught


def _tell_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    line = user_message(error)
    if line is None:
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"ERROR: {line}\n")
