"""What the package relies on in Luigi beyond its documentation; each may break with a new Luigi."""

import configparser
import inspect
import logging
import textwrap
import warnings
from typing import ClassVar

import luigi
import pytest
from luigi.configuration import LuigiConfigParser
from luigi.parameter import (
    MissingParameterException,
    ParameterException,
    UnconsumedParameterWarning,
)
from luigi.retcodes import retcode
from luigi.rpc import RemoteScheduler, RPCError
from luigi.scheduler import Scheduler
from luigi.task import flatten
from luigi.task_register import Register, TaskClassException
from places import REPOSITORY
from processes import python

from taxi_pipeline import config


class MemoryTarget(luigi.Target):
    def __init__(self, done, name):
        self.done, self.name = done, name

    def exists(self):
        return self.name in self.done


class SeamTask(luigi.Task):
    name = luigi.Parameter(default="one")
    silent = luigi.Parameter(default="", significant=False)
    done: ClassVar = []

    def output(self):
        return MemoryTarget(self.done, self.name)

    def run(self):
        if self.name != "never":
            self.done.append(self.name)


class FirstTask(SeamTask):
    priority = 100


class BrokenTask(luigi.Task):
    def complete(self):
        raise ValueError("a defect in complete")


class FailingRun(SeamTask):
    explained: ClassVar = []

    def run(self):
        raise ValueError("a defect in run")

    def on_failure(self, exception):
        self.explained.append((exception, super().on_failure(exception)))
        return "explained"


class TellingTask(SeamTask):
    seen: ClassVar = []

    def run(self):
        self.set_status_message("half done")
        self.set_progress_percentage(50)
        self.seen.append((callable(self.set_status_message), self.accepts_messages))
        super().run()


class AskedTask(SeamTask):
    asked: ClassVar = []

    def complete(self):
        self.asked.append("complete")
        return super().complete()

    def run(self):
        self.asked.append("run")
        super().run()


class OutsideTask(luigi.Task):
    run = None

    def output(self):
        return MemoryTarget([], "outside")


class SeamWrapper(luigi.Task):
    def requires(self):
        return {"late": SeamTask(name="late"), "early": [FirstTask(name="early")]}

    def complete(self):
        return False


class seam_section(luigi.Config):  # noqa: N801
    size = luigi.IntParameter(default=3)


@pytest.fixture(autouse=True)
def nothing_done(luigi_config):
    for kept in (
        SeamTask.done,
        FailingRun.explained,
        TellingTask.seen,
        AskedTask.asked,
        OrderedTask.questions,
    ):
        kept.clear()


@pytest.fixture
def records(monkeypatch):
    """What Luigi logs, before the filter of the package."""
    kept = []

    def keep(record):
        kept.append(record)
        return False

    monkeypatch.setattr(logging.getLogger("luigi-interface"), "filters", [keep])
    monkeypatch.setattr(logging.getLogger("luigi-interface"), "level", logging.DEBUG)
    logging.root.manager._clear_cache()
    yield kept
    logging.root.manager._clear_cache()


def build(*tasks):
    return luigi.build(list(tasks), local_scheduler=True, detailed_summary=True)


# --- logging ----------------------------------------------------------------------------------


def test_worker_and_interface_log_to_the_logger_luigi_interface(records):
    build(SeamTask())
    assert {"worker", "interface"} <= {record.module for record in records}
    assert {record.name for record in records} == {"luigi-interface"}


def test_what_the_worker_tells_of_its_work_is_at_most_info(records):
    build(SeamTask())
    levels = [record.levelno for record in records if record.module == "worker"]
    assert levels
    assert max(levels) == logging.INFO


def test_an_error_in_complete_is_a_warning_with_the_formatted_traceback_at_its_end(records):
    build(BrokenTask())
    (record,) = [record for record in records if "a defect in complete" in record.getMessage()]
    message = record.getMessage().rstrip()
    assert "due to error in complete() method" in message
    assert message.endswith("\nValueError: a defect in complete")
    assert (record.levelname, record.module, record.exc_info) == ("WARNING", "worker", None)


