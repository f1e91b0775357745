"""What clients may tell the scheduler."""

import inspect
import json
import math

import luigi.scheduler
import pytest
from luigi.scheduler import RPC_METHODS

from taxi_pipeline.luigid import arguments
from taxi_pipeline.luigid.arguments import RefusedArguments

WORKER = "Worker(salt=1, workers=2, host=a.b, username=O'Brien, pid=7)"
TASK = {
    "worker": WORKER,
    "task_id": "TrainModel_trip_1_2021_0f1e2d",
    "status": "FAILED",
    "family": "mine.TrainModel",
    "module": "taxi_pipeline",
    "params": {"month": "1", "url": "synthetic://?rows=1&seed=<2>"},
    "deps": ["BuildFeatures_1_2021_aa"],
    "expl": 'File "<string>", line 1\n<module> & more',
    "priority": 1.5,
    "resources": {"cpu": 2},
    "tracking_url": "http://127.0.0.1:5000/#/experiments/1",
    "retry_policy_dict": {"retry_count": 3, "disable_hard_timeout": None, "disable_window": None},
}
SCRIPT = "<img src=x onerror=alert(1)>"


def read(method, **given):
    return arguments.read(method, json.dumps(given))


def test_what_luigis_own_client_sends_is_taken_as_it_is():
    assert read("add_task", **TASK) == TASK


@pytest.mark.parametrize("method", sorted(RPC_METHODS))
def test_a_method_takes_its_own_default_values(method):
    if method == "update_metrics_task_started":
        return
    known = inspect.signature(getattr(luigi.scheduler.Scheduler, method)).parameters.values()
    defaults = {
        one.name: one.default for one in known if one.default not in {inspect.Parameter.empty, None}
    }
    needed = {
        "worker": WORKER,
        "task_id": "A_1",
        "task": "A_1",
        "message_id": "a-b",
        "n": 3,
        "resource": "cpu",
        "amount": 3,
        "task_family": "A",
        "family": "A",
        "task_name": "A()",
        "info": [["host", "a"]],
        "params": {},
        "expl": "",
        "owners": [],
        "batched_args": ["a"],
        "status_message": "a",
        "progress_percentage": 3,
        "decrease_resources": {"cpu": 1},
        "content": "a",
        "response": "a",
        "statistics": {},
        "task_str": "A",
    }
    given = {one.name: needed[one.name] for one in known if one.name in needed} | defaults
    if any(one.kind == one.VAR_KEYWORD for one in known) and method != "update_resources":
        given["worker"] = WORKER
    assert read(method, **given) == given


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("task_id", value) for value in (SCRIPT, "a'b", 'a"b', "a&b", "a\nb", "a" * 3000, None)),
        *(("family", value) for value in (SCRIPT, 7, ["A"], {"a": 1})),
        *(("deps", value) for value in ([SCRIPT], "A", [1], {"A": 1})),
        *(("new_deps", value) for value in ([SCRIPT],)),
        *(("module", value) for value in (SCRIPT, 1)),
        *(("worker", value) for value in (SCRIPT, None, 1, "a\x00")),
        *(("status", value) for value in (SCRIPT, "", "Done", None, 1, ["DONE"])),
        *(("priority", value) for value in (SCRIPT, "1", None, True, math.inf, 10**400, [1])),
        *(("resources", value) for value in ({SCRIPT: 1}, {"a": "1"}, {"a": -1}, ["a"], "a")),
        *(("params", value) for value in ({SCRIPT: "a"}, {"a": ["b"]}, {"a": {}}, "a", ["a"])),
        *(("param_visibilities", value) for value in ({"a": "b"}, [1])),
        *(("expl", value) for value in (1, ["a"], {"a": 1})),
        *(("batch_id", value) for value in (SCRIPT, 1)),
        *(("tracking_url", value) for value in (1, ["a"])),
        *(("retry_policy_dict", value) for value in ({"a": 1}, {"retry_count": "1"}, [1])),
        *(("owners", value) for value in ("a", [1])),
        *(("runnable", value) for value in (SCRIPT, 1)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_task_with_markup_in_a_name_or_a_value_of_another_type_is_refused(key, value):
    with pytest.raises(RefusedArguments, match=rf"^add_task: {key} must be ") as raised:
        read("add_task", **{**TASK, key: value})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:5000/a?b=c&d=%20#e", "https://mlflow.example.org", "HTTPS://a/"),
        "/files/train/green/2021-01/0123456789abcdef/",
    ],
)
def test_links_to_pages_are_kept(url):
    assert read("add_task", **{**TASK, "tracking_url": url})["tracking_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:a"),
        *(
            "data:text/html,<script>alert(1)</script>",
            "vbscript:a",
            "file:///etc/passwd",
            "ftp://a",
        ),
        *("//evil.example/", "http:evil", "http://", "/api/pause", "/files", "../api/pause", ""),
        *("http://a/<script>", "http://a/'onclick='", "http://[", "/files/\\evil", "http://a b/"),
        "\x01javascript:alert(1)",
    ],
)
def test_other_links_are_left_out_and_the_task_is_kept(url):
    assert read("add_task", **{**TASK, "tracking_url": url}) == {**TASK, "tracking_url": None}


