"""The central scheduler: Luigi's own, with its state kept, its history, metrics and the outputs.

Luigi's ``luigid`` listens on every interface, keeps its state only if it ends by itself, and knows
nothing of what tasks make. Here it listens on loopback, the state is written every few seconds,
runs are kept in a database, Prometheus can read ``/metrics``, and ``/files/`` shows what is under
the storage root, so that each task on its page has a link to what it made.
"""

from __future__ import annotations

import asyncio
import configparser
import logging
import pickle
import signal
import socket
from pathlib import Path

import luigi.scheduler
import luigi.server
import tornado.web
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets

from taxi_pipeline import config
from taxi_pipeline.errors import SchedulerError
from taxi_pipeline.luigid import pages
from taxi_pipeline.observability import links
from taxi_pipeline.redaction import RedactingFilter, redact, register_url_secrets
from taxi_pipeline.storage import layout

logger = logging.getLogger("taxi_pipeline.luigid")

KEPT_EVERY = 5.0
"""Seconds between two writings of the state."""

PRUNED_EVERY = 5.0
"""Seconds between two looks for workers that are gone, and for what is too old."""

LOST_AFTER = 30
"""Seconds without a word from a worker, which pings every second, after which it is gone."""

# How long the page shows what no client works on any more, in seconds. Luigi's ten minutes are
# less than a night.
SHOWN_FOR = 7 * 24 * 3600


class Scheduler(luigi.scheduler.Scheduler):
    """Luigi's scheduler, whose state is written whole or not at all."""

    def dump(self) -> None:
        """Write the state."""
        file = Path(self._state._state_path)  # noqa: SLF001  (Luigi offers no other way)
        arriving = file.with_suffix(".new")
        arriving.write_bytes(pickle.dumps(self._state.get_state()))
        arriving.replace(file)


class Folder(tornado.web.RequestHandler):
    """A folder under the storage root, as a page."""

    def initialize(self, path: str) -> None:
        """Take the storage root."""
        self.root = Path(path)

    def get(self, location: str) -> None:
        """Answer with the page."""
        location = location.strip("/")
        folder = self.root / location
        if layout.is_hidden(location) or not folder.is_dir():
            raise tornado.web.HTTPError(404)
        self.finish(pages.folder(folder, location))

    head = get


class File(tornado.web.StaticFileHandler):
    """A file under the storage root, as it is; logs are text, to be read in the browser."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """The path of a file that may be shown; a folder's page has a slash at its end."""
        if layout.is_hidden(self.path):
            raise tornado.web.HTTPError(404)
        if Path(absolute_path).is_dir():
            self.redirect(f"{self.request.path}/")
            return None
        return super().validate_absolute_path(root, absolute_path)

    def get_content_type(self) -> str:
        """The type, by the file's name."""
        return (
            "text/plain; charset=utf-8"
            if self.path.endswith(".log")
            else super().get_content_type()
        )


def run() -> None:
    """Serve, as configured, until SIGTERM or SIGINT.

    Raises:
        SchedulerError: the port, the folder or the database cannot be used.
    """
    settings = config.luigid()
    folder = Path(settings.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=0):
            asyncio.run(_serve(settings, folder))
    except Timeout:
        raise SchedulerError(
            f"another scheduler keeps its state in {folder}: end that one, or set [luigid] folder"
        ) from None
    except OSError as error:
        raise SchedulerError(f"[luigid] folder {folder} cannot be used: {error}") from None


async def _serve(settings: config.luigid, folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactingFilter())
    # A line for each request of each worker, every second, would be one too many.
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    sockets = _listen(settings.address, settings.port)
    scheduler = _scheduler(folder)
    scheduler.load()
    application = luigi.server.app(scheduler)
    root = config.storage().local_folder
    if root is not None:
        shown = {"path": str(root)}
        folders, files = rf"/{links.FILES}/((?:.*/)?)", f"/{links.FILES}/(.*)"
        application.add_handlers(
            ".*",
            [
                (f"/{links.FILES}", tornado.web.RedirectHandler, {"url": f"/{links.FILES}/"}),
                (folders, Folder, shown),
                (files, File, shown),
            ],
        )
    HTTPServer(application).add_sockets(sockets)
    for what, seconds in ((scheduler.dump, KEPT_EVERY), (scheduler.prune, PRUNED_EVERY)):
        PeriodicCallback(what, 1000 * seconds).start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    logger.info(
        "scheduler at http://%s:%d with its page, /history, /metrics%s; state in %s",
        settings.address,
        sockets[0].getsockname()[1],
        f", /{links.FILES}/ of {root}" if root else "",
        folder,
    )
    await ended.wait()
    scheduler.dump()
    logger.info("scheduler ended, its state is kept in %s", folder)


def _listen(address: str, port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, address)
    except (OSError, OverflowError) as error:
        raise SchedulerError(
            f"no scheduler can listen on {address} port {port} ({error}): end what uses "
            "it, or choose another with --port"
        ) from None


def _scheduler(folder: Path) -> Scheduler:
    """The scheduler, as the user has configured it, and else with all that is kept."""
    configured = luigi.configuration.get_config()
    for section, option, value in (
        ("scheduler", "state_path", str(folder / "state.pickle")),
        ("scheduler", "record_task_history", "true"),
        ("scheduler", "metrics_collector", "prometheus"),
        ("scheduler", "remove_delay", str(SHOWN_FOR)),
        ("scheduler", "worker_disconnect_delay", str(LOST_AFTER)),
        # What was just made may be asked for again, with another configuration.
        ("scheduler", "stable_done_cooldown_secs", "0"),
        ("task_history", "db_connection", f"sqlite:///{folder / 'history.db'}"),
    ):
        if not configured.has_option(section, option):
            configured.set(section, option, value)
    try:
        database = configured.get("task_history", "db_connection")
    except configparser.Error as error:
        cause = " ".join(str(error).split())
        raise SchedulerError(f"[task_history] db_connection cannot be read: {cause}") from None
    register_url_secrets(database)
    try:
        return Scheduler()
    except (SQLAlchemyError, ImportError) as error:
        raise SchedulerError(
            f"[task_history] db_connection {redact(database)} cannot be used: "
            f"{redact(str(error).splitlines()[0])}; check the database and that its driver is "
            "installed (for PostgreSQL: pip install 'taxi_pipeline[postgresql]')"
        ) from None
