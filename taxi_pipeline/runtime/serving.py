"""The server that predicts with the champion, whoever that is."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from taxi_pipeline import config
from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.errors import InvalidParameter, TaxiPipelineError
from taxi_pipeline.processes import temporary_folder
from taxi_pipeline.redaction import RedactingFilter
from taxi_pipeline.runtime.champions import serving
from taxi_pipeline.tasks.base.ledgers import open_ledger
from taxi_pipeline.tasks.base.recipe import tracking_server
from taxi_pipeline.tasks.score import CHAMPION, choose_version

if TYPE_CHECKING:
    from taxi_pipeline.tracking.scoring import ScoringProcesses

logger = logging.getLogger("taxi_pipeline.serving")

RETRY_SECONDS = 60.0
"""Seconds before a version that did not load is tried again."""

MAX_RESTARTS = 5
"""A version whose processes end more often than this within :data:`RESTART_SECONDS` is given up."""

RESTART_SECONDS = 60.0


class Follower:
    """Answers requests with the champion of a registered model, and with the next one after it.

    Args:
        model_name: the registered model.
        listening: the socket on which it is asked.
        version: the version that answers, whoever is champion; :data:`CHAMPION` for the champion.
    """

    def __init__(self, model_name: str, listening: socket.socket, version: int = CHAMPION) -> None:
        self.model_name = model_name
        self._listening, self._asked = listening, version
        self._settings = config.serving()
        self._processes: ScoringProcesses | None = None
        self._folders = contextlib.ExitStack()
        self._failed: dict[str, float] = {}
        self._restarts: list[float] = []
        self._said = ""

    @property
    def version(self) -> str:
        """The version that answers; empty before the first."""
        return self._processes.version if self._processes else ""

    def look(self) -> None:
        """See who is champion and whether all processes run, and do what follows from it.

        A champion that cannot be asked for, or that does not load, leaves the version that answers
        where it is; that is said once.

        Raises:
            TaxiPipelineError: nothing answers, and nothing can.
        """
        try:
            wanted = self._wanted()
            if wanted != self.version and not self._failed_lately(wanted):
                self._change_to(wanted)
        except TaxiPipelineError as error:
            if self._processes is None:
                raise
            self._warn(f"{error}; version {self.version} goes on answering")
        else:
            self._said = self._said if wanted in self._failed else ""
        if self._processes and not self._processes.all_run:
            self._restart(self._processes)

    def end(self) -> None:
        """End once all requests that have begun are answered."""
        if self._processes:
            self._processes.end()
        self._folders.close()

    def _wanted(self) -> str:
        if self._asked == CHAMPION:
            champion = serving(open_ledger(self.model_name), notice=True).history.version
            if champion:
                return champion
        return choose_version(self.model_name, self._asked, None)

    def _failed_lately(self, version: str) -> bool:
        return time.monotonic() - self._failed.get(version, -RETRY_SECONDS) < RETRY_SECONDS

    def _change_to(self, version: str) -> None:
        """Let a version answer, and then end the one before it."""
        from taxi_pipeline.tracking.scoring import ScoringProcesses

        before, folders = self._processes, contextlib.ExitStack()
        try:
            processes = ScoringProcesses(
                tracking_server(),
                self.model_name,
                version,
                folders.enter_context(temporary_folder()),
                workers=self._settings.workers,
                threads=CoreShare(self._settings.workers).threads(config.training().threads),
            )
            processes.start(self._listening)
        except TaxiPipelineError:
            folders.close()
            self._failed[version] = time.monotonic()
            raise
        logger.info("version %s of %s answers", version, self.model_name)
        self._processes, self._restarts = processes, []
        if before:
            before.end()
            logger.info("version %s has ended, with all its requests answered", before.version)
        self._folders.close()
        self._folders = folders

    def _restart(self, processes: ScoringProcesses) -> None:
        now = time.monotonic()
        self._restarts = [when for when in self._restarts if now - when < RESTART_SECONDS] + [now]
        if len(self._restarts) > MAX_RESTARTS:
            raise InvalidParameter(
                f"the processes of version {self.version} of {self.model_name} end as soon as they "
                "are started: the lines above say why; promote another version, or see whether "
                "this machine has memory enough"
            )
        logger.warning("a process of version %s has ended: another is started", self.version)
        processes.start(self._listening)

    def _warn(self, line: str) -> None:
        if line != self._said:
            logger.warning(line)
        self._said = line


def run(model_name: str, version: int = CHAMPION) -> None:
    """Answer requests, as configured, until SIGTERM or SIGINT.

    Args:
        model_name: the registered model.
        version: the version that answers; by default the champion, whoever that is.

    Raises:
        TaxiPipelineError: the port cannot be used, there is no champion, or it does not load.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactingFilter())
    settings, ended = config.serving(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with _listening(settings.address, settings.port) as listening:
        follower = Follower(model_name, listening, version)
        try:
            follower.look()
            logger.info(
                "predictions at http://%s:%d/invocations; /model says which version answers",
                settings.address,
                listening.getsockname()[1],
            )
            while not ended.wait(settings.check_seconds):
                follower.look()
        finally:
            follower.end()
    logger.info("ended, with all requests answered")


@contextlib.contextmanager
def _listening(address: str, port: int) -> Iterator[socket.socket]:
    try:
        listening = socket.create_server((address, port), backlog=2048)
    except (OSError, OverflowError) as error:
        raise InvalidParameter(
            f"nothing can listen on {address} port {port} ({error}): end what uses it, or choose "
            "another with --port"
        ) from None
    with listening:
        yield listening
