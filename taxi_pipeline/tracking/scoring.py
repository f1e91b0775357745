"""MLflow's scoring server as a child process, which answers with one version on a given socket.

Several may listen on the same socket: the next version begins to answer before the one before it
ends, and no request finds nobody there.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.redaction import redact
from taxi_pipeline.tracking.packaged import fetch_packaged, packaged_environment
from taxi_pipeline.tracking.server import TrackingServer

PROGRAM = Path(__file__).with_name("scoring_program.py")

READY_SECONDS = 120.0
"""Seconds that a version is given to load; it takes three, and longer on a busy machine."""

END_SECONDS = 35.0
"""Seconds that a process is given to end; it gives its last requests 30."""


class ScoringProcesses:
    """Processes that answer with one version.

    Args:
        server: of the registry.
        model_name: the registered model.
        version: its version.
        folder: where the version's files are kept meanwhile; empty at first.
        workers: how many processes answer.
        threads: of each process's predictions.
    """

    def __init__(  # noqa: PLR0913  (each is a caller's to choose)
        self,
        server: TrackingServer,
        model_name: str,
        version: str,
        folder: Path,
        *,
        workers: int,
        threads: int,
    ) -> None:
        self.model_name, self.version = model_name, version
        self._folder, self._workers, self._threads = folder, workers, threads
        self._files = fetch_packaged(server, model_name, version, folder)
        self._running: list[subprocess.Popen[str]] = []

    def start(self, listening: socket.socket) -> None:
        """Start the processes that do not run, and wait until they answer.

        Args:
            listening: the socket on which they answer.

        Raises:
            InvalidTraining: the version does not load, or cannot predict.
        """
        self._running = [process for process in self._running if process.poll() is None]
        started = [self._start(listening) for _ in range(self._workers - len(self._running))]
        try:
            for process in started:
                self._wait_until_ready(process)
        except InvalidTraining:
            for process in started:
                process.kill()
                process.communicate()
            raise
        self._running += started

    @property
    def all_run(self) -> bool:
        """Whether as many answer as should."""
        return len(self._running) == self._workers and all(
            process.poll() is None for process in self._running
        )

    def end(self) -> None:
        """End the processes once they have answered what they have begun."""
        for process in self._running:
            with contextlib.suppress(BrokenPipeError):
                if process.stdin:
                    process.stdin.close()
        for process in self._running:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = []

    def _start(self, listening: socket.socket) -> subprocess.Popen[str]:
        number = listening.fileno()
        environment = packaged_environment(self._files)
        return subprocess.Popen(  # noqa: S603  (this interpreter, and files of our own)
            # -P: the modules beside the program are none of its own.
            [
                *(sys.executable, "-P", str(PROGRAM)),
                *(str(self._files), str(number), self.model_name, self.version),
            ],
            cwd=self._folder,
            env={**environment, "OMP_NUM_THREADS": str(self._threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(number,),
            # Ctrl-C is for the process that started it, which ends it in good order.
            start_new_session=True,
        )

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        output: Any = process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            said = output.readline() if selector.select(READY_SECONDS) else ""
        if said.strip() != "ready":
            why = said.strip() or f"no answer within {READY_SECONDS:.0f} seconds"
            name = f"version {self.version} of {self.model_name}"
            raise InvalidTraining(redact(f"{name} does not load as MLflow packaged it ({why})"))
