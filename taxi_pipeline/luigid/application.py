"""The web application: Luigi's pages and interface, and the files under the storage root."""

from __future__ import annotations

from pathlib import Path

import luigi.server
import tornado.web

from taxi_pipeline.luigid import files, visualiser
from taxi_pipeline.luigid.access import Access, GuardedRouter
from taxi_pipeline.luigid.api import ApiHandler
from taxi_pipeline.luigid.headers import SecurityHeaders
from taxi_pipeline.luigid.scheduler import Scheduler


def create_application(scheduler: Scheduler, root: Path | None, access: Access) -> GuardedRouter:
    """The application of a scheduler.

    Args:
        scheduler: what it shows and what clients ask.
        root: the storage root, if it is a folder of this machine.
        access: who may ask.
    """
    application: tornado.web.Application = luigi.server.app(scheduler)
    application.settings["template_loader"] = visualiser.templates()
    application.add_transform(SecurityHeaders)
    application.add_handlers(
        ".*",
        [
            (r"/api/(.*)", ApiHandler, {"scheduler": scheduler}),
            *visualiser.routes(scheduler),
            *(files.routes(root) if root is not None else ()),
        ],
    )
    return GuardedRouter(application, access)
