"""The command ``taxi-pipeline`` as a real process."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMALL
from processes import clean_environment, run

PROGRAM = Path(sys.executable).with_name("taxi-pipeline")
JANUARY = ("RegisterModel", "--year", "2021", "--month", "1", "--local-scheduler", *SMALL)
LAST = re.compile(
    r"nothing to run: nyc-green-taxi-duration-trip version 1 is (not )?champion, "
    r"RMSE \d+\.\d{4} minutes on 2021-02; models:/nyc-green-taxi-duration-trip/1, "
    r"report (data/report/green/2021-01/trip-w1/\w+/report\.html)"
)


def command(folder, *arguments, **variables):
    return run([PROGRAM, *arguments], folder, environment=clean_environment() | variables)


def test_it_says_its_version_and_how_it_is_completed(tmp_path):
    assert re.match(r"taxi-pipeline, version \d", command(tmp_path, "--version").stdout)
    script = command(tmp_path, _TAXI_PIPELINE_COMPLETE="zsh_source")
    assert (script.returncode, script.stderr) == (0, "")
    assert script.stdout.startswith("#compdef taxi-pipeline")


def test_a_dry_run_tells_the_plan_and_writes_nothing(tmp_path):
    answer = command(tmp_path, "run", "--dry-run", *JANUARY)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("runs   RegisterModel green 2021-01 trip-w1: ")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_read_by_scripts(tmp_path):
    plan = json.loads(command(tmp_path, "plan", *JANUARY, "--json").stdout)
    assert plan["task"] == "RegisterModel green 2021-01 trip-w1"
    assert plan["counts"] == {"done": 2, "runs": 13, "waits": 0, "unknown": 0}
    assert set(plan["steps"][0]) == {"label", "state", "reason", "requires"}


@pytest.mark.parametrize("how", ["run", "plan", "latest"])
def test_a_mistyped_task_is_one_line(tmp_path, how):
    answer = command(tmp_path, how, "RegistrModel", "--year", "2021")
    assert answer.returncode == 1
    assert answer.stderr == "ERROR: No task RegistrModel: did you mean RegisterModel?\n"


def test_a_quiet_run_with_nothing_to_do_says_what_there_is(finished):
    line, _ = finished
    answer = command(line.folder, "run", "--quiet", *JANUARY)
    assert (answer.returncode, answer.stdout) == (0, "")
    (said,) = answer.stderr.splitlines()
    found = LAST.fullmatch(said.removeprefix("INFO: "))
    assert (line.folder / found[2]).exists()


def test_luigis_own_command_ends_with_the_same_line_and_has_times(finished):
    line, first = finished
    assert f"nothing to run: {first.stderr.splitlines()[-1].removeprefix('INFO: ')}" == (
        line(*JANUARY).stderr.splitlines()[-1].removeprefix("INFO: ")
    )
    luigi = [PROGRAM.with_name("luigi"), "--module", "taxi_pipeline", *JANUARY]
    answer = subprocess.run(
        luigi, check=True, capture_output=True, text=True, cwd=line.folder, env=line.environment
    )
    time, _, said = answer.stderr.splitlines()[-1].partition(" INFO: ")
    assert re.fullmatch(r"\d\d:\d\d:\d\d", time)
    assert LAST.fullmatch(said)


def test_a_run_says_nothing_of_mlflow_and_alembic(finished):
    _, first = finished
    assert "version 1" in first.stderr
    assert not re.search(r"mlflow\.|alembic", first.stderr, re.IGNORECASE)


def test_telling_what_there_is_imports_nothing_heavy(finished):
    line, _ = finished
    code = (
        "import sys, runpy\n"
        "sys.argv = ['taxi-pipeline', *sys.argv[1:]]\n"
        "from taxi_pipeline.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pandas', 'mlflow', 'xgboost', 'sklearn'} & set(sys.modules)))"
    )
    for arguments in (["--help"], ["plan", *JANUARY], ["status"], ["run", *JANUARY]):
        answer = run([sys.executable, "-c", code, *arguments], line.folder)
        assert answer.stdout.splitlines()[-1] == "[]", answer.stderr
