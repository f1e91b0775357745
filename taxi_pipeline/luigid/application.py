"""The web application: Luigi's pages and interface, and the files under the storage root."""

from __future__ import annotations

from pathlib import Path

import luigi.server
import tornado.web

from taxi_pipeline.luigid import files
from taxi_pipeline.luigid.scheduler import Scheduler


def create_application(scheduler: Scheduler, root: Path | None) -> tornado.web.Application:
    """The application of a scheduler.

    Args:
        scheduler: what it shows and what clients ask.
        root: the storage root, if it is a folder of this machine.
    """
    application: tornado.web.Application = luigi.server.app(scheduler)
    if root is not None:
        application.add_handlers(".*", files.routes(root))
    return application
