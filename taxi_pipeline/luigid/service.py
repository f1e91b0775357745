"""The central scheduler as a process: Luigi's own, with saved state, history, metrics and files.

Luigi's ``luigid`` listens on every interface, saves its state only when it ends in good order, and
knows nothing of outputs. This one listens on loopback, saves its state every few seconds, keeps
runs in a database, offers ``/metrics`` to Prometheus, and shows the storage root under ``/files/``,
so that each task on its page links to its output.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
from pathlib import Path

from filelock import FileLock, Timeout
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets

from taxi_pipeline import config
from taxi_pipeline.errors import SchedulerError
from taxi_pipeline.luigid.access import Access
from taxi_pipeline.luigid.application import create_application
from taxi_pipeline.luigid.scheduler import create_scheduler
from taxi_pipeline.observability import links
from taxi_pipeline.redaction import RedactingFilter

logger = logging.getLogger("taxi_pipeline.luigid")

STATE_SAVE_SECONDS = 5.0
"""Seconds between two writes of the state."""

PRUNE_SECONDS = 5.0
"""Seconds between two removals of lost workers and of tasks that are too old to be shown."""

MAX_REQUEST_BYTES = 16 * 1024 * 1024
"""The largest request that is read: a task with its parameters and its traceback is smaller."""


def run() -> None:
    """Serve, as configured, until SIGTERM or SIGINT.

    Raises:
        SchedulerError: the port, the folder or the database cannot be used.
    """
    settings = config.luigid()
    folder = Path(settings.folder)
    try:
        # What it keeps names servers, which is not for everybody.
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
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
    # Each worker asks every second: a line for each request would bury the others.
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    sockets = _listen(settings.address, settings.port)
    scheduler = create_scheduler(folder)
    scheduler.load()
    root = config.storage().local_folder
    access = Access(settings.host_names, settings.password, settings.address)
    application = create_application(scheduler, root, access)
    HTTPServer(application, max_body_size=MAX_REQUEST_BYTES).add_sockets(sockets)
    PeriodicCallback(scheduler.dump, 1000 * STATE_SAVE_SECONDS).start()
    PeriodicCallback(scheduler.prune, 1000 * PRUNE_SECONDS).start()
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
    if not settings.password and not all(_is_loopback(one) for one in sockets):
        logger.warning(
            "whoever reaches %s may change what the scheduler knows: set [luigid] password, or let "
            "others in through a proxy that asks for one",
            settings.address,
        )
    await ended.wait()
    scheduler.dump()
    logger.info("scheduler ended, its state is kept in %s", folder)


def _is_loopback(listening: socket.socket) -> bool:
    address = listening.getsockname()[0].partition("%")[0]
    return ipaddress.ip_address(address).is_loopback


def _listen(address: str, port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, address)
    except (OSError, OverflowError) as error:
        raise SchedulerError(
            f"no scheduler can listen on {address} port {port} ({error}): end what uses "
            "it, or choose another with --port"
        ) from None
