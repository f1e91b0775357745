"""Luigi's scheduler with a state that lasts and metrics that bear all tasks."""

import pickle
import time

import luigi.scheduler
import pytest
from luigi.contrib.datadog_metric import DatadogMetricsCollector

from taxi_pipeline.luigid.metrics import TaskMetrics
from taxi_pipeline.luigid.scheduler import Scheduler, create_scheduler


@pytest.fixture
def made(tmp_path, luigi_config):
    """Makes a scheduler of one folder."""
    return lambda: create_scheduler(tmp_path)


@pytest.mark.parametrize(
    "status", ["FAILED", "DISABLED", "DONE", "RUNNING", "UNKNOWN", "SUSPENDED"]
)
def test_a_task_that_is_told_first_of_all_with_its_end_breaks_nothing(made, status):
    scheduler = made()
    scheduler.add_task(worker="w", task_id="A_1", family="A", status=status)
    for _ in range(2):
        scheduler.prune()
        assert list(scheduler.task_list()) == ["A_1"]
        assert scheduler._state._metrics_collector.generate_latest()
        scheduler.dump()
        scheduler = made()
        scheduler.load()


@pytest.mark.parametrize(
    ("status", "counted"), [("FAILED", "luigi_task_failed"), ("DISABLED", "luigi_task_disabled")]
)
def test_a_task_that_never_ran_is_counted_without_a_time(made, status, counted):
    scheduler = made()
    scheduler.add_task(worker="w", task_id="A_1", family="A", status=status)
    metrics = scheduler._state._metrics_collector.generate_latest().decode()
    assert f'{counted}_total{{family="A"}} 1.0' in metrics
    assert "luigi_task_execution_time_seconds{" not in metrics


@pytest.mark.parametrize(
    ("status", "counted"), [("FAILED", "luigi_task_failed"), ("DISABLED", "luigi_task_disabled")]
)
def test_a_task_that_ran_is_counted_with_its_time(made, status, counted):
    scheduler = made()
    scheduler.add_task(worker="w", task_id="A_1", family="A")
    scheduler.get_work(worker="w", host="a")
    scheduler._state.get_task("A_1").time_running -= 100
    scheduler.add_task(worker="w", task_id="A_1", family="A", status="FAILED")
    if status == "DISABLED":
        scheduler.add_task(worker="w", task_id="A_1", family="A", status=status)
    metrics = scheduler._state._metrics_collector.generate_latest().decode()
    assert f'{counted}_total{{family="A"}} 1.0' in metrics
    assert 'luigi_task_execution_time_seconds{family="A"} 100.' in metrics


def test_a_batch_that_began_before_the_scheduler_did_goes_on_as_a_task_of_its_own(made):
    scheduler = made()
    scheduler.add_task(worker="w", task_id="A_1", family="A", status="RUNNING", batch_id="b")
    assert list(scheduler.task_list("RUNNING", "")) == ["A_1"]
    scheduler.add_task(worker="w", task_id="A_1", family="A", status="DONE")
    assert list(scheduler.task_list("DONE", "")) == ["A_1"]


def test_a_batch_runs_as_one(made):
    scheduler = made()
    scheduler.add_task_batcher("w", "A", ["month"])
    for month in ("1", "2"):
        told = {"task_id": f"A_{month}", "family": "A", "params": {"month": month}}
        scheduler.add_task(worker="w", batchable=True, **told)
    batch = scheduler.get_work(worker="w", host="a")["batch_id"]
    told = {"task_id": "A_all", "family": "A", "status": "RUNNING", "batch_id": batch}
    scheduler.add_task(worker="w", **told)
    scheduler.add_task(worker="w", task_id="A_all", family="A", status="DONE")
    assert set(scheduler.task_list("DONE", "")) == {"A_1", "A_2", "A_all"}


def test_a_state_in_which_luigis_scheduler_is_stuck_is_repaired_when_it_is_read(
    made, tmp_path, luigi_config
):
    luigi_config("scheduler", "metrics_collector", "prometheus")
    stuck = luigi.scheduler.Scheduler()
    with pytest.raises(TypeError):
        stuck.add_task(worker="w", task_id="A_1", family="A", status="FAILED")
    with pytest.raises(TypeError):
        stuck.prune()
    (tmp_path / "state.pickle").write_bytes(pickle.dumps(stuck._state.get_state()))
    (tmp_path / "state.pickle").chmod(0o600)

    scheduler = made()
    scheduler.load()
    scheduler.prune()
    assert scheduler.task_list("FAILED", "")["A_1"]["name"] == "A"
    assert scheduler._state.get_task("A_1").retry > time.time()


def test_a_collector_that_is_configured_is_kept(made, luigi_config, monkeypatch):
    monkeypatch.setattr(DatadogMetricsCollector, "__init__", lambda _self: None)
    luigi_config("scheduler", "metrics_collector", "datadog")
    assert isinstance(made()._state._metrics_collector, DatadogMetricsCollector)


def test_a_scheduler_counts_for_prometheus_by_default(made):
    assert isinstance(made(), Scheduler)
    assert isinstance(made()._state._metrics_collector, TaskMetrics)
