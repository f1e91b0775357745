"""Commands that a person is told to type: they work as they are printed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PROGRAM = "taxi-pipeline"

SCHEDULER_FLAGS = ("--scheduler-url", "--scheduler-host", "--scheduler-port")
"""The flags that say where the central scheduler is."""


@dataclass(frozen=True)
class Given:
    """What the present command was given that the next one needs as well; nothing of it is secret.

    Attributes:
        modules: that were imported, in order.
        options: the flags of the configuration, such as ``--storage-root``, with their values.
        scheduler: the flags by which a run finds its scheduler.
    """

    modules: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    scheduler: Sequence[str] = ()


_given: Callable[[], Given] = Given


def repeat(teller: Callable[[], Given]) -> Callable[[], Given]:
    """Have commands repeat what the present one was given.

    Args:
        teller: tells it, when a command is written.

    Returns:
        What told it before.
    """
    global _given
    before, _given = _given, teller
    return before


def given() -> Given:
    """What the present command was given."""
    return _given()


def write(*words: str) -> str:
    """A command for a shell, with what the present command was given behind it.

    A flag that is among the words is not repeated; what asks for help needs the modules alone.

    Args:
        words: behind the program's name, such as ``run``, a task and its flags.
    """
    now = given()
    named = {word.partition("=")[0] for word in words if word.startswith("--")}
    line = [PROGRAM, *words]
    for module in now.modules:
        line += ["--module", module]
    if "--help" in words:
        return shlex.join(line)
    for flag, value in now.options.items():
        if flag not in named:
            line += [flag, value]
    if words[:1] == ("run",) and not named & {"--local-scheduler", *SCHEDULER_FLAGS}:
        line += now.scheduler
    return shlex.join(line)
