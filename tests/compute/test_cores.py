"""The share of one task in the cores of a machine."""

import pytest

from taxi_pipeline.compute.cores import CoreShare, cores


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    """Three cores of a machine that has more."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0, 3, 5})


def test_cores_are_those_that_the_process_may_use():
    assert cores() == 3


@pytest.mark.parametrize(("counted", "expected"), [(6, 6), (None, 1)])
def test_where_the_system_does_not_tell_all_cores_count(monkeypatch, counted, expected):
    """As on macOS."""
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: counted)
    assert cores() == expected


def test_a_task_that_runs_alone_may_use_every_core():
    assert CoreShare().threads() == 3


def test_as_many_threads_as_are_requested_are_taken():
    assert CoreShare().threads(2) == 2


@pytest.mark.parametrize(
    ("requested", "tasks_at_once", "limit", "expected"),
    [(0, 2, None, 1), (0, 9, None, 1), (0, 1, 2, 2), (4, 2, None, 4), (4, 2, 3, 3), (0, 1, 0, 3)],
)
def test_tasks_share_the_cores_up_to_the_limit(requested, tasks_at_once, limit, expected):
    assert CoreShare(tasks_at_once, limit).threads(requested) == expected
