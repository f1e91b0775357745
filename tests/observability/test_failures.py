"""What a user reads of an error, in every place where it is shown."""

import importlib
import sys
import traceback

import luigi
import pytest
from luigi.parameter import MissingParameterException
from luigi.rpc import RPCError

from taxi_pipeline.errors import SourceError, TaxiPipelineError
from taxi_pipeline.observability import alerts, failures
from taxi_pipeline.runtime import worker as runtime

LINE = "my store is locked: unlock it"

MY_TASKS = """
import luigi

from taxi_pipeline.errors import TaxiPipelineError


class Locked(TaxiPipelineError):
    pass


class Store:
    class Locked(TaxiPipelineError):
        pass


class Failing(luigi.Task):
    method = luigi.Parameter()
    kind = luigi.Parameter()

    def _fail_in(self, method):
        if method == self.method:
            raise {"Locked": Locked, "Store.Locked": Store.Locked, "defect": KeyError}[self.kind](
                "my store is locked: unlock it"
            )

    def requires(self):
        self._fail_in("requires")
        return []

    def complete(self):
        self._fail_in("complete")
        return False

    def run(self):
        self._fail_in("run")
"""


@pytest.fixture
def my_tasks(tmp_path, monkeypatch):
    """A module of a user's own, with tasks that fail and errors of its own."""
    (tmp_path / "my_tasks.py").write_text(MY_TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("my_tasks")
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


def test_a_text_without_a_traceback_is_no_error():
    assert failures.error_line(f"taxi_pipeline.errors.SourceError: {LINE}") is None


@pytest.mark.parametrize("as_it_is_kept", [lambda error: error, formatted])
def test_without_a_scheduler_the_ways_out_are_told(as_it_is_kept):
    line = failures.error_line(as_it_is_kept(RPCError("no answer")))
    assert "--local-scheduler" in line
    assert line.endswith("(no answer)")


def test_a_wrong_use_of_parameters_points_to_help():
    assert "--help" in failures.error_line(MissingParameterException("year"))


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
        announced = runtime.LocalScheduler.add_task

        def add_task(scheduler, *arguments, **options):
            self.pages.append(options.get("expl"))
            return announced(scheduler, *arguments, **options)

        monkeypatch.setattr(runtime.LocalScheduler, "add_task", add_task)
        announced_failure = runtime.LocalScheduler.announce_scheduling_failure

        def announce(scheduler, *arguments, **options):
            self.pages.append(options.get("expl"))
            return announced_failure(scheduler, *arguments, **options)

        monkeypatch.setattr(runtime.LocalScheduler, "announce_scheduling_failure", announce)


@pytest.fixture
def places(luigi_config, monkeypatch, caplog):
    luigi_config("email", "receiver", "team@example.org")
    luigi_config("email", "force_send", "true")
    caplog.set_level("INFO", logger="luigi-interface")
    return Places(monkeypatch, caplog)


def run(task):
    luigi.build([task], local_scheduler=True, worker_scheduler_factory=runtime.Factory())


@pytest.mark.parametrize("method", ["run", "complete", "requires"])
@pytest.mark.parametrize("kind", ["Locked", "Store.Locked"])
def test_every_place_tells_the_same_line(my_tasks, places, method, kind):
    run(my_tasks.Failing(method=method, kind=kind))
    (shown,) = [r for r in places.console.records if LINE in r.getMessage()]
    assert shown.levelname == "ERROR"
    assert shown.exc_info is None
    (post,) = places.posts
    assert post.endswith(f": {LINE}")
    (mail,) = places.mails
    assert LINE in mail
    assert "Traceback" not in mail
    (page,) = [text for text in places.pages if text]
    assert page.strip('"') == LINE


@pytest.mark.parametrize("method", ["run", "complete", "requires"])
def test_a_defect_keeps_its_traceback_where_there_is_room(my_tasks, places, method):
    run(my_tasks.Failing(method=method, kind="defect"))
    assert "Traceback" in places.console.text
    assert "Traceback" in "".join(places.mails)
    assert "Traceback" in "".join(filter(None, places.pages))
    (post,) = places.posts
    assert post.endswith(f": KeyError: '{LINE}'")
