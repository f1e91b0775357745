import io
import logging
import re
import sys
import traceback
import types
import warnings
from pathlib import Path

import luigi
import pytest
from luigi.parameter import MissingParameterException, UnknownParameterException
from luigi.rpc import RPCError
from luigi.setup_logging import InterfaceLogging
from luigi.task_register import TaskClassException

from taxi_pipeline import errors, redaction
from taxi_pipeline.errors import InvalidConfig, MonthNotPublished, StorageError, TaxiPipelineError
from taxi_pipeline.observability import failures, logs

LINE = "green 2031-01: not published yet; choose an earlier month (100% sure)"
USER_ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TaxiPipelineError)
]


@pytest.fixture
def at_level(monkeypatch):
    """Sets the level of Luigi's logger."""

    def set_level(level):
        monkeypatch.setattr(logs.LUIGI_LOGGER, "level", level)
        logs.LUIGI_LOGGER.manager._clear_cache()

    set_level(logging.INFO)
    yield set_level
    logs.LUIGI_LOGGER.manager._clear_cache()


class FailingTask(luigi.Task):
    """Fails with what stands in `error`, where `place` says."""

    place = luigi.Parameter()
    error = None

    def complete(self):
        if self.place == "complete":
            raise self.error
        return False

    def requires(self):
        if self.place == "requires":
            raise self.error
        return []

    def run(self):
        raise self.error


class LabelledTask(luigi.Task):
    label = "LabelledTask green 2021-01"


class LoggedTask(LabelledTask):
    log = "data/logs/1.log"


class AwaitedTask(luigi.Task):
    run = None
    waiting = "green 2031-01: not published yet (100% sure)"

    def complete(self):
        return False


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def record(message, *arguments, level=logging.INFO, module="worker", error=None):
    return logging.LogRecord(
        "luigi-interface",
        level,
        f"/somewhere/luigi/{module}.py",
        1,
        message,
        arguments,
        caught(error) if error else None,
    )


def shown(logged):
    """What the console shows of a record; None if it is left out."""
    if not logs.ReadableFilter().filter(logged):
        return None
    return logging.Formatter("%(levelname)s: %(message)s").format(logged)


def will_not_run(error, method="complete"):
    """Luigi's message about an error while it schedules, as its worker writes it."""
    formatted = "".join(traceback.format_exception(*caught(error)))
    message = f"Will not run T() or any dependencies due to error in {method}() method:\n"
    return record(message + formatted, level=logging.WARNING)


# --- failures that a user can mend ------------------------------------------------------------


@pytest.mark.parametrize("kind", USER_ERRORS)
def test_a_failure_for_a_user_becomes_its_one_line_at_error(at_level, kind):
    logged = record("Worker failed %s", "T()", level=logging.ERROR, error=kind(LINE))
    assert shown(logged) == f"ERROR: {LINE}"


@pytest.mark.parametrize(
    ("task", "line", "expected"),
    [
        (LabelledTask(), "disk full", "LabelledTask green 2021-01: disk full"),
        (LabelledTask(), "green 2021-01: too few", "LabelledTask: green 2021-01: too few"),
        (
            LabelledTask(),
            "green 2021-02: too few",
            "LabelledTask green 2021-01: green 2021-02: too few",
        ),
        (FailingTask(place="run"), "disk full", "FailingTask(place=run): disk full"),
        (
            LoggedTask(),
            "disk full",
            "LabelledTask green 2021-01: disk full (log data/logs/1.log)",
        ),
    ],
)
def test_the_line_names_the_task_once(at_level, task, line, expected):
    logged = record("[pid %s] %s", 1, task, level=logging.ERROR, error=InvalidConfig(line))
    assert shown(logged) == f"ERROR: {expected}"


@pytest.mark.parametrize("method", ["complete", "deps"])
@pytest.mark.parametrize("kind", USER_ERRORS)
def test_a_formatted_traceback_of_a_failure_for_a_user_becomes_one_line(at_level, kind, method):
    assert shown(will_not_run(kind(LINE), method)) == f"ERROR: {LINE}"


