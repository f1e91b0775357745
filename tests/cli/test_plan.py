"""A plan as text, and the command that prints it."""

import re
import shlex
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from plan_folders import MODEL, model, untouched
from processes import clean_environment, python, run
from task_graphs import graphs, planned

from taxi_pipeline.cli.plan import as_text, summary
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step

SYNTHETIC = ("--source-url", "synthetic://?rows=2000&last=2021-02")


def command(folder, *arguments):
    """``python -m taxi_pipeline`` as a process in a folder."""
    return python(folder, "-m", "taxi_pipeline", *arguments)


@given(graphs())
@settings(max_examples=50)
def test_the_text_tells_each_step_and_spells_it_out_once(graph):
    steps = planned(graph)
    *lines, counted = as_text(steps).splitlines()
    assert len(lines) == 1 + sum(len(step.requires) for step in steps)
    for step in steps:
        told = [line for line in lines if step.label in line.partition(": ")[0]]
        assert all(line.startswith(step.state) for line in told)
        first, *others = told
        assert first.endswith(f"{step.label}{': ' * bool(step.reason)}{step.reason}")
        ending = f"{step.label}{' (see above)' * bool(step.requires)}"
        assert all(line.endswith(ending) for line in others)
    counts = {state: int(number) for number, state in re.findall(r"(\d+) (\w+)", counted)}
    assert counts == Counter(step.state for step in steps)


def test_the_text_is_a_tree_with_what_is_asked_for_at_its_top():
    steps = [
        Step("a", "done", "", ()),
        Step("b", "runs", "not made yet", ("a",)),
        Step("c", "waits", "for d", ("a", "b")),
        Step("e", "waits", "for d", ("b", "c", "a")),
    ]
    assert as_text(steps).splitlines() == [
        "waits  e: for d",
        "runs   ├─ b: not made yet",
        "done   │  └─ a",
        "waits  ├─ c: for d",
        "done   │  ├─ a",
        "runs   │  └─ b (see above)",
        "done   └─ a",
        summary(steps),
    ]
    assert summary(steps).startswith("1 done, 1 runs, 2 waits. Nothing was run: taxi-")


def test_the_command_prints_the_plan_and_writes_nothing(empty):
    with untouched(empty):
        result = command(empty, "plan", *MODEL, *SYNTHETIC)
    assert (result.returncode, result.stderr) == (0, "")
    run_it = shlex.join(["taxi-pipeline", "run", *MODEL, *SYNTHETIC, "--local-scheduler"])
    assert result.stdout == f"{as_text(plan.plan(model()), run_it)}\n"


@pytest.mark.parametrize("before", [True, False], ids=["before the task", "behind it"])
def test_the_command_draws_the_plan_and_says_where(empty, before):
    given, draw = (*MODEL, *SYNTHETIC), ("--draw", "plan.svg")
    result = command(empty, "plan", *((*draw, *given) if before else (*given, *draw)))
    assert result.returncode == 0, result.stderr
    assert "plan.svg" in result.stdout.splitlines()[-1]
    assert [path.name for path in empty.iterdir()] == ["plan.svg"]


@pytest.mark.parametrize("root", ["file", "file/data"])
def test_a_root_that_is_no_folder_has_no_plan(tmp_path, root):
    (tmp_path / "file").touch()
    result = command(tmp_path, "plan", *MODEL, *SYNTHETIC, "--storage-root", root)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"ERROR: [storage] root {root} ")
    assert "is a file: name a folder that can be written" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc")
def test_a_plan_for_a_root_that_cannot_be_made_says_so(tmp_path):
    result = command(tmp_path, "plan", *MODEL, *SYNTHETIC, "--storage-root", "/proc/nowhere")
    assert result.returncode == 0
    assert result.stderr.startswith("WARNING: a run would fail: [storage] root /proc/nowhere ")
    assert "--storage-root" in result.stderr


def test_the_flags_of_a_run_may_stay(empty):
    flags = ("--local-scheduler", "--workers", "2", "--log-level", "WARNING")
    assert command(empty, "plan", *MODEL, *SYNTHETIC, *flags).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("RegistrModel", *MODEL[1:]), "No task RegistrModel: did you mean RegisterModel?"),
        (("RegisterModel", "--year", "2021", "--month", "13"), "--month is '13': it must be"),
        (("RegisterModel", "--year", "2021"), "RegisterModel needs --month (taxi-pipeline run R"),
        ((*MODEL, "--cleaning-max-minutes", "soon"), "[cleaning] max_minutes is 'soon'"),
        (("--draw", "plan", *MODEL, *SYNTHETIC), "--draw plan: it needs a suffix"),
        (("--draw", "plan.soup", *MODEL, *SYNTHETIC), "--draw plan.soup: "),
        (("--draw", "nowhere/plan.svg", *MODEL, *SYNTHETIC), "--draw nowhere/plan.svg: "),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, arguments, told):
    result = command(tmp_path, "plan", *arguments)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("ERROR: ")
    assert told in line
    assert list(tmp_path.iterdir()) == []


ASCII = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
}


def test_a_terminal_that_knows_ascii_alone_shows_the_tree_plainly(tmp_path):
    arguments = ("plan", "BuildFeatures", "--year", "2021", "--month", "1", *SYNTHETIC)
    command = [sys.executable, "-m", "taxi_pipeline", *arguments]
    rich = run(command, tmp_path)
    plain = run(command, tmp_path, environment=clean_environment() | ASCII)
    assert (rich.returncode, plain.returncode) == (0, 0), plain.stderr
    assert plain.stdout.isascii()
    assert plain.stdout == rich.stdout.translate(str.maketrans("└├─│", "`|-|"))
    assert "`- IngestTrips" in plain.stdout
