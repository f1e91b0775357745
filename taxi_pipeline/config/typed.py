"""What was typed for the present command that commands to be typed next need as well."""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import luigi

from taxi_pipeline import commands
from taxi_pipeline.commands import SCHEDULER_FLAGS, Given
from taxi_pipeline.config.sections import SECTIONS
from taxi_pipeline.errors import InvalidConfig
from taxi_pipeline.redaction import redact, redact_url

OWN_PACKAGE = "taxi_pipeline"
"""The module that the command imports by itself."""


def note(words: Sequence[str], *, has_scheduler: bool) -> None:
    """Have commands repeat what is among some words, for the rest of this process.

    Args:
        words: as they were typed, without the program's name.
        has_scheduler: whether they are those of a run, which has found its scheduler.
    """
    commands.repeat(functools.partial(_given, tuple(words), has_scheduler=has_scheduler))


@contextlib.contextmanager
def noted(words: Sequence[str], *, has_scheduler: bool) -> Iterator[None]:
    """The same within a block."""
    before = commands.repeat(functools.partial(_given, tuple(words), has_scheduler=has_scheduler))
    try:
        yield
    finally:
        commands.repeat(before)


class _NotOursError(Exception):
    """The words are not those of a command that takes our flags."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotOursError(message)


def _given(words: Sequence[str], *, has_scheduler: bool) -> Given:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--local-scheduler", action="store_true")
    for flag in SCHEDULER_FLAGS:
        parser.add_argument(flag, dest=flag)
    options = {}
    for section in SECTIONS:
        for name, parameter in section.get_params():
            flag = f"--{section.__name__}-{name}".replace("_", "-")
            options[flag] = parameter
            parser.add_argument(flag)
    try:
        found = vars(parser.parse_known_args(words)[0])
    except _NotOursError:
        return Given()
    given = {flag: found[flag[2:].replace("-", "_")] for flag in options}
    return Given(
        modules=[name for name in dict.fromkeys(found["module"]) if name != OWN_PACKAGE],
        options={flag: _shown(options[flag], v) for flag, v in given.items() if v is not None},
        scheduler=list(_scheduler(found, has_scheduler=has_scheduler)),
    )


def _shown(parameter: Any, value: str) -> str:
    """A value without what is secret in it."""
    with contextlib.suppress(InvalidConfig):  # such a value is refused elsewhere
        parameter.normalize(value)  # which registers its secrets
    return redact(redact_url(value)) if "://" in value else redact(value)


def _scheduler(found: dict[str, Any], *, has_scheduler: bool) -> Iterator[str]:
    """The flags by which the next run finds a scheduler, or does without a central one."""
    if found["local_scheduler"]:
        yield "--local-scheduler"
        return
    told = [(flag, found[flag]) for flag in SCHEDULER_FLAGS if found[flag]]
    for flag, value in told:
        yield flag
        yield redact_url(value) if "://" in value else value
    configured: Any = luigi.configuration.get_config()
    known = ("default_scheduler_url", "default_scheduler_host", "default_scheduler_port")
    if not (
        told
        or has_scheduler
        or configured.getboolean("core", "local_scheduler", False)
        or any(configured.has_option("core", option) for option in known)
    ):
        yield "--local-scheduler"
