"""What a user reads of an error, in every place where it is shown."""

import errno
import importlib
import os
import sys
import traceback

import luigi
import pytest
from luigi.parameter import MissingParameterException
from luigi.rpc import RPCError

from taxi_pipeline.cli import main as cli
from taxi_pipeline.cli import write_config
from taxi_pipeline.errors import SourceError, TaxiPipelineError
from taxi_pipeline.observability import alerts, failures, logs
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.runtime.schedulers import LocalScheduler

LINE = "my store is locked: unlock it"

MY_TASKS = """
import luigi

from taxi_pipeline.errors import SourceError, TaxiPipelineError
from taxi_pipeline.tasks.base import Stage

LINE = "my store is locked: unlock it"


class Locked(TaxiPipelineError):
    pass


class Store:
    class Locked(TaxiPipelineError):
        pass


class OfTheProgram(TaxiPipelineError):
    __module__ = "__main__"


def chained():
    error = Locked(LINE)
    error.__cause__ = KeyError("the first")
    return error


def defect_chained():
    error = KeyError(LINE)
    error.__cause__ = Locked("the first")
    return error


ERRORS = {
    "SourceError": lambda: SourceError(LINE),
    "Locked": lambda: Locked(LINE),
    "Store.Locked": lambda: Store.Locked(LINE),
    "OfTheProgram": lambda: OfTheProgram(LINE),
    "chained": chained,
    "of several lines": lambda: Locked(LINE + "\\nKeyError: 'quoted'"),
    "defect": lambda: KeyError(LINE),
    "defect, chained": defect_chained,
    "defect that quotes": lambda: RuntimeError(
        "broken\\ntaxi_pipeline.errors.SourceError: " + LINE
    ),
}


class Failing(luigi.Task):
    method = luigi.Parameter()
    kind = luigi.Parameter()

    def _fail_in(self, method):
        if method == self.method:
            raise ERRORS[self.kind]()

    def requires(self):
        self._fail_in("requires")
        return []

    def complete(self):
        self._fail_in("complete")
        return False

    def run(self):
        self._fail_in("run")


class FailingStage(Stage):
    stage = "failing"
    kind = luigi.Parameter()

    def make(self, folder):
        raise ERRORS[self.kind]()
"""
FOR_A_USER = [
    *("SourceError", "Locked", "Store.Locked", "OfTheProgram"),
    *("chained", "of several lines"),
]
DEFECTS = {
    "defect": f"KeyError: '{LINE}'",
    "defect, chained": f"KeyError: '{LINE}'",
    "defect that quotes": "RuntimeError: broken",
}


@pytest.fixture
def my_tasks(tmp_path, monkeypatch):
    """A module of a user's own, with tasks that fail and errors of its own."""
    (tmp_path / "my_tasks.py").write_text(MY_TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("my_tasks")
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "OfTheProgram", module.OfTheProgram, raising=False)
    yield module
    del sys.modules["my_tasks"]


def formatted(error):
    try:
        raise error
    except type(error):
        return traceback.format_exc()


# --- one answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_an_error_for_a_user_is_its_line(as_it_is_kept):
    assert failures.error_line(as_it_is_kept(SourceError(LINE))) == LINE


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
@pytest.mark.parametrize("name", ["Locked", "Store.Locked"])
def test_an_error_of_a_users_own_module_is_its_line(my_tasks, name, as_it_is_kept):
    owner = my_tasks.Store if "." in name else my_tasks
    assert failures.error_line(as_it_is_kept(owner.Locked(LINE))) == LINE


def test_an_error_of_the_program_that_runs_is_its_line(monkeypatch):
    kind = type("Locked", (TaxiPipelineError,), {"__module__": "__main__"})
    monkeypatch.setattr(sys.modules["__main__"], "Locked", kind, raising=False)
    assert formatted(kind(LINE)).splitlines()[-1] == f"Locked: {LINE}"
    assert failures.error_line(formatted(kind(LINE))) == LINE


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), ValueError(LINE)])
def test_a_defect_has_no_line_for_a_user(error, as_it_is_kept):
    assert failures.error_line(as_it_is_kept(error)) is None


def test_an_exit_has_no_line_for_a_user():
    assert failures.error_line(SystemExit(1)) is None


