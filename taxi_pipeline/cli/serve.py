"""``serve`` answers requests with the champion."""

from __future__ import annotations

import argparse

from taxi_pipeline.cli.options import (
    add_config_flags,
    add_module_flag,
    apply_config_flags,
    import_modules,
    version_number,
)
from taxi_pipeline.model.recipes import get_recipe
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.score import CHAMPION
from taxi_pipeline.trips import TAXIS

HELP = "answer requests with the champion, and follow a promotion or rollback"

DESCRIPTION = """\
Starts MLflow's scoring server for the champion of a registered model, with the code that the
version was packaged with. When another version becomes champion, by a registration, a promotion or
a rollback, that one answers, without a request being lost. POST /invocations takes rows as TLC
publishes them (dataframe_split, dataframe_records, inputs); what it does not take is refused with
one line. GET /model says which version answers, and so does the header X-Model-Version.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = DESCRIPTION
    parser.add_argument("--taxi", choices=TAXIS, default="green", help="default: green")
    parser.add_argument("--recipe", default="trip", help="default: trip")
    parser.add_argument(
        "--model-version",
        type=version_number,
        default=CHAMPION,
        metavar="N",
        help="the version that answers, whoever is champion",
    )
    parser.add_argument("--address", dest="serving.address", help="interface to listen on")
    parser.add_argument("--port", dest="serving.port", help="port to listen on; 0 takes any")
    parser.add_argument("--workers", dest="serving.workers", help="processes that answer")
    add_module_flag(parser)
    add_config_flags(parser)


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Serve until a signal ends it.

    Raises:
        InvalidParameter: there is no champion, no such version, or the port is taken.
        InvalidRecipe: there is no such recipe.
        InvalidTraining: the version does not load.
        TrackingError: the registry does not answer.
    """
    from taxi_pipeline.runtime import serving

    import_modules(options)
    apply_config_flags(options)
    get_recipe(options.recipe)
    serving.run(model_name(options.taxi, options.recipe), options.model_version)
    return 0