def test_a_failure_that_followed_from_another_becomes_its_own_line(at_level):
    cause = OSError("disk full")
    error = InvalidConfig(LINE)
    error.__cause__ = cause
    assert shown(will_not_run(error)) == f"ERROR: {LINE}"
    logged = record("failed", level=logging.ERROR, error=error)
    assert shown(logged) == f"ERROR: {LINE}"


def test_a_scheduler_that_does_not_answer_becomes_one_line_with_ways_out(at_level):
    error = RPCError("Errors (2 attempts) when connecting to remote scheduler", OSError())
    line = shown(record("Uncaught exception", level=logging.ERROR, error=error, module="retcodes"))
    assert line.startswith("ERROR: no central scheduler answers: start one (taxi-pipeline luigid)")
    assert "--local-scheduler" in line
    assert "Errors (2 attempts)" in line
    assert "\n" not in line


def test_an_unknown_task_becomes_one_line_with_the_tasks_that_there_are(at_level):
    with pytest.raises(TaskClassException) as raised:
        luigi.task_register.Register.get_task_cls("LabeledTask")
    line = failures.error_line(raised.value)
    assert line == "No task LabeledTask: did you mean LabelledTask?"
    with pytest.raises(TaskClassException) as raised:
        luigi.task_register.Register.get_task_cls("Zzzzzz")
    line = failures.error_line(raised.value)
    # Tasks of other tests are known as well.
    assert re.match(r"No task Zzzzzz; there are (\w+, )*ApplyGate, ", line)
    assert "\n" not in line


@pytest.mark.parametrize("kind", [MissingParameterException, UnknownParameterException])
def test_a_wrong_use_of_parameters_becomes_one_line_that_points_to_help(at_level, kind):
    error = kind("T[args=(), kwargs={}]: takes no such parameter")
    line = shown(record("Uncaught exception", level=logging.ERROR, error=error, module="retcodes"))
    assert line == f"ERROR: {error} (taxi-pipeline run TASK --help shows the parameters)"


# --- everything else --------------------------------------------------------------------------


def test_a_defect_keeps_its_traceback(at_level):
    line = shown(record("failed", level=logging.ERROR, error=RuntimeError("a defect")))
    assert line.startswith("ERROR: failed\nTraceback (most recent call last):\n")
    assert line.endswith("\nRuntimeError: a defect")


def test_a_defect_that_followed_from_a_failure_for_a_user_keeps_its_traceback(at_level):
    error = RuntimeError("a defect")
    error.__context__ = InvalidConfig(LINE)
    assert "RuntimeError: a defect" in shown(will_not_run(error))
    assert "Traceback" in shown(record("failed", level=logging.ERROR, error=error))


def test_a_formatted_traceback_of_a_defect_is_left_as_it_is(at_level):
    logged = will_not_run(RuntimeError("a defect"))
    before = logged.getMessage()
    assert shown(logged) == f"WARNING: {before}"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_what_the_worker_tells_of_its_talk_with_the_scheduler_is_left_out(at_level, level):
    assert shown(record("Asking scheduler for work...", level=level)) is None


def test_a_retry_of_the_call_to_the_scheduler_is_left_out(at_level):
    logged = record("Failed connecting", level=logging.WARNING, module="rpc", error=OSError())
    assert shown(logged) is None


def test_nothing_is_left_out_at_level_debug(at_level):
    at_level(logging.DEBUG)
    assert shown(record("Asking %s for work", "it")) == "INFO: Asking it for work"


def test_a_warning_of_the_worker_is_shown(at_level):
    logged = record("Data for %s does not exist (yet?).", "T()", level=logging.WARNING)
    assert shown(logged) == "WARNING: Data for T() does not exist (yet?)."


# --- what is waited for -----------------------------------------------------------------------


