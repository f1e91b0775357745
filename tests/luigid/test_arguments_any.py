"""Any calls in any order: what is not refused leaves the scheduler and all its views in order."""

import inspect
import json

import luigi.scheduler
from hypothesis import given, settings
from hypothesis import strategies as st
from luigi.scheduler import RPC_METHODS
from luigi.task_status import BATCH_RUNNING, FAILED, RUNNING

from taxi_pipeline.luigid import arguments
from taxi_pipeline.luigid.scheduler import Scheduler

KNOWN = {
    "worker": ["v", "w"],
    "task_id": ["A_1", "B_2", "C_3"],
    "status": sorted(arguments.STATUSES),
    "family": ["A", "B", ""],
    "deps": [[], ["B_2"], ["A_1", "C_3"]],
    "resources": [{}, {"cpu": 1}],
    "batch_id": [None, "b"],
    "info": [[["workers", 2]], [["first_task", "A_1"]], {"assistant": True}],
    "params": [{"month": "1"}],
    "retry_policy_dict": [{}, {"retry_count": 1}],
    "priority": [0, 5, 1.5],
    "current_tasks": [None, [], ["A_1"]],
    "batched_args": [["month"]],
    "task_family": ["A"],
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@st.composite
def calls(draw):
    """A method and its arguments, most of which make sense."""
    method = draw(st.sampled_from([*sorted(RPC_METHODS), *["add_task"] * 20, *["get_work"] * 5]))
    known = inspect.signature(getattr(luigi.scheduler.Scheduler, method)).parameters.values()
    names = [one.name for one in known if one.kind == one.POSITIONAL_OR_KEYWORD]
    given = {}
    for name in [*names[1:], "worker"]:
        if name in {"worker", "task_id"} or draw(st.booleans()):
            sensible = st.sampled_from(KNOWN.get(name, [None]))
            given[name] = draw(sensible if draw(st.integers(0, 9)) else ANYTHING)
    return method, given


def look(scheduler):
    """Ask for all that the page, clients and Prometheus ask for, as they get it."""
    for method in ("prune", "task_list", "worker_list", "resource_list", "graph"):
        json.dumps(getattr(scheduler, method)())
    for status in (FAILED, RUNNING, BATCH_RUNNING):
        scheduler.task_list(status, "")
    for task_id in KNOWN["task_id"]:
        json.dumps(scheduler.dep_graph(task_id))
        json.dumps(scheduler.inverse_dep_graph(task_id))
    for name in KNOWN["worker"]:
        scheduler.count_pending(name)
    assert scheduler._state._metrics_collector.generate_latest()


@given(st.lists(calls(), max_size=12))
@settings(max_examples=150)
def test_no_calls_stop_the_scheduler(told):
    scheduler = Scheduler(metrics_collector=luigi.metrics.MetricsCollectors.prometheus)
    for method, given_arguments in told:
        try:
            known = arguments.read(method, json.dumps(given_arguments))
        except arguments.RefusedArguments:
            continue
        json.dumps(getattr(scheduler, method)(**known))
        look(scheduler)
