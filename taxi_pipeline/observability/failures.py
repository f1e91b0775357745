"""What a user reads of an error; console, web page, mail, webhook and commands all ask here.

An error that a user can cause or mend is the one line that its text is. Every other error is a
defect of the pipeline or of a task's own code, and keeps its traceback.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import re
import sys
from collections.abc import Iterator

from luigi.parameter import ParameterException
from luigi.rpc import RPCError
from luigi.task_register import Register, TaskClassException

from taxi_pipeline import commands
from taxi_pipeline.errors import TaxiPipelineError
from taxi_pipeline.formatting import did_you_mean
from taxi_pipeline.observability.task_names import task_names

_FULL_DISK = re.compile(rf"\[Errno (?:{errno.ENOSPC}|{errno.EDQUOT}|{errno.EROFS})\] (.*)")
"""The text of an error of the system that means a disk that cannot be written."""

_TRACEBACK = "Traceback (most recent call last):\n"
_CHAIN = (
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
)
"""What Python writes between the tracebacks of exceptions that followed from each other."""


def error_line(error: BaseException | str) -> str | None:
    """The line that tells a user what to do about an error; None for a defect.

    Args:
        error: the exception. Where Luigi keeps only its text, the traceback that Luigi formatted;
            the class that its end names is looked up, so that errors of a user's own modules count
            as well. A text without a traceback is no error, and its answer is None.
    """
    if isinstance(error, str):
        return _line_of_traceback(error)
    return _line(type(error), str(error))


def summary(error: BaseException | str) -> str:
    """The error in one line, whatever it is: of a defect its class and the first line of its text.

    Args:
        error: an exception, a traceback as text, or a sentence that says what went wrong.
    """
    if (line := error_line(error)) is not None:
        return line
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {_first_line(str(error))}"
    if raised := _last_raised(error):
        name, text = raised
        return f"{name.rpartition('.')[2]}: {_first_line(text)}"
    return _first_line(error)


def _line(kind: type[BaseException], text: str) -> str | None:
    if issubclass(kind, TaskClassException):
        return _unknown_task(text)
    text = _first_line(text)
    if issubclass(kind, TaxiPipelineError):
        return text
    if issubclass(kind, OSError) and (disk := _FULL_DISK.match(text)):
        return (
            f"{disk[1]}: make room on that disk, or choose another; the variable TMPDIR says where "
            "temporary files are, [core] lock_pid_dir where Luigi's locks are"
        )
    if issubclass(kind, RPCError):
        return (
            "no central scheduler answers: start one (taxi-pipeline luigid), name another with "
            f"--scheduler-url, or add --local-scheduler to do without ({text})"
        )
    if issubclass(kind, ParameterException):
        return _wrong_parameters(text)
    return None


def _wrong_parameters(text: str) -> str:
    """Luigi's line about the parameters of a task, with all that it needs and was not given."""
    found = re.match(r"(\w+)\[(.*)\]: requires the '(\w+)' parameter to be set", text)
    if not found:
        return f"{text} ({commands.write('run', 'TASK', '--help')} shows the parameters)"
    family, given, missing = found.groups()
    names = [missing]
    with contextlib.suppress(TaskClassException):
        names = [
            name
            for name, parameter in Register.get_task_cls(family).get_params()
            if f"'{name}': " not in given and not parameter.has_task_value(family, name)
        ]
    flags = " and ".join(f"--{name.replace('_', '-')}" for name in names or [missing])
    return f"{family} needs {flags} ({commands.write('run', family, '--help')} tells of each)"


def _unknown_task(text: str) -> str:
    """Luigi's line about a task's name, with the one that may be meant, or all."""
    found = re.match(r"No task (.*)\. (?:Did you mean:|Candidates are:)", text)
    if not found:
        return " ".join(text.split())
    names = task_names()
    others = did_you_mean(found[1], names) or f"; there are {', '.join(names)}"
    return f"No task {found[1]}{others}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _line_of_traceback(text: str) -> str | None:
    """The line for a user in a traceback as text: that of the exception that came last."""
    if raised := _last_raised(text):
        name, message = raised
        if kind := _exception_class(name):
            return _line(kind, message)
    return None


def _last_raised(text: str) -> tuple[str, str] | None:
    """What a traceback as text calls the exception that came last, and its message with notes."""
    for link in _CHAIN:
        text = text.rpartition(link)[2]
    lines = text.partition(_TRACEBACK)[2].splitlines()
    for number, line in enumerate(lines):
        # Frames are indented. Of what follows them only the first line names the class: a message
        # may have further lines, and these may quote another error.
        if line and not line[0].isspace():
            name, _, begin = line.partition(": ")
            return name.removesuffix(":"), "\n".join([begin, *lines[number + 1 :]])
    return None


def _exception_class(name: str) -> type[BaseException] | None:
    """The exception class that a traceback calls by this name, in any module that is imported."""
    for owner, attributes in _places(name):
        found: object = owner
        for attribute in attributes:
            found = getattr(found, attribute, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return None


def _places(name: str) -> Iterator[tuple[object, list[str]]]:
    """Modules that may hold the class, and its path in each."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return
    for length in range(len(parts) - 1, 0, -1):
        if module := sys.modules.get(".".join(parts[:length])):
            yield module, parts[length:]
    # Python leaves these two modules out.
    yield builtins, parts
    yield sys.modules.get("__main__"), parts
