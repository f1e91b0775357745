"""``score FILE`` writes what a registered model predicts for the rows of a file."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from taxi_pipeline import config
from taxi_pipeline.cli.options import (
    configured,
    examples,
    moment,
    open_root,
    recipe_option,
    taxi_option,
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

HELP = "Write what a registered model predicts for each row of a file."


def _level(text: str) -> float:
    try:
        return check_level(float(text))
    except InvalidParameter as error:
        raise click.BadParameter(str(error)) from None
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number: write 0.9 or so") from None


@click.command(
    "score",
    short_help=HELP,
    epilog=examples(
        "score data/ingest/green/2021-03/latest/trips.parquet -o predictions.parquet",
        "score rows.csv --model-version 3 --interval 0.9",
        "score rows.csv --champion-at 2021-06-15 --force",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="The Parquet file to write; by default <FILE>.predictions.parquet in the current folder.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@taxi_option
@recipe_option
@click.option(
    "--model-version",
    type=version_number,
    metavar="N",
    help="The version that predicts; by default the champion.",
)
@click.option(
    "--champion-at",
    type=moment,
    metavar="DATE",
    help="The champion at a time, such as 2021-06-15 (its end, in UTC) or 2021-06-15T12:00.",
)
@click.option(
    "--interval",
    type=_level,
    metavar="LEVEL",
    help="Also write low and high: that share of trips, such as 0.9, lies between them.",
)
@configured
def command(
    file: Path,
    output: Path | None,
    taxi: str,
    recipe: str,
    model_version: int | None,
    champion_at: datetime | None,
    interval: float | None,
    *,
    force: bool,
) -> None:
    """Write what a registered model predicts for each row of a file.

    Reads a file of rows as TLC publishes them, Parquet or CSV (by its name), batch by batch, and
    writes a Parquet file with a line for each row, in the same order: the row's number from 0, the
    published columns that identify the trip, and the predicted minutes; with --interval also the
    ends of an interval for each. Rows without pickup time or zones have no minutes, and are
    counted. The file's metadata name the model, its version and its candidate's key. The task
    ScoreTrips does the same for a published month, under the storage root.
    """
    if model_version and champion_at:
        raise click.UsageError("--model-version and --champion-at are two answers: give one.")
    from tqdm import tqdm

    open_root()
    source, target = _files(file, output, force=force)
    get_recipe(recipe)
    name = model_name(taxi, recipe)
    version = find_version(name, choose_version(name, model_version or CHAMPION, champion_at))
    threads = CoreShare().threads(config.training().threads)
    limit_library_threads(threads)
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tqdm(unit=" rows", unit_scale=True, desc="score", disable=None) as bar:

            def show(done: int, total: int | None) -> None:
                bar.total = total
                bar.update(done - bar.n)

            scored, loaded = score_rows(
                taxi,
                recipe,
                version,
                source,
                made,
                threads=threads,
                interval=interval,
                progress=show,
            )
        if force:
            made.replace(target)
        elif not rename_exclusive(made, target):
            raise _is_there(target)
    except OSError as error:
        if line := disk.explain(error, target.parent, "-o"):
            raise StorageError(line) from error
        raise
    finally:
        made.unlink(missing_ok=True)
    of_month = f" of {version.training_month}" if version.training_month else ""
    print(f"{target}: {summary(scored)} by version {version.version}{of_month} of {name}, {loaded}")


def _files(source: Path, named: Path | None, *, force: bool) -> tuple[Path, Path]:
    """The file to read and the file to write."""
    output = named or Path(f"{source.name}.predictions.parquet")
    if not source.is_file():
        raise InvalidParameter(f"{source} is no file: name one with rows as TLC publishes them")
    if not output.parent.is_dir():
        raise InvalidParameter(f"-o {output}: the folder {output.parent} is not there: make it")
    if output.is_dir():
        raise InvalidParameter(f"-o {output} is a folder: name a file in it")
    if output.exists() and output.samefile(source):
        raise InvalidParameter(f"-o {output} is the file that is read: name another")
    if output.exists() and not force:
        raise _is_there(output)
    return source, output


def _is_there(output: Path) -> InvalidParameter:
    return InvalidParameter(f"{output} is there: --force replaces it, -o names another file")
