"""``score FILE`` writes what a registered model predicts for the rows of a file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from taxi_pipeline import config
from taxi_pipeline.cli.options import (
    add_config_flags,
    add_module_flag,
    apply_config_flags,
    import_modules,
    moment,
    open_root,
    version_number,
)
from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.errors import InvalidParameter, StorageError
from taxi_pipeline.model.levels import check_level
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.runtime.resources import limit_library_threads
from taxi_pipeline.storage import disk, rename_exclusive
from taxi_pipeline.tasks.base.ledgers import find_version
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.score import CHAMPION, choose_version, score_rows, summary
from taxi_pipeline.trips import TAXIS

HELP = "write what a registered model predicts for each row of a file"

DESCRIPTION = """\
Reads a file of rows as TLC publishes them, Parquet or CSV (by its name), batch by batch, and writes
a Parquet file with a line for each row, in the same order: the row's number from 0, the published
columns that identify the trip, and the predicted minutes; with --interval also the ends of an
interval for each. Rows without pickup time or zones have no
minutes, and are counted. The file's metadata name the model, its version and its candidate's key.
The task ScoreTrips does the same for a published month, under the storage root.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = DESCRIPTION
    parser.add_argument("file", type=Path, metavar="FILE", help="the rows, Parquet or CSV")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the Parquet file to write; by default <FILE>.predictions.parquet",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT if it is there")
    parser.add_argument("--taxi", choices=TAXIS, default="green", help="default: green")
    parser.add_argument("--recipe", default="trip", help="default: trip")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--model-version",
        type=version_number,
        default=CHAMPION,
        metavar="N",
        help="the version that predicts; by default the champion",
    )
    which.add_argument(
        "--champion-at",
        type=moment,
        metavar="DATE",
        help="the champion at a time, such as 2021-06-15 (its end, in UTC) or 2021-06-15T12:00",
    )
    parser.add_argument(
        "--interval",
        type=_level,
        metavar="LEVEL",
        help="also write low and high: that share of trips, such as 0.9, lies between them",
    )
    add_module_flag(parser)
    add_config_flags(parser)


def _level(text: str) -> float:
    try:
        return check_level(float(text))
    except InvalidParameter as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: write 0.9 or so") from None


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Write the predictions; the last line says where they are, and by which version.

    Raises:
        InvalidParameter: there is no such file or version, the version has no intervals, or the
            output is there already.
        InvalidRecipe: there is no such recipe.
        InvalidRecords: the file cannot be read or understood.
        InvalidTraining: the version can be loaded in no way.
        TrackingError: the registry is needed and does not answer.
        StorageError: the root is not there, or a file cannot be read or written.
    """
    import_modules(options)
    apply_config_flags(options)
    open_root()
    source, output = _files(options)
    taxi, recipe = options.taxi, options.recipe
    get_recipe(recipe)
    name = model_name(taxi, recipe)
    version = find_version(name, choose_version(name, options.model_version, options.champion_at))
    threads = CoreShare().threads(config.training().threads)
    limit_library_threads(threads)
    made = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        scored, loaded = score_rows(
            taxi,
            recipe,
            version,
            source,
            made,
            threads=threads,
            interval=options.interval,
            progress=lambda *_: None,
        )
        if options.force:
            made.replace(output)
        elif not rename_exclusive(made, output):
            raise _is_there(output)
    except OSError as error:
        if line := disk.explain(error, output.parent, "-o"):
            raise StorageError(line) from error
        raise
    finally:
        made.unlink(missing_ok=True)
    of_month = f" of {version.training_month}" if version.training_month else ""
    print(f"{output}: {summary(scored)} by version {version.version}{of_month} of {name}, {loaded}")
    return 0


def _files(options: argparse.Namespace) -> tuple[Path, Path]:
    """The file to read and the file to write."""
    source: Path = options.file
    output: Path = options.output or source.with_name(f"{source.name}.predictions.parquet")
    if not source.is_file():
        raise InvalidParameter(f"{source} is no file: name one with rows as TLC publishes them")
    if not output.parent.is_dir():
        raise InvalidParameter(f"-o {output}: the folder {output.parent} is not there: make it")
    if output.is_dir():
        raise InvalidParameter(f"-o {output} is a folder: name a file in it")
    if output.exists() and output.samefile(source):
        raise InvalidParameter(f"-o {output} is the file that is read: name another")
    if output.exists() and not options.force:
        raise _is_there(output)
    return source, output


def _is_there(output: Path) -> InvalidParameter:
    return InvalidParameter(f"{output} is there: --force replaces it, -o names another file")