def test_a_failed_run_is_an_error_with_the_exception_and_the_task_among_its_arguments(records):
    task = FailingRun()
    build(task)
    (record,) = [record for record in records if record.levelno == logging.ERROR]
    assert str(record.exc_info[1]) == "a defect in run"
    assert task in record.args


def test_what_is_missing_from_outside_is_a_warning_with_the_task_among_its_arguments(records):
    task = OutsideTask()
    assert build(task).status == luigi.LuigiStatusCode.MISSING_EXT
    (record,) = [record for record in records if record.levelno == logging.WARNING]
    assert record.msg.startswith("Data for %s does not exist")
    assert record.args == (task,)


def test_a_scheduler_that_does_not_answer_is_an_rpc_error_with_its_reason_first(records):
    scheduler = RemoteScheduler("http://127.0.0.1:1")
    scheduler._rpc_retry_attempts, scheduler._rpc_retry_wait = 2, 0
    with pytest.raises(RPCError) as raised:
        scheduler.add_worker("worker", {})
    assert "http://127.0.0.1:1" in raised.value.args[0]
    told = {record.levelno for record in records if record.module == "rpc"}
    assert told
    assert max(told) <= logging.WARNING


def test_a_missing_parameter_is_a_parameter_exception():
    assert issubclass(MissingParameterException, ParameterException)


def test_an_unknown_task_is_a_task_class_exception():
    with pytest.raises(TaskClassException, match="NoSuchTask"):
        Register.get_task_cls("NoSuchTask")


# --- parameters and configuration -------------------------------------------------------------


def test_a_parameter_keeps_its_default_where_the_written_configuration_looks_for_it():
    assert seam_section.size._default == 3


def test_a_parameter_learns_its_owner_and_name_from_python_itself():
    assert list(inspect.signature(luigi.Parameter.__set_name__).parameters) == [
        "self",
        "owner",
        "name",
    ]


def test_text_and_objects_meet_in_normalize(luigi_config, monkeypatch):
    met = []
    monkeypatch.setattr(
        seam_section.size, "normalize", lambda value: met.append(value) or 4, raising=False
    )
    assert seam_section().size == 4
    luigi_config("seam_section", "size", "5")
    assert seam_section().size == 4
    assert seam_section(size="six").size == 4
    assert set(met) >= {3, 5, "six"}


def test_the_values_of_a_section_are_found_in_one_class_method():
    assert inspect.ismethod(luigi.Config.get_param_values)
    signature = inspect.signature(luigi.Config.get_param_values)
    assert list(signature.parameters) == ["params", "args", "kwargs"]


def test_the_values_of_a_section_are_looked_up_each_time_it_is_made(luigi_config):
    assert seam_section().size == 3
    luigi_config("seam_section", "size", "5")
    assert seam_section().size == 5


def test_what_is_made_of_the_same_values_is_the_same_object():
    assert seam_section() is seam_section()
    assert SeamTask(name="one") is SeamTask()


def test_param_kwargs_hold_the_value_of_every_parameter():
    assert SeamTask(name="two").param_kwargs == {"name": "two", "silent": ""}


def test_names_of_parameters_and_their_texts_leave_out_what_is_not_significant():
    assert SeamTask.get_param_names() == ["name"]
    assert SeamTask.get_param_names(include_significant=True) == ["name", "silent"]
    assert SeamTask().to_str_params(only_significant=True) == {"name": "one"}


def test_parameters_are_listed_in_the_order_in_which_they_are_written():
    assert [name for name, _ in FirstTask.get_params()] == ["name", "silent"]


def test_a_tasks_family_is_the_name_of_its_class():
    assert SeamTask().task_family == SeamTask.get_task_family() == "SeamTask"


