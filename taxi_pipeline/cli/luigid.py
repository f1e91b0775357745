"""``luigid`` starts the central scheduler."""

from __future__ import annotations

import argparse

import luigi

from taxi_pipeline import config

HELP = "start the central scheduler"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--address", help="interface to listen on")
    parser.add_argument("--port", help="port to listen on; 0 takes any")
    parser.add_argument("--folder", help="folder of its state and history")
    parser.add_argument("--storage-root", help="folder of the outputs that it shows")


def run(options: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Serve until a signal ends it."""
    from taxi_pipeline.luigid import service

    given = {
        ("luigid", "address"): options.address,
        ("luigid", "port"): options.port,
        ("luigid", "folder"): options.folder,
        ("storage", "root"): options.storage_root,
    }
    for (section, option), value in given.items():
        if value is not None:
            luigi.configuration.get_config().set(section, option, value.replace("%", "%%"))
    config.check()
    service.run()
    return 0
