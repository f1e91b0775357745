"""Features that the workers of a Dask cluster make."""

import socket

import pytest

from taxi_pipeline import BuildFeatures, TransformTrips
from taxi_pipeline.storage import sha256

pytest.importorskip("distributed", reason="Dask is not installed")


@pytest.fixture
def task(pipeline, copy_root):
    """The features of a January whose trips are clean."""
    trips = TransformTrips(year=2021, month=1)
    copy_root("clean trips", pipeline.root, lambda: pipeline.done(trips))
    return BuildFeatures(year=2021, month=1)


@pytest.fixture
def on_cluster(pipeline, dask_cluster):
    return lambda: pipeline.configure("compute", "scheduler", dask_cluster.scheduler_address)


def test_the_file_is_that_of_this_machine(pipeline, task, tmp_path, on_cluster):
    pipeline.done(task)
    location, content = task.output().location, sha256(task.output().file(task.FILE))
    pipeline.configure("storage", "root", tmp_path / "elsewhere")
    on_cluster()
    pipeline.done(task)
    assert task.output().location == location
    assert sha256(task.output().file(task.FILE)) == content
    assert task.output().manifest()["rows"] > 2000


def test_a_month_on_the_cluster_takes_no_core_of_this_machine(task, on_cluster):
    assert task.resources == {"cpu": 1}
    on_cluster()
    assert task.resources == {}


def test_the_page_of_the_task_leads_to_the_dashboard_while_it_runs(
    pipeline, task, dask_cluster, on_cluster
):
    pipeline.configure("storage", "url", "http://files")
    on_cluster()
    shown = []
    task.set_tracking_url = shown.append
    task.run()
    log, dashboard, again, output = shown
    assert log.startswith("http://files/features/green/2021-01/")
    assert dashboard == dask_cluster.dashboard_link
    assert (again, output) == (log, f"http://files/{task.output().location}/")


def test_a_link_that_the_task_gives_meanwhile_is_shown_when_the_cluster_is_left(
    task, dask_cluster, on_cluster
):
    shown = []
    task.set_tracking_url = shown.append
    on_cluster()
    with task.cluster():
        task.set_tracking_link("http://mlflow")
        assert shown == [dask_cluster.dashboard_link]
    assert shown[1:] == ["http://mlflow"]


def test_a_cluster_that_is_not_there_fails_the_task_in_one_line(pipeline, task, caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    pipeline.configure("compute", "scheduler", address)
    result = pipeline.run(task)
    assert result.status.name == "FAILED"
    assert f"no Dask cluster answers at {address}" in caplog.text
    assert "or change [compute] scheduler" in caplog.text
