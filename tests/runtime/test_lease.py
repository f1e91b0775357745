"""A run tells what it works on from before it is planned until it ends."""

import luigi
import pytest

from taxi_pipeline import BuildFeatures, IngestTrips, TransformTrips
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.storage import leases, open_storage


@pytest.fixture
def root(tmp_path, luigi_config):
    luigi_config("storage", "root", tmp_path / "data")
    luigi_config("source", "url", "synthetic://?rows=500")
    return open_storage(str(tmp_path / "data"))


@pytest.fixture
def seen(root, monkeypatch):
    """The leases that each task sees: when Luigi asks whether it is done, and when it runs."""
    seen = {"asked": {}, "run": {}}

    def note(kind, when, method):
        original = getattr(kind, method)

        def noting(task):
            seen[when].setdefault(task.task_family, leases.live(root))
            return original(task)

        monkeypatch.setattr(kind, method, noting)

    for kind in (IngestTrips, TransformTrips, BuildFeatures):
        note(kind, "asked", "complete")
        note(kind, "run", "run")
    return seen


def build():
    return luigi.build(
        [BuildFeatures(year=2021, month=1)],
        local_scheduler=True,
        worker_scheduler_factory=Factory(),
    )


def test_a_run_covers_everything_while_it_is_planned_and_its_tasks_while_it_runs(root, seen):
    assert build()
    assert seen["asked"]["BuildFeatures"] == []
    for task in ("TransformTrips", "IngestTrips"):
        (lease,) = seen["asked"][task]
        assert lease.task_dirs is None
    for leases_seen in seen["run"].values():
        (lease,) = leases_seen
        assert lease.task_dirs == {
            f"{stage}/green/2021-01" for stage in ("features", "transform", "ingest")
        }
    assert leases.live(root) == []


def test_a_run_that_has_nothing_to_do_writes_no_lease(root, monkeypatch):
    assert build()
    monkeypatch.setattr(leases.Holder, "_write", None)
    assert build()


def test_a_run_that_fails_leaves_no_lease(root, monkeypatch):
    monkeypatch.setattr(TransformTrips, "make", None)
    assert not build()
    assert leases.live(root) == []


def test_a_worker_covers_what_another_worker_has_scheduled(root):
    factory = Factory()
    worker = factory.create_worker(factory.create_local_scheduler(), 1, assistant=True)
    worker._create_task_process(BuildFeatures(year=2021, month=2))
    (lease,) = leases.live(root)
    assert lease.covers("features/green/2021-02")
    assert lease.covers("transform/green/2021-02")
    worker.close()
    assert leases.live(root) == []