def missing(task):
    return record("Data for %s does not exist (yet?).", task, level=logging.WARNING)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_what_is_waited_for_is_its_line_and_no_warning(at_level, level):
    at_level(level)
    assert shown(missing(AwaitedTask())) == f"INFO: {AwaitedTask.waiting}"


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_what_is_waited_for_is_left_out_where_lines_are_not_wanted(at_level, level):
    at_level(level)
    assert shown(missing(AwaitedTask())) is None


def test_another_warning_about_what_is_waited_for_is_untouched(at_level):
    logged = record("%s is strange", AwaitedTask(), level=logging.WARNING)
    assert shown(logged) == "WARNING: AwaitedTask() is strange"


def test_a_missing_task_that_has_no_line_keeps_luigis_warning(at_level):
    line = "WARNING: Data for LabelledTask() does not exist (yet?)."
    assert shown(missing(LabelledTask())) == line


def test_luigi_shows_what_it_waits_for_as_one_line(luigi_config, at_level, caplog):
    result = luigi.build([AwaitedTask()], local_scheduler=True, detailed_summary=True)
    assert result.status == luigi.LuigiStatusCode.MISSING_EXT
    (told,) = [each for each in caplog.records if "not published" in each.getMessage()]
    assert (told.levelname, told.getMessage()) == ("INFO", AwaitedTask.waiting)
    assert not any(each.levelno > logging.INFO for each in caplog.records)


@pytest.mark.parametrize("module", ["interface", "scheduler", "retcodes", "base", "workers"])
def test_records_of_other_modules_are_untouched(at_level, module):
    assert shown(record("%d of %s", 1, "2", module=module)) == "INFO: 1 of 2"


def test_a_text_that_only_quotes_a_failure_is_untouched(at_level):
    quoted = f"taxi_pipeline.errors.InvalidConfig: {LINE}\nis what it said"
    logged = record("%s", quoted, level=logging.WARNING, module="base")
    assert shown(logged) == f"WARNING: {quoted}"


def test_what_is_told_below_a_warning_is_never_a_failure(at_level):
    quoted = f"earlier:\ntaxi_pipeline.errors.InvalidConfig: {LINE}"
    assert shown(record("%s", quoted, module="base")) == f"INFO: {quoted}"


def test_arguments_given_as_a_mapping_are_understood(at_level):
    logged = record("%(what)s", {"what": "it"}, module="base")
    assert shown(logged) == "INFO: it"


# --- a task's own file ------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    return tmp_path / "task.log"


def is_of(handler, file):
    return getattr(handler, "baseFilename", None) == str(file)


def kept_lines(file):
    """The lines of a log file, without their times."""
    stamp = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
    return [stamp.sub("", line) for line in file.read_text().splitlines()]


def test_what_any_library_logs_is_kept_while_the_task_runs_and_not_after(file):
    library = logging.getLogger("some.library")
    library.warning("before")
    with logs.log_to_file(file):
        library.warning("%d of %s", 1, "2")
        logs.logger.info("a line of the task's")
        assert kept_lines(file) == ["WARNING 1 of 2", "INFO a line of the task's"]
    library.warning("after")
    assert len(kept_lines(file)) == 2


def test_the_file_has_the_tasks_lines_whatever_the_console_shows(file, at_level):
    at_level(logging.ERROR)
    with logs.log_to_file(file):
        logs.logger.info("a line of the task's")
    assert kept_lines(file) == ["INFO a line of the task's"]


def test_what_is_said_to_the_file_is_not_on_the_console(file, caplog):
    with logs.log_to_file(file) as kept:
        kept.write("starts, 100% sure")
    assert kept_lines(file) == ["INFO starts, 100% sure"]
    assert caplog.messages == []


