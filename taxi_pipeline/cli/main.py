"""The command that has all others, and what a user reads when one fails."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Sequence

import click
from click.exceptions import Exit, NoArgsIsHelpError
from click.shell_completion import shell_complete

from taxi_pipeline import redaction
from taxi_pipeline.cli import (
    champion,
    compare,
    latest,
    luigid,
    plan,
    prune,
    run,
    score,
    serve,
    status,
    verify,
    write_config,
)
from taxi_pipeline.commands import PROGRAM
from taxi_pipeline.config import typed
from taxi_pipeline.observability import failures

_COMPLETE = "_TAXI_PIPELINE_COMPLETE"

EPILOG = f"""\
\b
In a folder without luigi.cfg, data are written to data/; {PROGRAM} write-config explains all.
For completion of commands and options with the tab key, put this into ~/.bashrc:
  eval "$({_COMPLETE}=bash_source {PROGRAM})"
(zsh_source for ~/.zshrc, fish_source for fish).
"""


class _Commands(click.Group):
    """Commands in the order in which they were added, which is that in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        return list(self.commands)


@click.group(
    cls=_Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="taxi_pipeline", prog_name=PROGRAM)
def cli() -> None:
    """Turn NYC taxi trips into registered models of trip duration.

    run makes what a task needs, by Luigi; the others tell and mend what there is.
    """


for module in (
    run,
    plan,
    status,
    champion,
    compare,
    score,
    serve,
    latest,
    verify,
    prune,
    luigid,
    write_config,
):
    cli.add_command(module.command)


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
    codecs.register_error("taxi_pipeline.plain", _write_plainly)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="taxi_pipeline.plain")
    if instruction := os.environ.get(_COMPLETE):
        return shell_complete(cli, {}, PROGRAM, _COMPLETE, instruction)
    words = sys.argv[1:] if arguments is None else arguments
    # A run finds its scheduler, or ends.
    has_scheduler = [*words[:1]] == ["run"] and "--dry-run" not in words
    try:
        with typed.noted(words, has_scheduler=has_scheduler):
            return _run(words)
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


def _run(arguments: Sequence[str]) -> int:
    """Run a command. What is wrong with what was typed is told in one line.

    Not click's own main(), which would give a closed pipe and Ctrl-C exit codes of its own.
    """
    try:
        with cli.make_context(PROGRAM, [*arguments]) as context:
            code: int | None = cli.invoke(context)
    except Exit as ended:
        return ended.exit_code
    except NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else PROGRAM
        text = redaction.redact(" ".join(error.format_message().split()))
        print(f"ERROR: {text} ({command} --help shows what it takes)", file=sys.stderr)
        return error.exit_code
    return code or 0
