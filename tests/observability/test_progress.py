"""A terminal has one bar of the task that runs, and a log a line now and then."""

import io
import logging
import os

import pytest

from taxi_pipeline.observability import logs, progress
from taxi_pipeline.observability.progress import Progress


class Terminal(io.StringIO):
    """A terminal's screen: what stands in its lines in the end."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def lines(self):
        shown = []
        for written in self.getvalue().split("\n"):
            line = ""
            for part in written.split("\r"):
                line = part + line[len(part) :]
            shown.append(line.rstrip())
        return shown


@pytest.fixture
def clock(monkeypatch):
    """The time, which goes on when it is told to."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    return Terminal()


@pytest.fixture
def told(caplog):
    """The lines of the log."""
    caplog.set_level(logging.INFO)
    return caplog


def shown(progress, clock, *steps, seconds=20.0):
    """Show the steps, so many seconds after each other."""
    for step in steps:
        clock.now += seconds
        progress.show(*step)


def test_a_log_has_a_line_each_half_minute_with_what_is_left(clock, told):
    of_log = Progress()
    of_log.begin("[2/3] TrainModel")
    shown(of_log, clock, *((f"round {done}/100", done, 100) for done in (10, 20, 30, 40)))
    assert told.messages == [
        "[2/3] TrainModel: round 20/100; 40 s so far, about 1 min 20 s left",
        "[2/3] TrainModel: round 40/100; 1 min 20 s so far, about 1 min 30 s left",
    ]


def test_what_is_short_or_done_has_no_line(clock, told):
    of_log = Progress()
    of_log.begin("IngestTrips")
    shown(of_log, clock, ("1 MB of 2 MB", 1, 2))
    of_log.end()
    of_log.begin("TransformTrips")
    shown(of_log, clock, ("1 of 2", 1, 2), ("2 of 2", 2, 2))
    assert told.messages == []


def test_the_time_that_is_left_is_that_of_what_is_counted_now(clock, told):
    of_log = Progress(seconds=5)
    of_log.begin("TrainModel")
    shown(of_log, clock, ("encoding",), seconds=100)
    shown(of_log, clock, ("round 1/4", 1, 4), seconds=0)
    shown(of_log, clock, ("round 2/4", 2, 4), seconds=10)
    assert told.messages == [
        "TrainModel: encoding; 1 min 40 s so far",
        "TrainModel: round 2/4; 1 min 50 s so far, about 10 s left",
    ]


def test_outside_a_run_nothing_is_shown(clock, told, terminal):
    shown(Progress(terminal), clock, ("round 1/2", 1, 2), ("round 2/2", 2, 2))
    assert told.messages == []
    assert terminal.getvalue() == ""


def test_a_terminal_has_one_bar_that_goes_at_the_end(clock, told, terminal):
    of_terminal = Progress(terminal)
    for label in ("IngestTrips", "TransformTrips"):
        of_terminal.begin(label)
        shown(of_terminal, clock, ("1 of 4", 1, 4), ("2 of 4", 2, 4), seconds=1)
        assert terminal.lines() == [f" 50%|█████     | {label}: 2 of 4; 2 s so far, about 1 s left"]
        of_terminal.end()
        assert terminal.lines() == [""]
    assert told.messages == []


def test_a_step_without_a_count_is_told_in_words(clock, terminal):
    of_terminal = Progress(terminal)
    of_terminal.begin("TrainModel")
    shown(of_terminal, clock, ("encoding 5 trips",), seconds=1)
    assert terminal.lines() == ["TrainModel: encoding 5 trips; 1 s so far"]
    of_terminal.end()


def test_lines_of_the_log_stand_above_the_bar(clock, terminal):
    handler = logs._ConsoleHandler(terminal)
    of_terminal = Progress(terminal)
    of_terminal.begin("TrainModel")
    shown(of_terminal, clock, ("1 of 4", 1, 4), seconds=1)
    handler.handle(logging.LogRecord("", logging.INFO, "", 0, "green 2021-01: odd", (), None))
    assert terminal.lines() == [
        "green 2021-01: odd",
        " 25%|██▌       | TrainModel: 1 of 4; 1 s so far, about 0 s left",
    ]
    of_terminal.end()


def test_a_task_in_a_process_of_its_own_has_lines_also_on_a_terminal(
    clock, told, terminal, monkeypatch
):
    of_terminal = Progress(terminal)
    of_terminal.begin("TrainModel")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    shown(of_terminal, clock, ("1 of 4", 1, 4), seconds=31)
    assert len(told.messages) == 1
    assert terminal.getvalue() == ""
