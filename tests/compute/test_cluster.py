"""A connection to a Dask cluster of real processes, and what goes wrong with one."""

import os
import socket
import sys
import time
from dataclasses import dataclass

import dask_clusters
import pytest
from dask_clusters import local_cluster

from taxi_pipeline.compute import cluster as clusters
from taxi_pipeline.errors import ClusterError, InvalidTraining

pytest.importorskip("distributed", reason="Dask is not installed")


@pytest.fixture(scope="module")
def connected(dask_cluster):
    with clusters.connect(dask_cluster.scheduler_address) as cluster:
        yield cluster


@dataclass(frozen=True)
class Sleeping:
    def __call__(self):
        time.sleep(300)


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


def test_work_whose_worker_is_killed_runs_on_another(impatient, tmp_path):
    assert impatient.run(dask_clusters.kill_this_worker_once, tmp_path / "killed") != os.getpid()
    assert (tmp_path / "killed").exists()


def test_work_that_kills_each_worker_is_one_line(impatient):
    with pytest.raises(ClusterError, match=r"2 workers of .* died one after the other") as caught:
        impatient.run(dask_clusters.kill_this_worker)
    assert "\n" not in str(caught.value)


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


@pytest.mark.slow
def test_a_cluster_that_ends_under_the_work_is_one_line():
    with local_cluster(1) as ending, clusters.connect(ending.scheduler_address) as cluster:
        future = cluster.executor().submit(Sleeping())
        ending.close()
        with pytest.raises(ClusterError, match="was lost") as caught:
            future.result(timeout=60)
        assert "\n" not in str(caught.value)
        with pytest.raises(ClusterError):
            cluster.run(os.getpid)


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("kill", "its scheduler answers no more"),
        ("freeze", "its scheduler has not answered for 4 seconds"),
    ],
)
def test_a_scheduler_that_answers_no_more_ends_the_work_in_one_line(
    separate_cluster, monkeypatch, end, how
):
    monkeypatch.setattr(clusters, "SILENT_SECONDS", 4.0)
    with clusters.connect(separate_cluster.address) as cluster:
        future = cluster.executor().submit(Sleeping())
        getattr(separate_cluster, end)()
        with pytest.raises(ClusterError) as caught:
            future.result(timeout=60)
        with pytest.raises(ClusterError):
            cluster.run(os.getpid)
    assert str(caught.value) == (
        f"the Dask cluster at {cluster.scheduler} was lost ({how}): see that it runs, and run again"
    )


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
