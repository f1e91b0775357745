"""Dask clusters of real processes on loopback."""

import contextlib
import os
import signal
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
