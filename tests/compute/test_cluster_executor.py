"""An executor whose calls run on a Dask cluster of real processes."""

import os
import signal
from dataclasses import dataclass

import dask_clusters
import pytest
from dask_clusters import local_cluster

from taxi_pipeline.compute import cluster as clusters
from taxi_pipeline.errors import ClusterError

pytest.importorskip("distributed", reason="Dask is not installed")


@pytest.fixture(scope="module")
def connected(dask_cluster):
    with clusters.connect(dask_cluster.scheduler_address) as cluster:
        yield cluster


@dataclass(frozen=True)
class Sum:
    """What an executor is given: `large` is the same each time."""

    number: int
    large: tuple

    def __call__(self):
        if self.number < 0:
            raise ValueError("a negative number")
        return self.number + sum(self.large), id(self.large), os.getpid()


@dataclass(frozen=True)
class Killing:
    marker: object

    def __call__(self):
        return dask_clusters.kill_this_worker_once(self.marker)


@dataclass(frozen=True)
class Deadly:
    def __call__(self):
        dask_clusters.kill_this_worker()


def test_an_executor_sends_a_worker_what_calls_have_in_common_once(connected):
    large = tuple(range(1000))
    executor = connected.executor(once=("large",))
    futures = [executor.submit(Sum(number, large)) for number in range(8)]
    answers = [future.result(timeout=60) for future in futures]
    assert [total for total, *_ in answers] == [number + sum(large) for number in range(8)]
    assert len({process for *_, process in answers}) == len({answer[1:] for answer in answers})


def test_an_executor_passes_on_what_a_call_raises(connected):
    future = connected.executor(once=("large",)).submit(Sum(-1, ()))
    with pytest.raises(ValueError, match="a negative number"):
        future.result(timeout=60)


def test_a_call_whose_worker_is_killed_runs_again(impatient, tmp_path):
    future = impatient.executor().submit(Killing(tmp_path / "killed"))
    assert future.result(timeout=60) != os.getpid()


def test_a_call_that_kills_each_worker_is_a_broken_executor(impatient):
    future = impatient.executor().submit(Deadly())
    with pytest.raises(ClusterError, match="2 workers"):
        future.result(timeout=60)


def test_what_calls_have_in_common_outlives_the_only_worker_that_has_it(tmp_path):
    with local_cluster(1) as single, clusters.connect(single.scheduler_address) as cluster:
        executor, large = cluster.executor(once=("large",)), tuple(range(1000))
        total, _, process = executor.submit(Sum(1, large)).result(timeout=60)
        os.kill(process, signal.SIGKILL)
        again, _, other = executor.submit(Sum(1, large)).result(timeout=60)
        assert (again, other != process) == (total, True)
