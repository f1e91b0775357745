"""A readable console, and a log for each task.

Luigi logs to one logger, ``luigi-interface``, and tasks log to a child of it, so that Luigi's own
logging configuration applies. A filter on it does three things. A failure that a user can cause or
mend becomes the one line that its text is. A month that is waited for is no warning. Requests to
the scheduler are shown at ``--log-level DEBUG`` only.

While a task runs, all records that reach the root logger are written to the task's own file as well
(see :func:`log_to_file`). Neither console nor file shows secrets.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import luigi
from luigi.setup_logging import InterfaceLogging

from taxi_pipeline.logger import LUIGI_LOGGER, logger
from taxi_pipeline.observability import failures
from taxi_pipeline.observability.progress import hidden_bar
from taxi_pipeline.redaction import RedactingFilter, message, redact

# The level up to which records of these modules of Luigi are about requests to the scheduler.
CHATTER = {"worker": logging.INFO, "rpc": logging.WARNING}

RUN_END = {"run_end": True}
"""The attribute of the record that says what there is when a run has ended."""

_FILE_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s")

# Luigi's message for a task that it cannot run and whose output is missing.
_MISSING = "Data for %s does not exist"


class ReadableFilter(logging.Filter):
    """Shortens or drops what a user need not read; at level DEBUG nothing is dropped."""

    # The last error that was shown: Luigi logs what ends a run where it is raised, and at the end.
    _shown: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite or drop a record of Luigi's logger."""
        waiting = getattr(_task(record.args or ()), "waiting", None)
        if waiting and str(record.msg).startswith(_MISSING):
            record.msg, record.args = waiting, ()
            record.levelno, record.levelname = logging.INFO, "INFO"
            return LUIGI_LOGGER.isEnabledFor(logging.INFO)
        error = record.exc_info[1] if record.exc_info else None
        line = failures.error_line(error) if error else None
        if line is not None:
            if error is self._shown:
                return LUIGI_LOGGER.isEnabledFor(logging.DEBUG)
            self._shown = error
        if line is None and record.levelno >= logging.WARNING:
            line = failures.error_line(message(record))
        if line is not None:
            record.msg, record.args = _with_task(record.args or (), line), ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.ERROR, "ERROR"
            return True
        chatter = record.levelno <= CHATTER.get(record.module, logging.NOTSET)
        return not chatter or LUIGI_LOGGER.isEnabledFor(logging.DEBUG)


def labelled(task: luigi.Task, line: str) -> str:
    """The line with the task's label before it; a month that both name is named once."""
    label = str(getattr(task, "label", task))
    family, _, month = label.partition(" ")
    return f"{family if line.startswith(month) else label}: {line}"


def _with_task(arguments: Iterable[object], line: str) -> str:
    """The line, with the task that a record is about and its log."""
    task = _task(arguments)
    if task is None:
        return line
    log = getattr(task, "log", "")
    return labelled(task, f"{line} (log {log})" if log else line)


def _task(arguments: Iterable[object]) -> luigi.Task | None:
    return next((value for value in arguments if isinstance(value, luigi.Task)), None)


class TaskLog:
    """The file in which a task's log lines are kept."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler

    def write(self, line: str, error: BaseException | None = None) -> None:
        """Write a line, and the traceback of an error, that the console does not show."""
        level = logging.ERROR if error else logging.INFO
        exception = (type(error), error, error.__traceback__) if error else None
        self._handler.handle(
            logging.LogRecord(logger.name, level, __file__, 0, line, (), exception)
        )


class _TaskFile(logging.FileHandler):
    """A task's log. A disk that does not take it is told of once, and the task goes on."""

    _lost = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Warn that the file cannot be written."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._warn(error)
        else:
            super().handleError(record)

    def close(self) -> None:
        """Close the file, which writes what is still to be written."""
        try:
            super().close()
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        if not self._lost:
            self._lost = True
            logger.warning("the log %s is cut short: %s", self.baseFilename, error.strerror)


@contextmanager
def log_to_file(file: Path) -> Iterator[TaskLog]:
    """Keep all that this process logs in a file as well."""
    handler = _TaskFile(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_FILE_FORMAT)
    handler.addFilter(RedactingFilter())
    everything = logging.getLogger()
    everything.addHandler(handler)
    try:
        yield TaskLog(handler)
    finally:
        everything.removeHandler(handler)
        handler.close()


def append_line(file: Path, line: str) -> None:
    """Write a warning at the end of a task's log, without a lock that a stopped thread may hold."""
    record = logging.LogRecord(logger.name, logging.WARNING, __file__, 0, line, (), None)
    with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"{_FILE_FORMAT.format(record)}\n")


def is_luigi_command() -> bool:
    """Whether this process is Luigi's own command, whose logging may be changed as a whole."""
    program = Path(sys.argv[0])
    # As a module it is luigi/__main__.py.
    return "luigi" in {program.stem, program.parent.name if program.stem == "__main__" else ""}


def install() -> None:
    """Make Luigi's console readable; safe to call again."""
    if any(isinstance(known, ReadableFilter) for known in LUIGI_LOGGER.filters):
        return
    LUIGI_LOGGER.addFilter(ReadableFilter())
    for each in (LUIGI_LOGGER, logger):
        each.addFilter(RedactingFilter())
    # A task's own file gets these records whatever the console shows.
    logger.setLevel(logging.INFO)


def install_console(*, quiet: bool = False) -> None:
    """Take the console of a process that is Luigi's command, whose logging may be changed.

    A logging configuration of the user's own is Luigi's to apply, and stays as it is.

    Args:
        quiet: whether warnings, errors and the last line of the run alone are shown.
    """
    # Luigi lets an unknown task's name pass as an uncaught exception.
    sys.excepthook = _show_uncaught
    # Other libraries, MLflow among them, have loggers and handlers of their own.
    logging.setLogRecordFactory(_redacted_record)
    # Luigi's own defaults of [smtp], of which it warns itself with each mail.
    warnings.filterwarnings("ignore", r'Parameter "\w+" with value "None" is not of type string')

    def show(_logging: type, options: Any) -> bool:
        handler = _ConsoleHandler()
        handler.setLevel(options.log_level)
        handler.setFormatter(_QuietFormatter() if quiet else _ConsoleFormatter())
        if quiet:
            handler.addFilter(_is_essential)
        LUIGI_LOGGER.setLevel(options.log_level)
        LUIGI_LOGGER.addHandler(handler)
        return True

    luigis: Any = InterfaceLogging
    luigis._default = classmethod(show)  # noqa: SLF001  (Luigi's has a format without times)


class _ConsoleHandler(logging.StreamHandler[Any]):
    """Lines above the bar of the task that runs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with hidden_bar():
            super().emit(record)


class _ConsoleFormatter(logging.Formatter):
    """Lines with the time of day."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s: %(message)s", "%H:%M:%S")


class _QuietFormatter(_ConsoleFormatter):
    """The last line alone of what a run says at its end."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        if _ends_run(record):
            record.message = record.message.splitlines()[-1]
        return super().formatMessage(record)


def _is_essential(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or _ends_run(record)


def _ends_run(record: logging.LogRecord) -> bool:
    return bool(getattr(record, "run_end", False))


def _redacted_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    RedactingFilter().filter(record)
    return record


def _show_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    line = failures.error_line(error)
    if line is None:
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"ERROR: {redact(line)}\n")
