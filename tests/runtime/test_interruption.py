"""Signals are taken over by a run and nowhere else; real runs are in tests/e2e."""

import os
import signal
import time

import pytest
from processes import python

from taxi_pipeline.runtime import interruption

INSTALL = """
import os, signal, sys, time
# A shell, or nohup, may have had these ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from taxi_pipeline.runtime import interruption
{before}
interruption.install()
{after}
"""


def said(folder, after, before=""):
    """Exit code and error output of a process that takes its signals over."""
    answer = python(folder, "-c", INSTALL.format(before=before, after=after), timeout=20)
    return answer.returncode, answer.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_before_a_run_is_one_line_and_its_exit_code(tmp_path, name, code):
    after = f"os.kill(os.getpid(), signal.{name}); time.sleep(10)"
    line = f"WARNING: {name}: ended before anything was run; the same command begins again\n"
    assert said(tmp_path, after) == (code, line)


def test_a_signal_that_is_ignored_as_by_nohup_stays_ignored(tmp_path):
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    after = "os.kill(os.getpid(), signal.SIGHUP); time.sleep(0.3)"
    assert said(tmp_path, after, before) == (0, "")


def test_a_main_thread_in_one_long_call_does_not_delay_the_end(tmp_path):
    # A lock in C that is never let go, and that no signal interrupts.
    after = (
        "import ctypes, threading\n"
        "threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()\n"
        "libc = ctypes.CDLL(None)\n"
        "mutex = ctypes.create_string_buffer(64)\n"
        "libc.pthread_mutex_lock(mutex); libc.pthread_mutex_lock(mutex)"
    )
    code, line = said(tmp_path, after)
    assert code == 143
    assert line.startswith("WARNING: SIGTERM: ")


def test_a_main_thread_that_holds_the_lock_of_the_console_does_not_hold_up_the_end(tmp_path):
    after = (
        "import logging; logging.basicConfig(); logging.getLogger().handlers[0].acquire()\n"
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(10)"
    )
    code, line = said(tmp_path, after)
    assert code == 130
    assert line.startswith("WARNING: SIGINT: ")


def test_a_forked_process_goes_on_at_ctrl_c_and_ends_at_sigterm_without_its_parent(tmp_path):
    after = (
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.kill(os.getpid(), signal.SIGINT); time.sleep(0.2)\n"
        "    os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr)"
    )
    assert said(tmp_path, after) == (0, f"{-signal.SIGTERM}\n")


def test_processes_that_the_process_has_started_end_with_it(tmp_path):
    after = (
        "import subprocess\n"
        "command = ['sh', '-c', 'sleep 60 & echo $!; wait']\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
        "print(child.pid, int(child.stdout.readline()), file=sys.stderr, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)"
    )
    code, text = said(tmp_path, after)
    assert code == 143
    for process in map(int, text.partition("\n")[0].split()):
        # What lost its parent is nobody's here who would collect it at once.
        assert not _runs(process)


def _runs(process):
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except FileNotFoundError:
        return False


def test_what_hangs_is_waited_for_no_longer_than_allowed():
    begun = time.monotonic()
    problem = interruption._bounded("it was not told", lambda: time.sleep(5), 0.1)
    assert problem == "it was not told within 0.1 s"
    assert time.monotonic() - begun < 2


def test_what_fails_is_told_with_its_cause():
    def fail():
        raise OSError("the network is down")

    problem = interruption._bounded("it was not told", fail, 5)
    assert problem == "it was not told: OSError: the network is down"
    assert interruption._bounded("it was not told", os.getpid, 5) == ""
