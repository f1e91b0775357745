"""``luigid`` starts the central scheduler."""

from __future__ import annotations

import argparse

from taxi_pipeline.cli.options import apply_config_flags

HELP = "start the central scheduler"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--address", dest="luigid.address", help="interface to listen on")
    parser.add_argument("--port", dest="luigid.port", help="port to listen on; 0 takes any")
    parser.add_argument("--folder", dest="luigid.folder", help="folder of its state and history")
    parser.add_argument(
        "--storage-root", dest="storage.root", help="folder of the outputs that it shows"
    )


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Serve until a signal ends it."""
    from taxi_pipeline.luigid import service

    apply_config_flags(options)
    service.run()
    return 0