def test_the_configuration_is_a_config_parser_that_is_made_once():
    parser = luigi.configuration.get_config()
    assert isinstance(parser, configparser.ConfigParser)
    assert parser is luigi.configuration.get_config() is LuigiConfigParser.instance()


@pytest.mark.filterwarnings("ignore:.*with dashes:DeprecationWarning")
@pytest.mark.parametrize("written", ["some_option", "some-option"])
@pytest.mark.parametrize("asked", ["some_option", "some-option"])
def test_an_option_is_found_in_both_spellings(luigi_config, written, asked):
    parser = luigi.configuration.get_config()
    assert not parser.has_option("seam_section", asked)
    luigi_config("seam_section", written, "1")
    assert parser.has_option("seam_section", asked)
    assert list(parser["seam_section"]) == [written]


def test_options_that_core_ignores_are_not_warned_of(luigi_config, monkeypatch):
    monkeypatch.setattr(luigi.interface.core, "_unconsumed_params", set(), raising=False)
    assert luigi.interface.core.ignore_unconsumed >= {"rpc_retry_attempts", "rpc_retry_wait"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnconsumedParameterWarning)
        luigi.interface.core()
    luigi_config("core", "no_option_of_luigis", "1")
    with pytest.warns(UnconsumedParameterWarning, match="no_option_of_luigis"):
        luigi.interface.core()


@pytest.mark.filterwarnings("ignore:.*with dashes:DeprecationWarning")
def test_the_settings_for_the_scheduler_reach_it():
    scheduler = RemoteScheduler("http://127.0.0.1:1")
    assert (scheduler._rpc_retry_attempts, scheduler._rpc_retry_wait) == (2, 1)


def test_every_setting_is_an_option_that_luigi_has():
    known = {
        "core": {
            *luigi.interface.core.get_param_names(include_significant=True),
            *luigi.interface.core.ignore_unconsumed,
        },
        "retcode": set(retcode.get_param_names(include_significant=True)),
        "worker": set(luigi.worker.worker.get_param_names(include_significant=True)),
    }
    for setting in config.LUIGI_SETTINGS:
        # A resource has any name.
        if setting.section != "resources":
            assert setting.option.replace("-", "_") in known[setting.section]


# --- tasks and the worker ---------------------------------------------------------------------


def test_reports_to_the_scheduler_are_none_outside_a_worker():
    task = SeamTask()
    assert task.set_status_message is None
    assert task.set_progress_percentage is None
    assert task.set_tracking_url is None


def test_reports_to_the_scheduler_can_be_called_while_a_worker_runs_the_task_and_not_after():
    task = TellingTask()
    assert build(task).scheduling_succeeded
    assert TellingTask.seen == [(True, False)]
    assert task.set_status_message is None


def test_requirements_are_flattened_whatever_their_shape():
    late, early = SeamTask(name="late"), FirstTask(name="early")
    assert flatten(SeamWrapper().requires()) == [late, early]
    assert flatten(late) == [late]
    assert flatten([]) == flatten(None) == []


def test_a_task_of_higher_priority_runs_first():
    build(SeamWrapper())
    assert SeamTask.done == ["early", "late"]
    assert SeamTask.priority == 0


def test_on_failure_is_given_the_exception_and_tells_the_traceback_by_default():
    build(FailingRun())
    ((exception, told),) = FailingRun.explained
    assert str(exception) == "a defect in run"
    assert told.startswith("Runtime error:\nTraceback (most recent call last):\n")
    assert told.rstrip().endswith("ValueError: a defect in run")


def test_a_task_that_ran_without_an_output_has_failed(luigi_config):
    never = SeamTask(name="never")
    assert build(never).status == luigi.LuigiStatusCode.FAILED
    luigi_config("worker", "check_complete_on_run", "false")
    assert build(never).status == luigi.LuigiStatusCode.SUCCESS