@pytest.mark.parametrize(
    ("method", "key"),
    [("set_task_status_message", "status_message"), ("add_scheduler_message_response", "response")],
)
def test_a_sentence_cannot_hold_a_tag(method, key):
    given = {"task_id": "A", "message_id": "1", key: f"RMSE < 5 & {SCRIPT}"}
    if method == "set_task_status_message":
        del given["message_id"]
    assert read(method, **given)[key] == "RMSE \u2039 5 & \u2039img src=x onerror=alert(1)\u203a"
    assert read(method, **{**given, key: 5})[key] == "5"


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("set_task_progress_percentage", {"task_id": "A", "progress_percentage": SCRIPT}),
        ("update_resource", {"resource": SCRIPT, "amount": 1}),
        ("update_resource", {"resource": "cpu", "amount": "1"}),
        ("update_resources", {SCRIPT: 1}),
        ("update_resources", {"cpu": "1"}),
        ("add_worker", {"worker": "w", "info": [["host", SCRIPT]]}),
        ("add_worker", {"worker": "w", "info": [[SCRIPT, 1]]}),
        ("add_worker", {"worker": "w", "info": {"name": "twice"}}),
        ("add_worker", {"worker": "w", "info": {"workers": "many"}}),
        ("add_worker", {"worker": "w", "info": {"first_task": ["a"]}}),
        ("add_worker", {"worker": "w", "info": "host"}),
        ("add_task_batcher", {"worker": "w", "task_family": SCRIPT, "batched_args": []}),
        ("get_work", {"worker": "w", "host": SCRIPT}),
        ("get_work", {"host": "a"}),
        ("ping", {}),
        ("task_list", {"status": SCRIPT}),
        ("announce_scheduling_failure", {"task_name": "a", "family": "A"}),
        ("update_metrics_task_started", {"task": "A"}),
        ("prune", {"unknown": 1}),
        ("add_worker", {}),
    ],
    ids=str,
)
def test_calls_that_make_no_sense_are_refused_in_one_line(method, given):
    with pytest.raises(RefusedArguments, match=rf"^{method}: ") as raised:
        read(method, **given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "payload",
    ["", "{", "[1]", "1", "null", '"a"', "[" * 100_000, '{"a": "\\ud800"}', '{"\\udfff": 1}'],
    ids=lambda payload: payload[:10],
)
def test_what_is_no_object_in_json_is_refused(payload):
    with pytest.raises(RefusedArguments, match=r"^task_list: the arguments must be "):
        arguments.read("task_list", payload)


def test_a_batch_may_be_of_any_size():
    given = {"worker": "w", "task_family": "A", "batched_args": ["a"], "max_batch_size": math.inf}
    assert read("add_task_batcher", **given) == given