def test_the_error_that_came_last_counts():
    line, defect = SourceError("a line"), RuntimeError("a defect")
    line.__cause__, defect.__cause__ = RuntimeError("the first"), SourceError("the first")
    assert failures.error_line(formatted(line)) == "a line"
    assert failures.error_line(formatted(defect)) is None


def test_of_a_message_of_several_lines_the_first_is_told():
    error = SourceError(f"{LINE}\nand more: of it")
    error.add_note("a note: of somebody")
    assert failures.error_line(error) == LINE
    assert failures.error_line(formatted(error)) == LINE


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_an_error_that_a_message_quotes_does_not_count(as_it_is_kept):
    quoting = SourceError(f"{LINE}\nKeyError: 'x'")
    assert failures.error_line(as_it_is_kept(quoting)) == LINE
    assert (
        failures.error_line(as_it_is_kept(SourceError(f"{LINE}\n{formatted(OSError())}"))) == LINE
    )
    defect = RuntimeError(f"broken\ntaxi_pipeline.errors.SourceError: {LINE}")
    assert failures.error_line(as_it_is_kept(defect)) is None
    assert failures.summary(as_it_is_kept(defect)) == "RuntimeError: broken"


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_a_message_may_begin_on_its_second_line_or_be_missing(as_it_is_kept):
    assert failures.error_line(as_it_is_kept(SourceError(f"\n{LINE}"))) == LINE
    assert failures.error_line(as_it_is_kept(SourceError())) == ""


def test_a_text_without_a_traceback_is_no_error():
    assert failures.error_line(f"taxi_pipeline.errors.SourceError: {LINE}") is None


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_without_a_scheduler_the_ways_out_are_told(as_it_is_kept):
    line = failures.error_line(as_it_is_kept(RPCError("no answer")))
    assert "--local-scheduler" in line
    assert line.endswith("(no answer)")


def test_a_wrong_use_of_parameters_points_to_help():
    assert "--help" in failures.error_line(MissingParameterException("year"))


class Wanting(luigi.Task):
    year = luigi.IntParameter()
    month = luigi.IntParameter()
    taxi = luigi.Parameter(default="green")
    of_params = luigi.DictParameter()


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, "--year and --month and --of-params"),
        ({"year": 2021}, "--month and --of-params"),
        ({"year": 2021, "month": 1, "taxi": "[yellow]"}, "--of-params"),
    ],
    ids=["nothing", "year", "month"],
)
def test_all_that_a_task_needs_and_was_not_given_is_told_as_flags(given, needed):
    with pytest.raises(MissingParameterException) as failure:
        Wanting(**given)
    assert failures.error_line(failure.value) == (
        f"Wanting needs {needed} (taxi-pipeline run Wanting --help tells of each)"
    )


def test_what_a_task_needs_that_is_not_known_here_is_the_one_that_luigi_names():
    error = MissingParameterException(
        "Away[args=(), kwargs={}]: requires the 'a_b' parameter to be set"
    )
    assert failures.error_line(error).startswith("Away needs --a-b (taxi-pipeline run Away --help")


# --- a summary --------------------------------------------------------------------------------


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_a_defect_is_summed_up_by_its_class_and_message(as_it_is_kept):
    assert failures.summary(as_it_is_kept(RuntimeError("it broke"))) == "RuntimeError: it broke"


def test_a_sentence_is_its_own_summary():
    assert failures.summary("the process died\nat once") == "the process died"
    assert failures.summary("") == ""


# --- in every place ---------------------------------------------------------------------------


class Places:
    """Where a failure is shown, and what stands there."""

    def __init__(self, monkeypatch, caplog):
        self.console = caplog
        self.mails, self.posts, self.pages = [], [], []
        monkeypatch.setattr(alerts, "post_alert", self.posts.append)
        monkeypatch.setattr(
            luigi.notifications, "send_email", lambda message, **_: self.mails.append(message)
        )
        announced = LocalScheduler.add_task

        def add_task(scheduler, *arguments, **options):
            self.pages.append(options.get("expl"))
            return announced(scheduler, *arguments, **options)

        monkeypatch.setattr(LocalScheduler, "add_task", add_task)
        announced_failure = LocalScheduler.announce_scheduling_failure

        def announce(scheduler, *arguments, **options):
            self.pages.append(options.get("expl"))
            return announced_failure(scheduler, *arguments, **options)

        monkeypatch.setattr(LocalScheduler, "announce_scheduling_failure", announce)


