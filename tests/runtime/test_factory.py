"""Luigi's command, and nothing else, is given this package's workers and schedulers."""

import multiprocessing

import luigi
import pytest
from processes import python

from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability import links
from taxi_pipeline.runtime import factory
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.lease import LeasingWorker
from taxi_pipeline.runtime.schedulers import LocalScheduler
from taxi_pipeline.trips.publication import Answer

pytestmark = pytest.mark.usefixtures("process")


class Made(luigi.Task):
    def complete(self):
        return True


def test_luigis_command_makes_its_workers_with_what_install_puts_there(monkeypatch):
    monkeypatch.setattr(
        luigi.interface, "_WorkerSchedulerFactory", luigi.interface._WorkerSchedulerFactory
    )
    # The process of the tests keeps its ways to end.
    monkeypatch.setattr(factory.interruption, "install", lambda: None)
    factory.install()
    result = luigi.build([Made()], local_scheduler=True, detailed_summary=True)
    assert type(result.worker) is LeasingWorker
    assert type(result.worker.scheduler) is LocalScheduler


@pytest.fixture
def spawning():
    """A system whose processes begin anew unless another way is asked for, as macOS."""
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.mark.usefixtures("spawning")
def test_processes_of_workers_are_forked_where_that_is_not_the_systems_own_way():
    worker = Factory().create_worker(LocalScheduler(), 2)
    assert multiprocessing.get_start_method() == "fork"
    process = worker._create_task_process(Made())
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert worker._task_result_queue.get(timeout=10)[:2] == (Made().task_id, "DONE")


class SchedulerAt(LocalScheduler):
    """A scheduler that is at a URL, as a central one is."""

    def __init__(self, url):
        super().__init__()
        self.url = url


def test_the_links_of_a_run_lead_to_its_scheduler(monkeypatch):
    monkeypatch.setattr(links, "http_status", lambda _url, _timeout: 200)
    workers = [
        Factory().create_worker(scheduler, 1)
        for scheduler in (
            SchedulerAt("http://one.example.org/"),
            SchedulerAt("http://two.example.org"),
            LocalScheduler(),
        )
    ]
    assert [worker.context.links.browser_url("train/") for worker in workers] == [
        "http://one.example.org/files/train/",
        "http://two.example.org/files/train/",
        "",
    ]


def test_a_central_scheduler_has_its_url():
    assert Factory().create_remote_scheduler("http://127.0.0.1:1").url == "http://127.0.0.1:1"


@pytest.mark.parametrize("processes", [0, 1, 2])
def test_the_share_of_a_task_follows_from_workers_and_limit(processes):
    worker = Factory().create_worker(LocalScheduler(resources={"cpu": 5}), processes)
    assert worker.context.cores == CoreShare(max(1, processes), 5)


def test_runs_know_nothing_of_what_others_found_published():
    one, two = (Factory().create_worker(LocalScheduler(), 1).context for _ in range(2))
    one.published["http://a/file"] = Answer(published=True)
    assert two.published == {}


@pytest.mark.parametrize(
    ("program", "module"),
    [("bin/luigi", "taxi_pipeline.runtime.factory"), ("other", "luigi.interface")],
)
def test_only_luigis_own_command_is_given_our_workers(tmp_path, program, module):
    script = (
        f"import sys; sys.argv[0] = {program!r}; import luigi, taxi_pipeline; "
        "print(luigi.interface._WorkerSchedulerFactory.__module__)"
    )
    assert python(tmp_path, "-c", script).stdout.strip() == module
