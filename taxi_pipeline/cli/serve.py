"""``serve`` answers requests with the champion."""

from __future__ import annotations

import click

from taxi_pipeline.cli.options import (
    config_option,
    configured,
    examples,
    recipe_option,
    taxi_option,
    version_number,
)
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.score import CHAMPION

HELP = "Answer requests with the champion, and follow a promotion or rollback."


@click.command(
    "serve",
    short_help=HELP,
    epilog=examples("serve", "serve --recipe pretrip --port 5002", "serve --model-version 3"),
)
@taxi_option
@recipe_option
@click.option(
    "--model-version",
    type=version_number,
    metavar="N",
    help="The version that answers, whoever is champion.",
)
@config_option("--address", option="serving.address", text="Interface to listen on.")
@config_option("--port", option="serving.port", text="Port to listen on; 0 takes any.")
@config_option("--workers", option="serving.workers", text="Processes that answer.")
@configured
def command(taxi: str, recipe: str, model_version: int | None) -> None:
    """Answer requests with the champion, and follow a promotion or rollback, until it is stopped.

    Starts MLflow's scoring server for the champion of a registered model, with the code that the
    version was packaged with. When another version becomes champion, by a registration, a promotion
    or a rollback, that one answers, without a request being lost. POST /invocations takes rows as
    TLC publishes them (dataframe_split, dataframe_records, inputs); what it does not take is
    refused with one line. GET /model says which version answers, and so does the header
    X-Model-Version.
    """
    from taxi_pipeline.runtime import serving

    get_recipe(recipe)
    serving.run(model_name(taxi, recipe), model_version or CHAMPION)