def test_the_file_has_the_traceback_of_a_failure(file):
    with logs.log_to_file(file) as kept:
        kept.write("failed", caught(ValueError("a defect"))[1])
    lines = kept_lines(file)
    assert lines[:2] == ["ERROR failed", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: a defect"


def test_no_handler_is_left_after_a_failure(file):
    before = list(logging.getLogger().handlers)
    with pytest.raises(KeyboardInterrupt), logs.log_to_file(file):
        raise KeyboardInterrupt
    assert logging.getLogger().handlers == before


def test_no_secret_is_in_the_file(file, monkeypatch):
    monkeypatch.setattr(redaction, "_secrets", {"hunter2222"})
    with logs.log_to_file(file) as kept:
        logging.getLogger("some.library").warning("with %s", "hunter2222")
        kept.write("with hunter2222")
        kept.write("failed", caught(OSError("hunter2222"))[1])
    text = file.read_text()
    assert "hunter2222" not in text
    assert text.count("***") == 3


def test_a_malformed_call_to_the_log_is_no_failure_of_the_task(file, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)  # not said on the standard error
    with logs.log_to_file(file):
        (handler,) = [each for each in logging.getLogger().handlers if is_of(each, file)]
        handler.handle(record("%d of", "a"))  # pytest's handlers would raise


# --- how it is installed ---------------------------------------------------------------------


def test_the_filter_is_installed_once():
    logs.install()
    logs.install()
    installed = [
        each for each in logs.LUIGI_LOGGER.filters if isinstance(each, logs.ReadableFilter)
    ]
    assert len(installed) == 1


def test_an_uncaught_failure_for_a_user_is_one_line_and_a_defect_a_traceback(capsys):
    logs._show_uncaught(*caught(InvalidConfig(LINE)))
    assert capsys.readouterr().err == f"ERROR: {LINE}\n"
    logs._show_uncaught(*caught(RuntimeError("a defect")))
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("program", "ours"), [("/usr/bin/luigi", True), ("/usr/bin/pytest", False)]
)
def test_luigis_own_command_is_known_by_its_name(monkeypatch, program, ours):
    monkeypatch.setattr(sys, "argv", [program])
    assert logs.is_luigi_command() == ours


@pytest.fixture
def own_console(monkeypatch):
    """What the console shows of records, in a process that is Luigi's command."""
    monkeypatch.setattr(logs, "LUIGI_LOGGER", logging.getLogger("a console"))
    monkeypatch.setattr(InterfaceLogging, "_default", InterfaceLogging._default)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    factory = logging.getLogRecordFactory()

    def show(*, quiet, level="INFO"):
        logs.install_console(quiet=quiet)
        stream = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            InterfaceLogging._default(types.SimpleNamespace(log_level=level))
        logs.LUIGI_LOGGER.info("a step")
        logs.LUIGI_LOGGER.warning("a problem")
        logs.LUIGI_LOGGER.info("a table\nthe last line", extra=logs.RUN_END)
        return re.sub(r"^\d\d:\d\d:\d\d ", "TIME ", stream.getvalue(), flags=re.MULTILINE)

    with warnings.catch_warnings():
        yield show
    logging.setLogRecordFactory(factory)
    logs.LUIGI_LOGGER.handlers.clear()


def test_lines_of_the_console_have_times(own_console):
    assert own_console(quiet=False).splitlines() == [
        "TIME INFO: a step",
        "TIME WARNING: a problem",
        "TIME INFO: a table",
        "the last line",
    ]


def test_a_quiet_console_shows_problems_and_the_last_line(own_console):
    assert own_console(quiet=True).splitlines() == [
        "TIME WARNING: a problem",
        "TIME INFO: the last line",
    ]


def test_the_level_that_is_asked_for_counts_for_the_last_line_too(own_console):
    assert own_console(quiet=False, level="WARNING") == "TIME WARNING: a problem\n"


def test_what_tasks_log_is_shown_as_it_is(at_level, caplog):
    logs.logger.info("%s: %d rows", "IngestTrips green 2021-01", 7)
    assert caplog.messages == ["IngestTrips green 2021-01: 7 rows"]
    assert caplog.records[0].levelname == "INFO"


