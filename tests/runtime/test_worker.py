"""Workers share the cores, and keep to one process where forking would hang."""

import os

import pytest
from processes import LIBRARIES

from taxi_pipeline import config
from taxi_pipeline.runtime.schedulers import LocalScheduler
from taxi_pipeline.runtime.worker import Worker

pytestmark = pytest.mark.usefixtures("process")


@pytest.mark.parametrize(
    ("processes", "threads", "cpu", "expected"),
    [
        (1, 0, 8, 8),
        (2, 0, 8, 4),
        (3, 0, 8, 2),
        (8, 0, 8, 1),
        (20, 0, 8, 1),
        (0, 0, 8, 8),  # Luigi only looks at what there is
        (1, 3, 8, 3),
        (8, 3, 8, 3),
        (1, 64, 8, 8),
        (1, 0, 2, 2),
        (2, 0, 2, 2),
        (2, 5, 2, 2),
        (2, 0, 100, 4),
    ],
)
def test_cores_are_shared_among_workers_within_the_limit(
    luigi_config, processes, threads, cpu, expected
):
    luigi_config("training", "threads", threads)
    Worker(LocalScheduler(resources={"cpu": cpu}), processes)
    assert config.training().thread_count == expected


def test_without_a_worker_a_fit_takes_all_cores():
    assert config.training().thread_count == 8


def test_libraries_that_compute_are_told_their_share_unless_the_user_has(monkeypatch):
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    Worker(LocalScheduler(), 2)
    assert [os.environ[name] for name in LIBRARIES] == ["4", "4", "3"]


def test_one_worker_cannot_become_several(caplog):
    worker = Worker(LocalScheduler(), 1)
    asked = {"name": "set_worker_processes", "kwargs": {"n": 4}}
    worker._handle_rpc_message(asked)
    assert worker.worker_processes == 1
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "start another with --workers 4" in warning.getMessage()


def test_several_workers_can_become_more_and_fewer(caplog):
    worker = Worker(LocalScheduler(), 2)
    for number in (5, 3):
        worker._handle_rpc_message({"name": "set_worker_processes", "kwargs": {"n": number}})
        assert worker.worker_processes == number
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
