"""``luigid`` starts the central scheduler."""

from __future__ import annotations

import click

from taxi_pipeline.cli.options import apply_config_flags, config_option, examples

HELP = "Start the central scheduler."


@click.command(
    "luigid",
    short_help=HELP,
    epilog=examples(
        "luigid", "luigid --port 8083 --folder /srv/luigid --storage-root data", configuration=False
    ),
)
@config_option("--address", option="luigid.address", text="Interface to listen on.")
@config_option("--port", option="luigid.port", text="Port to listen on; 0 takes any.")
@config_option("--folder", option="luigid.folder", text="Folder of its state and history.")
@config_option("--storage-root", option="storage.root", text="Folder of the outputs that it shows.")
def command() -> None:
    """Start the central scheduler, which shows what runs and what was made, until it is stopped."""
    from taxi_pipeline.luigid import service

    apply_config_flags()
    service.run()