# --- with Luigi itself ------------------------------------------------------------------------


@pytest.fixture
def console(luigi_config, at_level, caplog, monkeypatch):
    """The lines that Luigi logs while a task fails at a place with an error."""

    def run(place, error):
        monkeypatch.setattr(FailingTask, "error", error)
        luigi.build([FailingTask(place=place)], local_scheduler=True)
        formatter = logging.Formatter("%(levelname)s: %(message)s")
        return [formatter.format(logged) for logged in caplog.records]

    return run


@pytest.mark.parametrize("place", ["run", "complete", "requires"])
def test_luigi_shows_a_failure_for_a_user_as_one_line(console, place):
    prefix = "FailingTask(place=run): " if place == "run" else ""
    lines = console(place, MonthNotPublished(LINE))
    assert [line for line in lines if LINE in line] == [f"ERROR: {prefix}{LINE}"]
    assert not any("Traceback" in line for line in lines)


@pytest.mark.parametrize("place", ["run", "complete", "requires"])
def test_luigi_shows_a_defect_with_its_traceback(console, place):
    lines = console(place, RuntimeError("a defect"))
    (line,) = [line for line in lines if "a defect" in line]
    assert "Traceback (most recent call last)" in line


def test_luigi_shows_its_summary_but_not_its_talk_with_the_scheduler(console):
    lines = console("run", MonthNotPublished(LINE))
    assert any("===== Luigi Execution Summary =====" in line for line in lines)
    assert not any("Asking scheduler" in line or "Informed scheduler" in line for line in lines)


def test_luigi_shows_its_talk_with_the_scheduler_at_level_debug(console, at_level):
    at_level(logging.DEBUG)
    lines = console("run", MonthNotPublished(LINE))
    assert any("Informed scheduler" in line for line in lines)


def test_luigi_shows_what_ends_a_run_once(console, monkeypatch, caplog):
    error = StorageError(LINE)

    def refuse(_worker, _task):
        raise error

    monkeypatch.setattr(luigi.worker.Worker, "_validate_task", refuse)
    with pytest.raises(StorageError):
        console("run", None)
    # What Luigi's command does at its end.
    logs.LUIGI_LOGGER.error("Uncaught exception in luigi", exc_info=error)
    assert [record.getMessage() for record in caplog.records if LINE in record.getMessage()] == [
        LINE
    ]
    # The same line of another error is another failure.
    logs.LUIGI_LOGGER.error("Uncaught exception in luigi", exc_info=StorageError(LINE))
    assert sum(LINE in record.getMessage() for record in caplog.records) == 2


@pytest.fixture
def full_disk():
    """A file that takes nothing."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    return Path("/dev/full")


def test_a_log_that_its_disk_does_not_take_is_told_of_once_and_nothing_fails(
    full_disk, caplog, capsys
):
    with logs.log_to_file(full_disk) as kept:
        for number in range(3):
            logs.logger.info("line %d", number)
        kept.write("starts")
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warning.getMessage() == "the log /dev/full is cut short: No space left on device"
    assert capsys.readouterr().err == ""


def test_a_log_takes_names_that_are_no_text(tmp_path, monkeypatch):
    # What pytest captures is sent to another process, which takes text only.
    monkeypatch.setattr(logs.logger, "propagate", False)
    with logs.log_to_file(tmp_path / "1.log") as kept:
        kept.write("root a\udcffb")
    assert r"root a\udcffb" in (tmp_path / "1.log").read_text()


def test_a_line_is_appended_to_a_log_in_its_form(tmp_path):
    file = tmp_path / "1.log"
    with logs.log_to_file(file) as kept:
        kept.write("starts")
    logs.append_line(file, "ended by SIGINT")
    begin, end = file.read_text().splitlines()
    assert begin.endswith(" INFO starts")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING ended by SIGINT", end)
