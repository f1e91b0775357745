"""Requests stay small and quick with thousands of tasks, and answer what Luigi answers."""

import random

import luigi.scheduler
import pytest

from taxi_pipeline.luigid.scheduler import MAX_SHOWN_TASKS, create_scheduler

STATES = ("PENDING", "DONE", "FAILED", "RUNNING")


@pytest.fixture
def made(tmp_path, luigi_config):
    luigi_config("scheduler", "record_task_history", "false")
    return create_scheduler(tmp_path)


def fill(scheduler, states, seed):
    """Tasks of two workers in states of all kinds, some of which require others."""
    chosen = random.Random(seed)  # noqa: S311  (for a test)
    for number in range(40):
        told = {
            "task_id": f"A_{number}",
            "family": "A",
            "deps": [f"A_{needed}" for needed in range(number) if chosen.random() < 0.1],
            "resources": {"cpu": 1},
        }
        for worker in chosen.sample(["one", "other"], chosen.randint(1, 2)):
            scheduler.add_task(worker=worker, **told)
        state = chosen.choice(states)
        if state == "RUNNING":
            task = scheduler._state.get_task(f"A_{number}")
            scheduler._state.set_status(task, "RUNNING", scheduler._config)
            task.worker_running = "one"
        elif state != "PENDING":
            scheduler.add_task(worker="one", status=state, **told)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("states", [STATES, (*STATES, "DISABLED")], ids=["usual", "disabled"])
def test_a_worker_is_told_what_luigi_would_tell_it(made, states, seed):
    fill(made, states, seed)
    for worker in ("one", "other", "a new one"):
        expected = luigi.scheduler.Scheduler.count_pending(made, worker)
        assert made.count_pending(worker) == expected


def test_what_tasks_require_is_not_walked_through_for_each_request(made, monkeypatch):
    fill(made, STATES, 0)
    monkeypatch.setattr(made, "_upstream_status", None)
    assert made.get_work(worker="one", host="a")["n_pending_tasks"] > 0


def test_a_page_lists_no_more_tasks_than_it_can_show_and_finds_the_others(made):
    for number in range(MAX_SHOWN_TASKS + 1):
        made.add_task(worker="w", task_id=f"A_{number}", family="A", params={"n": str(number)})
    assert made.task_list("PENDING", "") == {"num_tasks": MAX_SHOWN_TASKS + 1}
    assert list(made.task_list("PENDING", "", search="n=1000")) == ["A_1000"]
    assert len(made.task_list("PENDING", "", limit=False)) == MAX_SHOWN_TASKS + 1


def test_a_user_may_have_more_tasks_listed(tmp_path, luigi_config):
    luigi_config("scheduler", "max_shown_tasks", "7")
    assert create_scheduler(tmp_path)._config.max_shown_tasks == 7
