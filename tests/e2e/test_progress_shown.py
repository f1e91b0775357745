"""Who watches a run on a terminal sees one bar below the lines, and none when it has ended."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from command_line import SMALL
from processes import clean_environment

PROGRAM = Path(sys.executable).with_name("taxi-pipeline")
MONTH = ("--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
LINE = re.compile(r"\d\d:\d\d:\d\d INFO: \S.*")
BAR = re.compile(r" *(\d+%\|.{10}\| )?\[(\d+)/5\] \w+ green 2021-01.*")


def screen_of(folder, *arguments):
    """What a run writes to a terminal: the states of each line, the last of which stays."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    with subprocess.Popen(
        [PROGRAM, *arguments], stderr=theirs, cwd=folder, env=clean_environment()
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # Linux tells so that the other side has ended
            pass
        os.close(ours)
        assert process.wait(60) == 0
    return [line.split("\r") for line in written.decode().replace("\r\n", "\n").split("\n")]


def test_a_bar_shows_which_task_of_how_many_runs_and_goes(tmp_path):
    lines = screen_of(tmp_path, "run", "TrainModel", *MONTH)
    drawn = [BAR.fullmatch(state) for line in lines for state in line if "[" in state]
    assert drawn
    assert all(drawn)
    numbers = [int(found[2]) for found in drawn]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 5
    assert any("round " in found[0] for found in drawn)
    assert any("trial " in found[0] for found in drawn)
    # What stays is the log, each line of it whole.
    stay = [line[-1].rstrip() for line in lines]
    assert sum(bool(LINE.fullmatch(line)) and " -> data/" in line for line in stay) == 5
    assert not any("%|" in line for line in stay)


def test_quiet_has_no_bar(tmp_path):
    lines = screen_of(tmp_path, "run", "--quiet", "TransformTrips", *MONTH)
    assert len(lines) == 2
    assert "rows kept; it is in data/transform/" in lines[0][-1]