def test_the_worker_asks_a_task_when_it_is_scheduled_and_after_it_ran_but_not_in_between():
    build(AskedTask())
    assert AskedTask.asked == ["complete", "run", "complete"]


class OrderedTask(SeamTask):
    """A task that keeps, in their order, the questions that it is asked."""

    needs = luigi.ListParameter(default=())
    questions: ClassVar = []

    def requires(self):
        self.questions.append(("requires", self.name))
        return [OrderedTask(name=name) for name in self.needs]

    def complete(self):
        self.questions.append(("complete", self.name))
        return super().complete()

    @property
    def resources(self):
        self.questions.append(("resources", self.name))
        return {}


class NotingWorker(luigi.worker.Worker):
    """Notes which tasks pass where this package's worker gives them what the run knows."""

    def _validate_task(self, task):
        OrderedTask.questions.append(("validate", task.name))
        super()._validate_task(task)

    def _create_task_process(self, task):
        OrderedTask.questions.append(("process", task.name))
        return super()._create_task_process(task)


def first_questions():
    first = {}
    for question, name in OrderedTask.questions:
        first.setdefault(name, question)
    return first


def test_every_task_is_validated_before_anything_is_asked_of_it():
    worker = NotingWorker(scheduler=Scheduler())
    worker.add(OrderedTask(name="all", needs=["one", "two"]))
    assert first_questions() == dict.fromkeys(("all", "one", "two"), "validate")
    assert {question for question, _ in OrderedTask.questions} == {
        *("validate", "complete", "requires", "resources")
    }


def test_a_task_of_another_worker_is_first_met_where_its_process_is_made():
    scheduler = Scheduler()
    luigi.worker.Worker(scheduler=scheduler).add(OrderedTask(name="other"))
    OrderedTask.questions.clear()
    assistant = NotingWorker(scheduler=scheduler, assistant=True)
    assistant._run_task(assistant._get_work().task_id)
    assert first_questions() == {"other": "process"}
    assert OrderedTask.done == ["other"]


def test_a_worker_remembers_its_tasks_the_first_and_what_became_of_them():
    worker = luigi.worker.Worker(scheduler=Scheduler())
    tasks = [SeamTask(name="one"), SeamTask(name="two")]
    for task in tasks:
        worker.add(task)
    assert worker._first_task == tasks[0].task_id
    assert worker._scheduled_tasks == {task.task_id: task for task in tasks}
    assert worker.run()
    history = [(task, status) for task, status, _ in worker._add_task_history]
    assert history[:2] == [(task, "PENDING") for task in tasks]
    assert set(history[2:]) == {(task, "DONE") for task in tasks}


@pytest.mark.parametrize("scheduler", [Scheduler, RemoteScheduler])
@pytest.mark.parametrize("method", ["resource_list", "update_resource", "fetch_error"])
def test_schedulers_near_and_far_can_be_asked_for_limits_and_errors(scheduler, method):
    assert callable(getattr(scheduler, method))


# --- the command ------------------------------------------------------------------------------

TASKS = """
import luigi
import taxi_pipeline
from taxi_pipeline.errors import SourceError


class Fails(luigi.Task):
    def run(self):
        raise SourceError("green 2031-01: not published")
"""


@pytest.mark.parametrize(("written", "code"), [("", 30), ("[retcode]\ntask_failed = 3\n", 3)])
def test_exit_codes_are_read_after_the_module_is_imported(tmp_path, written, code):
    (tmp_path / "seam_tasks.py").write_text(textwrap.dedent(TASKS))
    (tmp_path / "luigi.cfg").write_text(written)
    command = ("-m", "luigi", "--module", "seam_tasks", "Fails", "--local-scheduler")
    answer = python(tmp_path, *command, path=[tmp_path, REPOSITORY])
    assert answer.returncode == code, answer.stderr
    assert "ERROR: Fails(): green 2031-01: not published\n" in answer.stderr
    assert "Traceback" not in answer.stderr
