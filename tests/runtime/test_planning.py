"""What a run asks an object store for: counted, and kept no longer than it is true."""

import luigi
import pytest
from object_store import BUCKET

from taxi_pipeline import RegisterModel
from taxi_pipeline.runtime import planning
from taxi_pipeline.runtime.planning import Planning
from taxi_pipeline.storage import open_storage

POINTER = "ingest/green/2021-01/source-0123456789abcdef.json"


@pytest.fixture
def root(store, tmp_path, luigi_config):
    luigi_config("storage", "root", store.root(tmp_path.name))
    luigi_config("tracking", "uri", "http://127.0.0.1:9")
    return open_storage(store.root(tmp_path.name))


@pytest.fixture
def removed(store, root, tmp_path):
    """Removes a file as another machine does."""
    root.write_json(POINTER, {})
    key = f"{tmp_path.name}/{POINTER}"
    return lambda: store.client().delete_object(Bucket=BUCKET, Key=key)


def test_what_was_said_counts_to_the_end_of_a_run_that_has_nothing_to_do(root, removed):
    plan = Planning()
    with plan.reading(luigi.Task()):
        assert root.exists(POINTER)
    removed()
    plan.ends(anything_to_run=False)
    assert root.exists(POINTER)
    plan.close()
    assert not root.exists(POINTER)


def test_what_was_said_is_asked_again_once_something_runs(root, removed):
    plan = Planning()
    with plan.reading(luigi.Task()):
        assert root.exists(POINTER)
    removed()
    plan.ends(anything_to_run=True)
    assert not root.exists(POINTER)
    root.write_json(POINTER, {})
    with plan.reading(luigi.Task()):
        assert root.exists(POINTER)
        removed()
        assert root.exists(POINTER)
    assert not root.exists(POINTER)


@pytest.mark.parametrize(("window", "requests"), [(1, 1), (12, 2)])
def test_long_windows_are_asked_for_together(root, store, window, requests):
    plan = Planning()
    task = RegisterModel(year=2021, month=1, window=window)
    with plan.reading(task), store.counted() as counted:
        assert root.read_json(POINTER) is None
    plan.close()
    # A listing of nothing asks twice more whether there is something.
    assert len(counted) == (requests if window == 1 else requests + 2)


@pytest.mark.parametrize(("tasks", "name"), [(1, "source-"), (planning.FEW_TASKS + 1, ".index")])
def test_many_tasks_are_asked_for_together(root, store, tasks, name):
    with planning.snapshot(tasks), store.counted() as counted:
        assert not root.exists(POINTER)
    assert any(name in path for _, path in counted)
