"""What the demo says at its end names files that are there and commands that work."""

import re
import sys
from pathlib import Path

from command_line import CommandLine
from places import REPOSITORY
from processes import python, run

FLAGS = ("--source-url", "synthetic://?rows=20000", "--tuning-trials", "4")


def test_the_report_comes_first_and_the_commands_work(tmp_path):
    line = CommandLine(tmp_path)
    made = line(
        *("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear"),
        *("--storage-root", "demo", "--local-scheduler", *FLAGS),
    )
    assert made.returncode == 0, made.stderr
    script = REPOSITORY / "scripts" / "demo_summary.py"
    answer = python(tmp_path, str(script), "demo/register/green/2021-01/linear-w1")
    assert answer.returncode == 0, answer.stderr
    look = answer.stdout.partition("Look at it:\n")[2].replace("\\\n", " ")
    first, status, *_ = look.splitlines()
    assert (tmp_path / re.search(r"its report +(\S+) ", first)[1]).is_file()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    command = status[status.index(".venv/bin") :]
    told = run(["bash", "-c", command], tmp_path, environment=line.environment)
    assert told.stdout.splitlines()[-1] == "1 model, nothing to run."
    assert "luigi" not in look