@pytest.fixture
def places(luigi_config, monkeypatch, caplog):
    luigi_config("email", "receiver", "team@example.org")
    luigi_config("email", "force_send", "true")
    caplog.set_level("INFO", logger="luigi-interface")
    return Places(monkeypatch, caplog)


def run(task):
    luigi.build([task], local_scheduler=True, worker_scheduler_factory=Factory())


@pytest.mark.parametrize("method", ["run", "complete", "requires"])
@pytest.mark.parametrize("kind", FOR_A_USER)
def test_every_place_tells_the_same_line(my_tasks, places, method, kind):
    run(my_tasks.Failing(method=method, kind=kind))
    (shown,) = [r for r in places.console.records if LINE in r.getMessage()]
    assert shown.getMessage().endswith(LINE)
    assert shown.levelname == "ERROR"
    assert shown.exc_info is None
    (post,) = places.posts
    assert post.endswith(f": {LINE}")
    (mail,) = places.mails
    assert LINE in mail
    assert "Traceback" not in mail
    assert "quoted" not in mail
    (page,) = [text for text in places.pages if text]
    assert page.strip('"') == LINE


@pytest.mark.parametrize("kind", FOR_A_USER)
def test_every_place_tells_the_same_line_of_a_stage_and_names_its_log(
    my_tasks, places, luigi_config, tmp_path, kind
):
    luigi_config("storage", "root", tmp_path / "data")
    task = my_tasks.FailingStage(year=2021, month=1, kind=kind)
    run(task)
    told = f"{LINE} (log {task.log})"
    assert task.log
    (shown,) = [r for r in places.console.records if LINE in r.getMessage()]
    assert shown.getMessage() == f"{task.label}: {told}"
    (post,) = places.posts
    assert post.endswith(f": {told}")
    (mail,) = places.mails
    assert told in mail
    assert "Traceback" not in mail
    (page,) = [text for text in places.pages if text]
    assert page.strip('"') == told


@pytest.mark.parametrize("kind", FOR_A_USER)
def test_commands_tell_the_same_line(my_tasks, monkeypatch, capsys, kind):
    error = my_tasks.ERRORS[kind]()
    logs._show_uncaught(type(error), error, None)
    assert capsys.readouterr().err == f"ERROR: {LINE}\n"

    def fail(**_options):
        raise error

    monkeypatch.setattr(write_config.command, "callback", fail)
    assert cli.main(["write-config"]) == 1
    assert capsys.readouterr().err == f"ERROR: {LINE}\n"


@pytest.mark.parametrize("kind", DEFECTS)
def test_commands_keep_the_traceback_of_a_defect(my_tasks, monkeypatch, capsys, kind):
    error = my_tasks.ERRORS[kind]()

    def fail(**_options):
        raise error

    monkeypatch.setattr(write_config.command, "callback", fail)
    with pytest.raises(type(error)) as raised:
        cli.main(["write-config"])
    logs._show_uncaught(raised.type, error, raised.tb)
    assert "Traceback (most recent call last):" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["run", "complete", "requires"])
@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_keeps_its_traceback_where_there_is_room(my_tasks, places, method, kind):
    run(my_tasks.Failing(method=method, kind=kind))
    assert "Traceback" in places.console.text
    assert "Traceback" in "".join(places.mails)
    assert "Traceback" in "".join(filter(None, places.pages))
    (post,) = places.posts
    assert post.endswith(f": {DEFECTS[kind]}")


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_a_line_wherever_it_is_met(number, as_it_is_kept):
    error = OSError(number, os.strerror(number), "/tmp/luigi/1.pid")  # noqa: S108
    line = failures.error_line(as_it_is_kept(error))
    assert line.startswith(f"{os.strerror(number)}: '/tmp/luigi/1.pid': make room on that disk")


def test_another_error_of_the_system_is_a_defect():
    assert failures.error_line(OSError(errno.EBADF, "a defect")) is None
