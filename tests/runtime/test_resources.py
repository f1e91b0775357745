"""The scheduler's limits of resources hold for what tasks take."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxi_pipeline import RegisterModel
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.schedulers import LocalScheduler

pytestmark = pytest.mark.usefixtures("process")


def limits(scheduler):
    return {entry["name"]: entry["num_total"] for entry in scheduler.resource_list()}


def test_a_scheduler_is_told_the_limits_that_it_has_not_heard_of_and_keeps_its_own(luigi_config):
    luigi_config("resources", "printers", 3)
    scheduler = LocalScheduler(resources={"cpu": 2, "registry": 5, "plotters": 1})
    Factory().create_worker(scheduler, 1)
    assert limits(scheduler) == {
        "cpu": 2,
        "registry": 5,
        "plotters": 1,
        "downloads": 4,
        "printers": 3,
    }


some_limits = st.dictionaries(
    st.sampled_from(["cpu", "downloads", "registry"]), st.integers(1, 16), min_size=1
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_limits, st.integers(1, 16), st.integers(0, 32))
def test_no_task_takes_more_than_the_scheduler_grants(luigi_config, known, processes, threads):
    luigi_config("training", "threads", threads)
    luigi_config("source", "url", "synthetic://?rows=1000")
    scheduler = LocalScheduler(resources=known)
    worker = Factory().create_worker(scheduler, processes)
    assert worker.add(RegisterModel(year=2021, month=2, window=2))
    granted = limits(scheduler)
    for task in worker._scheduled_tasks.values():
        for name, taken in task.resources.items():
            assert 0 < taken <= granted[name]
