"""Options of the configuration as flags of a command, named as Luigi names them."""

from __future__ import annotations

import argparse
import importlib
import shlex
from datetime import datetime

import luigi

from taxi_pipeline import config
from taxi_pipeline.errors import InvalidParameter, StorageError
from taxi_pipeline.evaluation.champions import parse_moment
from taxi_pipeline.redaction import redact
from taxi_pipeline.storage import Storage, open_storage

SHOWN = ("storage.root", "source.url", "tracking.uri")
"""The options that a command's help names; the others are listed by that of Luigi's command."""


def add_config_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option: ``--storage-root`` for ``[storage] root``."""
    group = parser.add_argument_group(
        "configuration", "every option of luigi.cfg is a flag, as it is for luigi, such as"
    )
    for section in config.SECTIONS:
        for name, parameter in section.get_params():
            option = f"{section.__name__}.{name}"
            group.add_argument(
                f"--{section.__name__}-{name}".replace("_", "-"),
                dest=option,
                metavar=name.upper(),
                help=parameter.description.replace("%", "%%")
                if option in SHOWN
                else argparse.SUPPRESS,
            )


def apply_config_flags(options: argparse.Namespace) -> None:
    """Set what was given, and check the whole configuration.

    Raises:
        InvalidConfig: a value is not usable.
    """
    configuration = luigi.configuration.get_config()
    for option, value in vars(options).items():
        section, dot, name = option.partition(".")
        if dot and value is not None:
            configuration.set(section, name, value.replace("%", "%%"))
    config.check()


def given_flags(options: argparse.Namespace) -> str:
    """The flags of the configuration that were given, as they are typed; empty if there are none.

    Secrets are masked.
    """
    words = []
    for option, value in vars(options).items():
        if "." in option and value is not None:
            words.append(f"--{option}".replace(".", "-").replace("_", "-"))
            words.append(shlex.quote(redact(value)))
    return " ".join(words)


def add_module_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--module``, which names modules with stages and recipes of one's own."""
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        help="import a module with stages or recipes of your own; may be given several times",
    )


def import_modules(options: argparse.Namespace) -> None:
    """Import the modules that were named.

    Raises:
        InvalidParameter: one cannot be imported.
    """
    for name in options.module:
        try:
            importlib.import_module(name)
        except Exception as error:  # a module may raise anything while it is imported
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise InvalidParameter(f"--module {name} cannot be imported: {cause}") from error


def moment(text: str) -> datetime:
    """The time that a person means, see :func:`taxi_pipeline.evaluation.champions.parse_moment`.

    Raises:
        argparse.ArgumentTypeError: the text is no time.
    """
    try:
        return parse_moment(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date: write 2021-06-15, or 2021-06-15T12:00"
        ) from None


def version_number(text: str) -> int:
    """The number of a version of a registered model.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no version: write 1 or more")
    return int(text)


def open_root() -> Storage:
    """The storage of the configured root.

    Raises:
        StorageError: the root is not there.
    """
    storage = open_storage(config.storage().root)
    if not (storage.exists("") or storage.list_dirs("")):
        raise StorageError(
            f"[storage] root {config.storage().root} is not there: check --storage-root, and the "
            "folder in which this is run"
        )
    return storage
