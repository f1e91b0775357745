"""Dask clusters of real processes on loopback."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from places import REPOSITORY

from taxi_pipeline.tuning.trial_run import TrialRun


@contextlib.contextmanager
def local_cluster(workers=2):
    """A cluster whose workers are processes with a thread each; they end with the block.

    They can import the modules of the tests, which work may be a function of.
    """
    pytest.importorskip("distributed", reason="Dask is not installed")
    from distributed import LocalCluster

    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(REPOSITORY)
        with LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as running:
            yield running


@dataclass(frozen=True)
class SeparateCluster:
    """A cluster of which the scheduler is a process of its own, as it is in real ones.

    Attributes:
        address: the scheduler's.
        scheduler: its process.
    """

    address: str
    scheduler: subprocess.Popen

    def kill(self):
        """End the scheduler as a crash of its machine does."""
        self.scheduler.kill()

    def freeze(self):
        """Let the scheduler keep its connections and answer nothing."""
        self.scheduler.send_signal(signal.SIGSTOP)


@pytest.fixture
def separate_cluster(tmp_path):
    """A cluster of two workers whose scheduler a test may end."""
    pytest.importorskip("distributed", reason="Dask is not installed")
    file, started = tmp_path / "scheduler.json", []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        return process

    try:
        options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        scheduler = start("scheduler", *options)
        start(
            *("worker", "--scheduler-file", str(file), "--local-directory", str(tmp_path)),
            *("--nworkers", "2", "--nthreads", "1", "--death-timeout", "60"),
        )
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        with distributed_client(address) as client:
            client.wait_for_workers(2, timeout=60)
        yield SeparateCluster(address, scheduler)
    finally:
        for process in started:  # with the processes of its workers
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def distributed_client(address):
    """Dask's own client."""
    from distributed import Client

    return Client(address, set_as_default=False)


@pytest.fixture(scope="session")
def dask_cluster():
    """A cluster of two workers, of which none is killed."""
    with local_cluster() as running:
        yield running


@pytest.fixture
def fresh_cluster():
    """A cluster of its own, for a test that kills workers: they may not be back for the next."""
    with local_cluster() as running:
        yield running


@pytest.fixture
def impatient():
    """A connection to a cluster that gives work up when two workers have died with it.

    It has more of them: a nanny whose worker dies as it starts gives up as well.
    """
    pytest.importorskip("distributed", reason="Dask is not installed")
    import dask

    from taxi_pipeline.compute.cluster import connect

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        local_cluster(4) as running,
        connect(running.scheduler_address) as cluster,
    ):
        yield cluster


def kill_this_worker():
    """End the process of the worker that calls it, as the kernel does where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_this_worker_once(marker):
    """The same the first time that it is called; the file says that it was."""
    if not marker.exists():
        marker.touch()
        kill_this_worker()
    return os.getpid()


def worker_that_trains(client):
    """The address of a worker in the midst of XGBoost's rounds; fails after a minute.

    Not before its first round: XGBoost's tracker may abort the scheduler's process, here that of
    the tests, where a worker dies while the workers get to know each other.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for address, stack in client.call_stack().items():
            if any("in update" in frame for frames in stack.values() for frame in frames):
                return address
        time.sleep(0.02)
    return pytest.fail("no worker began to train")


@dataclass(frozen=True)
class Deadly(TrialRun):
    """A trial that kills its worker: the first one where there is a marker, or each."""

    marker: Path | None = None

    def __call__(self):
        if self.marker is None:
            kill_this_worker()
        kill_this_worker_once(self.marker)
        return super().__call__()


@pytest.fixture
def no_cluster():
    """The address of a cluster that is not there."""
    pytest.importorskip("distributed", reason="Dask is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"
