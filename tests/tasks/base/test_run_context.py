"""Tasks have what the run knows, within a run and outside one."""

import multiprocessing

import pytest

from taxi_pipeline import (
    BuildFeatures,
    EvaluateModel,
    IngestTrips,
    TrainModel,
    TuneHyperparameters,
)
from taxi_pipeline.compute.cores import CoreShare
from taxi_pipeline.observability.links import BrowserLinks
from taxi_pipeline.tasks.base import RunContext
from taxi_pipeline.trips.publication import Answer

OFFERED = Answer(published=True)
FITTING = (TuneHyperparameters, TrainModel, EvaluateModel)


@pytest.fixture(autouse=True)
def eight_cores(luigi_config, monkeypatch):
    """A machine of eight cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: set(range(8)))


def make(task=TrainModel, **parameters):
    return task(year=2021, month=1, **parameters)


def of_a_run():
    links = BrowserLinks("http://127.0.0.1:1")
    return RunContext(CoreShare(4, 8), links, {"http://a/file": OFFERED})


# --- outside a run ----------------------------------------------------------------------------


@pytest.mark.parametrize("task", FITTING)
def test_outside_a_run_a_fit_takes_all_cores(task):
    assert make(task).thread_count == 8
    assert make(task).resources == {"cpu": 8}


@pytest.mark.parametrize("task", FITTING)
def test_outside_a_run_a_fit_takes_the_threads_that_are_configured(luigi_config, task):
    luigi_config("training", "threads", "2")
    assert make(task).thread_count == 2


def test_outside_a_run_a_task_has_no_link():
    assert make(BuildFeatures).context.links.browser_url("features/") == ""


def test_outside_a_run_a_task_keeps_the_context_that_it_has():
    task = make()
    task.context.published["http://a/file"] = OFFERED
    assert make().context.published == {"http://a/file": OFFERED}


def test_outside_a_run_tasks_have_no_context_in_common():
    make().context.published["http://a/file"] = OFFERED
    assert make(window=2).context.published == {}


# --- in a run ---------------------------------------------------------------------------------


@pytest.mark.parametrize("task", FITTING)
def test_in_a_run_a_fit_takes_its_share(task):
    made = make(task)
    made.context = of_a_run()
    assert made.thread_count == 2
    assert made.resources == {"cpu": 2}


def test_in_a_run_a_fit_takes_the_threads_that_are_configured_within_the_limit(luigi_config):
    luigi_config("training", "threads", "64")
    task = make()
    task.context = of_a_run()
    assert task.thread_count == 8


def test_the_context_is_no_part_of_what_a_task_is():
    task = make()
    before = (task.task_id, hash(task), task.to_str_params(), repr(task), task._version())
    task.context = of_a_run()
    after = (task.task_id, hash(task), task.to_str_params(), repr(task), task._version())
    assert after == before
    assert "context" not in dict(TrainModel.get_params())


def test_the_context_is_no_part_of_the_identity(luigi_config, tmp_path):
    luigi_config("storage", "root", tmp_path)
    month = make(IngestTrips)
    month.after_publish(month._identity("content"))
    before = make().identity()
    for task in (make(), make(TuneHyperparameters), make(BuildFeatures), month):
        task.context = of_a_run()
    assert make().identity() == before is not None


# --- in another process -----------------------------------------------------------------------


def test_a_task_that_is_sent_to_another_process_takes_its_context_along():
    task = make()
    task.context = of_a_run()
    here, there = multiprocessing.Pipe()
    here.send(task)
    sent = there.recv()
    assert sent == task
    assert sent.thread_count == 2
    assert sent.context.published == {"http://a/file": OFFERED}
    assert sent.context.links.browser_url("") == ""


def test_a_forked_process_has_the_context_of_its_tasks():
    task = make()
    task.context = of_a_run()
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    process = fork.Process(target=lambda: told.put(make().thread_count))
    process.start()
    process.join(10)
    if process.is_alive():
        process.kill()
    assert process.exitcode == 0
    assert told.get() == 2
