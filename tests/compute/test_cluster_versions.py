"""What a cluster runs is compared with what runs here."""

import importlib

import pytest
import xgboost

from taxi_pipeline.compute import cluster as clusters
from taxi_pipeline.compute import cluster_versions, code
from taxi_pipeline.errors import ClusterError

versions = pytest.importorskip("distributed.versions", reason="Dask is not installed")


def refused(scheduler):
    with pytest.raises(ClusterError) as caught, clusters.connect(scheduler):
        pass
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("package", "there"), [("xgboost", xgboost.__version__), ("made-up", "not installed")]
)
def test_another_version_on_a_worker_is_said(dask_cluster, monkeypatch, package, there):
    installed = versions._version_cached
    # Of this process, in which the scheduler is as well.
    monkeypatch.setattr(
        versions, "_version_cached", lambda name: "99" if name == package else installed(name)
    )
    monkeypatch.setattr(cluster_versions, "COMPARED", (*cluster_versions.COMPARED, "made-up"))
    text = refused(dask_cluster.scheduler_address)
    assert text.startswith("worker tcp://127.0.0.1:")
    assert text.endswith(
        f"has {package} {there} (here 99): install the same there, and start it again"
    )


def test_other_code_on_a_worker_is_said(dask_cluster, monkeypatch):
    monkeypatch.setattr(code, "DIGEST", "0123456789ab")
    text = refused(dask_cluster.scheduler_address)
    assert "has other code of taxi_pipeline (" in text
    assert "here 0123456789ab): install the same there, and start it again" in text


def test_a_worker_that_lacks_a_module_is_said(dask_cluster, monkeypatch, tmp_path):
    (tmp_path / "only_here.py").write_text("def digest(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(code, "digest", importlib.import_module("only_here").digest)
    text = refused(dask_cluster.scheduler_address)
    assert "cannot import this version of taxi_pipeline" in text
    assert "No module named 'only_here'" in text
