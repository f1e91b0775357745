"""A connection to a Dask cluster of real processes, and what goes wrong with one."""

import os
import signal
import socket
import sys
import time
from dataclasses import dataclass

import dask_clusters
import pytest
import xgboost
from dask_clusters import local_cluster

from taxi_pipeline.compute import cluster as clusters
from taxi_pipeline.compute import code
from taxi_pipeline.errors import ClusterError, InvalidTraining

versions = pytest.importorskip("distributed.versions", reason="Dask is not installed")


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


def refuse():
    raise InvalidTraining("too few trips")


def refused(scheduler):
    with pytest.raises(ClusterError) as caught, clusters.connect(scheduler):
        pass
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_work_runs_in_another_process_and_its_answer_comes_back(connected):
    assert connected.run(os.getpid) != os.getpid()
    assert connected.run(len, b"x" * 20_000_000) == 20_000_000


def test_a_failure_of_the_work_is_the_works_own(connected):
    with pytest.raises(InvalidTraining, match=r"^too few trips$"):
        connected.run(refuse)


def test_a_file_that_a_worker_cannot_read_is_one_line(connected, tmp_path):
    with pytest.raises(ClusterError, match=r"a worker of .* failed .FileNotFoundError") as caught:
        connected.run(open, tmp_path / "missing")
    assert "\n" not in str(caught.value)


def test_the_dashboard_is_that_of_the_scheduler(connected, dask_cluster):
    assert connected.dashboard == dask_cluster.dashboard_link


def test_work_whose_worker_is_killed_runs_on_another(connected, tmp_path):
    assert connected.run(dask_clusters.kill_this_worker_once, tmp_path / "killed") != os.getpid()
    assert (tmp_path / "killed").exists()


def test_work_that_kills_each_worker_is_one_line(connected):
    with pytest.raises(ClusterError, match=r"4 workers of .* died one after the other") as caught:
        connected.run(dask_clusters.kill_this_worker)
    assert "\n" not in str(caught.value)


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


def test_a_call_whose_worker_is_killed_runs_again(connected, tmp_path):
    future = connected.executor().submit(Killing(tmp_path / "killed"))
    assert future.result(timeout=60) != os.getpid()


def test_a_call_that_kills_each_worker_is_a_broken_executor(connected):
    future = connected.executor().submit(Deadly())
    with pytest.raises(ClusterError, match="4 workers"):
        future.result(timeout=60)


def test_what_calls_have_in_common_outlives_the_only_worker_that_has_it(tmp_path):
    with local_cluster(1) as single, clusters.connect(single.scheduler_address) as cluster:
        executor, large = cluster.executor(once=("large",)), tuple(range(1000))
        total, _, process = executor.submit(Sum(1, large)).result(timeout=60)
        os.kill(process, signal.SIGKILL)
        again, _, other = executor.submit(Sum(1, large)).result(timeout=60)
        assert (again, other != process) == (total, True)


def test_no_cluster_is_one_line_within_seconds():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    text = refused(f"tcp://127.0.0.1:{port}")
    assert text.startswith(f"no Dask cluster answers at tcp://127.0.0.1:{port} (ConnectionRefused")
    assert "`dask scheduler`" in text


def test_a_host_that_does_not_exist_is_one_line():
    assert "no Dask cluster answers at tcp://cluster.invalid:8786" in refused(
        "tcp://cluster.invalid:8786"
    )


def test_a_server_that_is_no_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        text = refused(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
    assert "no Dask cluster answers at" in text


def test_tls_without_certificates_says_where_they_are_set(dask_cluster):
    text = refused(dask_cluster.scheduler_address.replace("tcp", "tls"))
    assert "certificates are set in Dask's configuration (distributed.comm.tls)" in text


def test_a_cluster_without_workers_is_one_line(monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 0.5)
    with local_cluster(0) as empty:
        address = empty.scheduler_address
        assert refused(address) == (
            f"the Dask cluster at {address} has no workers: start some with `dask worker {address}`"
        )


@pytest.mark.parametrize(
    ("package", "there"), [("xgboost", xgboost.__version__), ("made-up", "not installed")]
)
def test_another_version_on_a_worker_is_said(dask_cluster, monkeypatch, package, there):
    installed = versions._version_cached
    # Of this process, in which the scheduler is as well.
    monkeypatch.setattr(
        versions, "_version_cached", lambda name: "99" if name == package else installed(name)
    )
    monkeypatch.setattr(clusters, "COMPARED", (*clusters.COMPARED, "made-up"))
    text = refused(dask_cluster.scheduler_address)
    assert text.startswith("worker tcp://127.0.0.1:")
    assert text.endswith(
        f"has {package} {there} (here 99): install the same there, and start it again"
    )


def test_other_code_on_a_worker_is_said(dask_cluster, monkeypatch):
    monkeypatch.setattr(code, "DIGEST", "0123456789ab")
    text = refused(dask_cluster.scheduler_address)
    assert "has the code of taxi_pipeline" in text
    assert "here it is 0123456789ab: install the same there, and start it again" in text


def test_a_cluster_that_ends_under_the_work_is_one_line():
    with local_cluster(1) as ending, clusters.connect(ending.scheduler_address) as cluster:
        future = cluster.executor().submit(Sleeping())
        ending.close()
        with pytest.raises(ClusterError, match="was lost") as caught:
            future.result(timeout=60)
        assert "\n" not in str(caught.value)
        with pytest.raises(ClusterError):
            cluster.run(os.getpid)


@dataclass(frozen=True)
class Sleeping:
    def __call__(self):
        time.sleep(300)


def test_work_is_given_up_where_all_workers_are_gone(monkeypatch):
    monkeypatch.setattr(clusters, "NO_WORKERS_SECONDS", 1.0)
    with local_cluster(1) as leaving, clusters.connect(leaving.scheduler_address) as cluster:
        future = cluster.executor().submit(Sleeping())
        leaving.scale(0)
        with pytest.raises(ClusterError, match="has had no workers for 1 seconds"):
            future.result(timeout=60)


def test_a_missing_extra_is_one_line_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refused("tcp://127.0.0.1:8786").endswith("pip install 'taxi_pipeline[dask]'")
