"""A readable console.

Luigi logs to one logger, ``luigi-interface``, and so do the tasks (as a child of it, so that
Luigi's own logging configuration applies). A filter on it does two things: a failure that a user
can cause or mend becomes the one line that its text is, and what Luigi's worker tells of its talk
with the scheduler is left to ``--log-level DEBUG``.
"""

from __future__ import annotations

import logging
import re

import luigi
from luigi.parameter import ParameterException
from luigi.rpc import RPCError

from taxi_pipeline.errors import TaxiPipelineError

LUIGI_LOGGER = logging.getLogger("luigi-interface")
logger = LUIGI_LOGGER.getChild("taxi_pipeline")

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
            task = next(
                (value for value in record.args or () if isinstance(value, luigi.Task)), None
            )
            prefix = f"{label(task)}: " if task else ""
            record.msg, record.args = prefix + line, ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.ERROR, "ERROR"
            return True
        chatter = record.module == "worker" and record.levelno <= logging.INFO
        return not chatter or LUIGI_LOGGER.isEnabledFor(logging.DEBUG)


def label(task: luigi.Task) -> str:
    """A task's short name for a person: its own ``label`` where it has one."""
    return str(getattr(task, "label", task))


def install() -> None:
    """Make Luigi's console readable; safe to call again."""
    if not any(isinstance(known, ReadableFilter) for known in LUIGI_LOGGER.filters):
        LUIGI_LOGGER.addFilter(ReadableFilter())
