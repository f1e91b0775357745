"""A worker that ends at once gives its tasks back: the scheduler shows them as pending."""

import json

import luigi.scheduler
import pytest
from luigi.task_status import DONE, FAILED, PENDING, RUNNING

from taxi_pipeline.runtime.schedulers import CentralScheduler

WORKER, OTHER = "Worker(ends)", "Worker(goes on)"


@pytest.fixture
def server(monkeypatch):
    """Luigi's scheduler, which answers every client of this process as over HTTP."""
    scheduler = luigi.scheduler.Scheduler(resources={"cpu": 9})

    def answer(_client, url, data, **_options):
        answered = getattr(scheduler, url.rpartition("/")[2])(**json.loads(json.dumps(data)))
        return json.loads(json.dumps(answered))

    monkeypatch.setattr(CentralScheduler, "_request", answer)
    return scheduler


def add(server, task_id, worker=WORKER, deps=(), status=PENDING):
    server.add_task(
        worker=worker, task_id=task_id, family=task_id, deps=list(deps), status=status,
        resources={"cpu": 2},
    )  # fmt: skip


def running(server, task_id, deps=("needed",), worker=WORKER):
    for needed in deps:
        add(server, needed, worker, status=DONE)
    add(server, task_id, worker, deps)
    assert server.get_work(worker=worker)["task_id"] == task_id


def states(server):
    return {task_id: task["status"] for task_id, task in server.task_list("", "").items()}


def give_back():
    CentralScheduler("http://127.0.0.1:1").give_back(WORKER)


def test_a_running_task_is_pending_at_once_with_what_it_needs_and_takes(server):
    running(server, "fit")
    server.set_task_status_message("fit", "round 3 of 9")
    give_back()
    assert states(server) == {"needed": DONE, "fit": PENDING}
    fit = server.dep_graph("fit")["fit"]
    assert (fit["deps"], fit["resources"], fit["workers"]) == (["needed"], {"cpu": 2}, [])
    assert fit["status_message"] == "was interrupted"


def test_a_task_that_requires_nothing_is_pending_too(server):
    running(server, "fit", deps=())
    give_back()
    assert states(server) == {"fit": PENDING}


def test_another_worker_is_given_the_task_and_its_resources(server):
    running(server, "fit")
    add(server, "fit", OTHER, ["needed"])
    assert server.get_work(worker=OTHER)["task_id"] is None
    give_back()
    assert server.get_work(worker=OTHER)["task_id"] == "fit"
    assert states(server)["fit"] == RUNNING


def test_tasks_of_other_workers_and_those_that_have_ended_stay_as_they_are(server):
    running(server, "fit")
    running(server, "theirs", worker=OTHER)
    add(server, "done", status=DONE)
    add(server, "failed", status=FAILED)
    give_back()
    assert states(server) == {
        "needed": DONE, "fit": PENDING, "theirs": RUNNING, "done": DONE, "failed": FAILED,
    }  # fmt: skip


def test_a_request_of_the_worker_that_arrives_late_changes_nothing(server):
    running(server, "fit")
    give_back()
    add(server, "fit", deps=["needed"], status=DONE)
    assert states(server)["fit"] == PENDING
    assert server.get_work(worker=WORKER)["task_id"] is None
