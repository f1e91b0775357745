"""Options that commands share, those of the configuration among them, named as Luigi names them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import luigi

from taxi_pipeline import config
from taxi_pipeline.commands import PROGRAM
from taxi_pipeline.errors import InvalidParameter, StorageError
from taxi_pipeline.evaluation.champions import parse_moment
from taxi_pipeline.formatting import did_you_mean
from taxi_pipeline.month import Month
from taxi_pipeline.runtime import run_start
from taxi_pipeline.storage import Storage, open_storage
from taxi_pipeline.trips import TAXIS

SHOWN = ("storage.root", "source.url", "tracking.uri")
"""The options that a command's help names; the others are listed by that of Luigi's command."""

_GIVEN = "taxi_pipeline.given"

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]


def examples(*lines: str, configuration: bool = True) -> str:
    """The end of a command's help: what a person may type, and where the other flags are told."""
    typed = "\n".join(f"  {PROGRAM} {line}" for line in lines)
    more = (
        "\n\nEvery option of luigi.cfg is a flag as well: [cleaning] max_minutes is "
        f"--cleaning-max-minutes. {PROGRAM} write-config lists them."
    )
    return f"\b\nExamples:\n{typed}{more if configuration else ''}"


# --- the configuration ----------------------------------------------------------------------------


def config_option(*flags: str, option: str, text: str, hidden: bool = False) -> Decorator:
    """A flag that sets an option of the configuration.

    Args:
        flags: what is typed.
        option: what is set, as ``section.name``.
        text: the line for the help.
        hidden: whether the help leaves it out.
    """

    def keep(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta.setdefault(_GIVEN, {})[option] = value

    return click.option(
        *flags,
        expose_value=False,
        callback=keep,
        metavar=option.partition(".")[2].upper(),
        help=text,
        hidden=hidden,
    )


def configured(command: Function) -> Function:
    """Give a command ``--module``, and a flag for each option: ``--storage-root`` for ``root``.

    Before it runs, the modules are imported, and what was given is set and checked.
    """

    @functools.wraps(command)
    def run(*arguments: Any, module: tuple[str, ...], **values: Any) -> Any:
        import_modules(module)
        apply_config_flags()
        return command(*arguments, **values)

    decorated: Function = run
    for section in reversed(config.SECTIONS):
        for name, parameter in reversed(section.get_params()):
            option = f"{section.__name__}.{name}"
            decorated = config_option(
                f"--{section.__name__}-{name}".replace("_", "-"),
                option=option,
                text=parameter.description,
                hidden=option not in SHOWN,
            )(decorated)
    return module_option(decorated)


def apply_config_flags() -> None:
    """Set what was given, and check the whole configuration.

    Raises:
        InvalidConfig: a value is not usable.
    """
    configuration = luigi.configuration.get_config()
    for option, value in _given().items():
        section, _, name = option.partition(".")
        configuration.set(section, name, value.replace("%", "%%"))
    config.check()


def _given() -> dict[str, str]:
    """What was given to the command that runs, by option."""
    return dict(click.get_current_context().meta.get(_GIVEN, {}))


# --- modules of one's own -------------------------------------------------------------------------

module_option = click.option(
    "--module",
    multiple=True,
    metavar="MODULE",
    help="Import a module with stages or recipes of your own; may be given several times.",
)


def import_modules(names: tuple[str, ...]) -> None:
    """Import the modules that were named, those of the current folder among them.

    Raises:
        InvalidParameter: one cannot be imported.
    """
    here = str(Path.cwd())
    if names and here not in sys.path:
        sys.path.append(here)  # at the end: nothing in it hides what is installed
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a module may raise anything while it is imported
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            missing = getattr(error, "name", None) or ""
            advice = _advice(name, missing) if f"{name}.".startswith(f"{missing}.") else ""
            raise InvalidParameter(
                f"--module {name} cannot be imported: {cause}{advice}"
            ) from error


def _advice(name: str, missing: str) -> str:
    """What to do about a module that is not there.

    Args:
        name: of the module that was asked for.
        missing: the module itself, or the package in which it would be.
    """
    if name.endswith(".py") or "/" in name:
        plain = name.removesuffix(".py").strip("./").replace("/", ".")
        return f": a module is named without .py, and with dots: --module {plain}"
    parent, dot, _ = missing.rpartition(".")
    path = list(getattr(sys.modules[parent], "__path__", ())) if dot else None
    names = (f"{parent}{dot}{found.name}" for found in pkgutil.iter_modules(path))
    return did_you_mean(missing, names) or (
        f": be in the folder that holds {missing.partition('.')[0]}, or name that folder in the "
        "variable PYTHONPATH"
    )


# --- others ---------------------------------------------------------------------------------------

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
taxi_option = click.option(
    "--taxi", type=click.Choice(TAXIS), default="green", show_default=True, help="Whose trips."
)
recipe_option = click.option(
    "--recipe", metavar="NAME", default="trip", show_default=True, help="The recipe of the model."
)


def moment(text: str) -> datetime:
    """The time that a person means, see :func:`taxi_pipeline.evaluation.champions.parse_moment`.

    Raises:
        click.BadParameter: the text is no time.
    """
    try:
        return parse_moment(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no date: write 2021-06-15, or 2021-06-15T12:00"
        ) from None


def month(text: str) -> Month:
    """A month as a person writes it.

    Raises:
        click.BadParameter: the text is no month.
    """
    try:
        return Month.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def version_number(text: str) -> int:
    """The number of a version of a registered model.

    Raises:
        click.BadParameter: the text is no such number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"{text!r} is no version: write 1 or more")
    return int(text)


def open_root() -> Storage:
    """The storage of the configured root.

    Raises:
        StorageError: the root is not there.
    """
    storage = open_storage(config.storage().root)
    if not (storage.exists("") or storage.list_dirs("")):
        raise StorageError(
            f"[storage] root {run_start.root()} is not there: check --storage-root, and the folder "
            "in which this is run, whose luigi.cfg alone counts"
        )
    return storage
