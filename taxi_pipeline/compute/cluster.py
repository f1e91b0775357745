"""A Dask cluster that work is sent to. Nothing else imports Dask, and this where one is set."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from taxi_pipeline.compute.cluster_executor import ClusterExecutor
from taxi_pipeline.compute.cluster_versions import check_versions
from taxi_pipeline.errors import ClusterError

Result = TypeVar("Result")

CONNECT_SECONDS = 5.0
"""Seconds that the scheduler may take to answer, and a first worker to be there."""

NO_WORKERS_SECONDS = 60.0
"""Seconds that a cluster may be without workers while it has work of this process."""

SILENT_SECONDS = 60.0
"""Seconds that a scheduler whose connection stands may leave questions without an answer."""

PROBE_SECONDS = 5.0
"""Seconds between two such questions, and for the answer to one."""


@contextlib.contextmanager
def connect(scheduler: str) -> Iterator[Cluster]:
    """A connection to a cluster, which ends with the block, and with it what still runs there.

    Args:
        scheduler: the address of the cluster's scheduler.

    Raises:
        ClusterError: Dask is not installed, nothing answers, or the cluster does not suit.
    """
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            f"`scheduler` is {scheduler}, and Dask cannot be imported here ({error}): "
            "pip install 'taxi_pipeline[dask]'"
        ) from error

    # Its lines are about its own workings: what matters of them is raised.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # A month's columns in the message that asks for work on them survive the worker's death.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
        try:
            _knock(scheduler)
            client: Any = Client(  # type: ignore[no-untyped-call]
                scheduler, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except Exception as error:
            raise _unreachable(scheduler, error) from error
        try:
            cluster = Cluster(client, scheduler)
            with cluster.watched():
                try:
                    cluster.wait_for(1, CONNECT_SECONDS)
                    check_versions(client, scheduler)
                except OSError as error:
                    raise _unreachable(scheduler, error) from error
                yield cluster
        finally:
            # A scheduler that is silent takes no leave either.
            with contextlib.suppress(TimeoutError):
                client.close(timeout=CONNECT_SECONDS)


def _knock(scheduler: str) -> None:
    """Connect and hang up.

    Dask would try again for seconds and hide why it could not, and would wait for the first word of
    a server for ever: a scheduler speaks first.

    Raises:
        OSError: nothing is there, or it is silent.
        TypeError: certificates are needed, and none are configured.
    """
    from distributed.security import Security

    parts = urlsplit(scheduler)
    security: Any = Security
    encrypted = security().get_connection_args("client")["ssl_context"]
    if parts.scheme == "tls" and encrypted is None:
        raise TypeError("no certificates are configured")
    with contextlib.ExitStack() as ends:
        server: socket.socket = ends.enter_context(
            socket.create_connection((parts.hostname, parts.port), CONNECT_SECONDS)
        )
        if parts.scheme == "tls":
            server = ends.enter_context(encrypted.wrap_socket(server))
        if not server.recv(1):
            raise ConnectionError("it hung up")


def _unreachable(scheduler: str, error: Exception) -> ClusterError:
    encrypted = (
        "; certificates are set in Dask's configuration (distributed.comm.tls)"
        if scheduler.lower().startswith("tls")
        else ""
    )
    return ClusterError(
        f"no Dask cluster answers at {scheduler} ({_line(error)}): start it with `dask scheduler`, "
        f"or change `scheduler`{encrypted}"
    )


class Cluster:
    """A cluster that this process is connected to.

    Attributes:
        scheduler: its address.
    """

    def __init__(self, client: Any, scheduler: str) -> None:
        self.client = client
        self.scheduler = scheduler
        self._lost = ""
        self._futures: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def dashboard(self) -> str:
        """The URL of its web page; empty if it has none."""
        try:
            return str(self.client.dashboard_link or "")
        except KeyError:  # its scheduler was started with --no-dashboard
            return ""

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands and is in use, as far as is known."""
        return not self._lost and self.client.status == "running"

    def workers(self) -> list[str]:
        """The addresses of the workers that are there, in the order of the workers' names.

        Raises:
            ClusterError: the cluster was lost.
        """
        try:
            found = self.client.scheduler_info(n_workers=-1)["workers"]
        except Exception as error:
            raise self.failure(error) from error
        if not self.is_connected:  # then Dask answers with what it knew last
            raise self.failure(ConnectionError())
        return sorted(found, key=lambda address: (str(found[address]["name"]), address))

    def wait_for(self, workers: int, seconds: float) -> None:
        """Wait until so many workers are there, or for so long.

        Raises:
            ClusterError: there is none at all.
        """
        try:
            self.client.wait_for_workers(workers, timeout=seconds)
        except TimeoutError:
            pass
        except Exception as error:
            raise self.failure(error) from error
        if not self.workers():
            raise ClusterError(
                f"the Dask cluster at {self.scheduler} has no workers: start some with "
                f"`dask worker {self.scheduler}`"
            )

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What a function answers that runs on a worker; another takes over if the worker dies.

        Raises:
            ClusterError: the cluster was lost, or workers died with it again and again.
            TaxiPipelineError: the function's own.
        """
        from distributed.scheduler import KilledWorker

        future = self.submit(function, *arguments)
        try:
            result: Result = future.result()
        except (KilledWorker, CancelledError) as error:
            raise self.failure(error) from error
        except OSError as error:
            if not self.is_connected:
                raise self.failure(error) from error
            raise ClusterError(
                f"a worker of the Dask cluster at {self.scheduler} failed ({_line(error)}): look "
                "into its log, and run again"
            ) from error
        return result

    def submit(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Dask's own future of a call; one among the arguments stands for its result.

        Raises:
            ClusterError: the cluster was lost.
        """
        if not self.is_connected:  # then Dask would wait until the scheduler is back
            raise self.failure(ConnectionError())
        future = self.client.submit(function, *arguments, pure=False, **named)
        self._futures.add(future)
        return future

    def executor(self, once: tuple[str, ...] = ()) -> Executor:
        """An executor of the cluster, see :class:`ClusterExecutor`.

        Args:
            once: fields of what is submitted that are sent once.
        """
        return ClusterExecutor(self.submit, self.failure, once)

    def failure(self, error: BaseException) -> ClusterError:
        """The error for something that went wrong not in the work, but around it."""
        from distributed.scheduler import KilledWorker

        if self._lost:
            return ClusterError(self._lost)
        if isinstance(error, KilledWorker):
            return ClusterError(
                f"{error.allowed_failures + 1} workers of the Dask cluster at {self.scheduler} "
                "died one after the other with the same work, of too little memory perhaps: look "
                "into their logs, give them more, and run again"
            )
        # Where the connection is gone, what fails first is chance and says nothing.
        how = _line(error) if self.is_connected else "its scheduler answers no more"
        return ClusterError(self._gone(how))

    def _gone(self, how: str) -> str:
        return (
            f"the Dask cluster at {self.scheduler} was lost ({how}): see that it runs, and run "
            "again"
        )

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, work is given up where the cluster is silent, or without workers, for a while."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), name="dask", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()

    def _hang_up(self) -> None:
        """End all that waits for the scheduler, as if it had closed the connections."""
        self.client.scheduler_comm.comm.abort()
        self.client.rpc.remove(self.client.scheduler.addr, reason="no answer")

    def _watch(self, ended: threading.Event) -> None:
        pause = min(PROBE_SECONDS, NO_WORKERS_SECONDS / 4, SILENT_SECONDS / 4)
        last_seen, silent = time.monotonic(), 0.0
        while not ended.wait(pause):
            try:
                workers = self.client.sync(self.client.scheduler.ncores, callback_timeout=pause)
            except Exception:  # noqa: BLE001  (whatever it is, it is no answer)
                if not self.is_connected:  # futures end by themselves
                    return
                # Not by the clock: that would blame the scheduler where this process was stopped.
                silent += 2 * pause
                if silent >= SILENT_SECONDS:
                    self._lost = self._gone(
                        f"its scheduler has not answered for {SILENT_SECONDS:.0f} seconds"
                    )
                    self.client.loop.add_callback(self._hang_up)
                    return
                continue
            silent = 0.0
            if workers:
                last_seen = time.monotonic()
            if time.monotonic() - last_seen > NO_WORKERS_SECONDS:
                self._lost = (
                    f"the Dask cluster at {self.scheduler} has had no workers for "
                    f"{NO_WORKERS_SECONDS:.0f} seconds: start some with "
                    f"`dask worker {self.scheduler}`, and run again"
                )
                self.client.cancel(list(self._futures), force=True)
                return


def _line(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
