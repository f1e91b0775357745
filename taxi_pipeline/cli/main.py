"""The parser of all commands, and what a user reads when one fails."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from taxi_pipeline import redaction
from taxi_pipeline.cli import (
    champion,
    compare,
    latest,
    luigid,
    plan,
    prune,
    score,
    serve,
    status,
    verify,
    write_config,
)
from taxi_pipeline.observability import failures


class Command(Protocol):
    """A module that is a command."""

    HELP: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""

    def run(self, options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
        """Do what was asked; the exit code."""


COMMANDS: dict[str, Command] = {
    "write-config": write_config,
    "plan": plan,
    "status": status,
    "champion": champion,
    "compare": compare,
    "score": score,
    "serve": serve,
    "latest": latest,
    "verify": verify,
    "prune": prune,
    "luigid": luigid,
}


_PLAIN = {"\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-", "\N{BOX DRAWINGS LIGHT UP AND RIGHT}": "`"}


def _write_plainly(error: UnicodeError) -> tuple[str, int]:
    """What a terminal that knows ASCII alone shows in place of a tree's lines, and of names."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    shown = (
        _PLAIN.get(letter, "|" if "\u2500" <= letter < "\u2580" else ascii(letter)[1:-1])
        for letter in error.object[error.start : error.end]
    )
    return "".join(shown), error.end


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 if it did what was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m taxi_pipeline",
        description="Tasks are run by Luigi: luigi --module taxi_pipeline RegisterModel --help",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {}
    for name, command in COMMANDS.items():
        parsers[name] = commands.add_parser(name, help=command.HELP)
        command.configure(parsers[name])

    options = parser.parse_args(arguments)
    codecs.register_error("taxi_pipeline.plain", _write_plainly)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="taxi_pipeline.plain")
    try:
        return COMMANDS[options.command].run(options, parsers[options.command])
    except BrokenPipeError:
        # The reader (head, a pager) has closed the pipe: nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("WARNING: SIGINT: ended; the same command begins again", file=sys.stderr)
        return 130
    except Exception as error:
        line = failures.error_line(error)
        if line is None:
            raise
        print(f"ERROR: {redaction.redact(line)}", file=sys.stderr)
        return 1
