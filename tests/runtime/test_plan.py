import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar

import luigi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline import (
    BackfillMonths,
    EvaluateModel,
    IngestTrips,
    Month,
    PublishedTrips,
    RegisterModel,
    TransformTrips,
)
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step, as_text
from taxi_pipeline.tasks import publication
from taxi_pipeline.trips.synthetic import month as synthetic

# Relative, so that a finished folder can be copied with all that it knows.
SOURCE = "published/{taxi}_tripdata_{year}-{month:02d}.parquet"
TRACKING = "sqlite:///mlflow.db"
MODEL = ("RegisterModel", "--year", "2021", "--month", "1", "--recipe", "linear")

# A luigi.cfg or variables of the developer's own must not take part.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("LUIGI")}


def publish(folder, month, seed=0):
    synthetic.write_month(
        folder / f"green_tripdata_{month}.parquet", "green", month, rows=2000, seed=seed
    )


def command(folder, *arguments):
    """``python -m taxi_pipeline`` as a process in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "taxi_pipeline", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=60,
    )


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A folder in which a model was registered, from files published up to February."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "published").mkdir()
    for month in (Month(2021, 1), Month(2021, 2)):
        publish(folder / "published", month)
    result = subprocess.run(
        [
            *(Path(sys.executable).with_name("luigi"), "--module", "taxi_pipeline", *MODEL),
            *("--source-url", SOURCE, "--tracking-uri", TRACKING, "--local-scheduler"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def configure(luigi_config, monkeypatch):
    """Sets options; nothing is known of what is published."""
    monkeypatch.setattr(publication, "_KNOWN", set())
    return luigi_config


@pytest.fixture
def finished(finished_once, tmp_path, monkeypatch, configure):
    folder = tmp_path / "copy"
    shutil.copytree(finished_once, folder)
    monkeypatch.chdir(folder)
    configure("source", "url", SOURCE)
    configure("tracking", "uri", TRACKING)
    return folder


@pytest.fixture
def empty(tmp_path, monkeypatch, configure):
    """A folder in which nothing was run; the source has published all to February 2021."""
    monkeypatch.chdir(tmp_path)
    configure("source", "url", "synthetic://?rows=2000&last=2021-02")
    return tmp_path


@contextlib.contextmanager
def untouched(folder):
    """Nothing under a folder is written, made or removed within."""

    def tree():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    before = tree()
    yield
    assert tree() == before


def model(month=1):
    return RegisterModel(year=2021, month=month, recipe="linear")


def by_label(steps):
    assert len({step.label for step in steps}) == len(steps)
    return {step.label: step for step in steps}


def labels(steps, state):
    return {step.label for step in steps if step.state == state}


def assert_in_order(steps):
    known = set()
    for step in steps:
        assert known.issuperset(step.requires)
        known.add(step.label)


# --- what is planned --------------------------------------------------------------------------


def test_all_of_what_was_never_run_is_to_be_made(empty):
    with untouched(empty):
        steps = plan.plan(model())
    assert_in_order(steps)
    assert labels(steps, "done") == {"PublishedTrips green 2021-01", "PublishedTrips green 2021-02"}
    assert len(labels(steps, "runs")) == len(steps) - 2 == 10
    found = by_label(steps)
    assert found["IngestTrips green 2021-01"].reason == "not made yet"
    assert found["TransformTrips green 2021-01"] == Step(
        "TransformTrips green 2021-01",
        "runs",
        "after IngestTrips green 2021-01",
        ("IngestTrips green 2021-01",),
    )
    assert steps[-1].label == "RegisterModel green 2021-01 linear-w1"


def test_of_what_is_there_nothing_is_to_be_run(finished):
    with untouched(finished):
        steps = plan.plan(model())
    assert steps == [Step("RegisterModel green 2021-01 linear-w1", "done", "", ())]
    assert as_text(steps).splitlines() == [
        "done   RegisterModel green 2021-01 linear-w1",
        "1 done. There is nothing to run.",
    ]


def test_what_is_missing_of_what_was_made_is_made_from_the_rest(finished):
    shutil.rmtree("data/evaluate")
    shutil.rmtree("data/register")
    steps = plan.plan(model())
    made = {"EvaluateModel green 2021-01 linear-w1", "RegisterModel green 2021-01 linear-w1"}
    assert labels(steps, "runs") == made
    assert {step.reason for step in steps if step.state == "runs"} == {"not made yet"}
    assert "TrainModel green 2021-01 linear-w1" in labels(steps, "done")


def test_after_a_change_of_configuration_each_step_says_what_changed(finished, configure):
    configure("cleaning", "max_minutes", "90")
    with untouched(finished):
        steps = plan.plan(model())
    assert_in_order(steps)
    assert labels(steps, "done") == {"IngestTrips green 2021-01", "IngestTrips green 2021-02"}
    found = by_label(steps)
    for month in ("2021-01", "2021-02"):
        reason = found[f"TransformTrips green {month}"].reason
        assert reason == "cleaning.max_minutes was 60.0, is 90.0"
        reason = found[f"BuildFeatures green {month}"].reason
        assert reason == f"TransformTrips green {month} changed"


def test_a_change_that_few_steps_read_touches_no_others(finished, configure):
    configure("gate", "min_gain", "0.5")
    steps = plan.plan(model())
    assert labels(steps, "runs") == {"RegisterModel green 2021-01 linear-w1"}
    assert steps[-1].reason == "gate.min_gain was 0.0, is 0.5"


def test_what_a_run_makes_again_is_what_the_plan_said(finished, configure):
    configure("cleaning", "max_minutes", "90")
    task = EvaluateModel(year=2021, month=1, recipe="linear")
    said = labels(plan.plan(task), "runs")
    before = set(finished.rglob("manifest.json"))
    assert luigi.build([task], local_scheduler=True)
    made = set(finished.rglob("manifest.json")) - before
    assert {re.search(r'"label": "(.+)"', path.read_text())[1] for path in made} == said


def test_a_republished_source_is_named(finished):
    publish(finished / "published", Month(2021, 2), seed=99)
    shutil.rmtree("data/ingest/green/2021-02")
    february = IngestTrips(year=2021, month=2)
    found = by_label(plan.plan(model()))
    # What it holds is not known before it is there.
    transform = found["TransformTrips green 2021-02"]
    assert (transform.state, transform.reason) == ("runs", f"after {february.label}")

    assert luigi.build([february], local_scheduler=True)
    with untouched(finished):
        found = by_label(plan.plan(model()))
    assert found[february.label].state == "done"
    reason = "source republished (green 2021-02)"
    assert found["TransformTrips green 2021-02"].reason == reason
    assert reason in found["RegisterModel green 2021-01 linear-w1"].reason.split("; ")
    assert found["TrainModel green 2021-01 linear-w1"].state == "done"


def test_what_needs_an_unpublished_month_waits_and_the_rest_runs(empty):
    steps = plan.plan(model(month=2))
    assert_in_order(steps)
    source = "PublishedTrips green 2021-03"
    assert labels(steps, "waits") == {
        source,
        *(f"{task} green 2021-03" for task in ("IngestTrips", "TransformTrips", "BuildFeatures")),
        *(f"{task} green 2021-02 linear-w1" for task in ("EvaluateModel", "RegisterModel")),
    }
    assert "TrainModel green 2021-02 linear-w1" in labels(steps, "runs")
    found = by_label(steps)
    assert found[source].reason == PublishedTrips(year=2021, month=3).waiting
    assert {found[label].reason for label in labels(steps, "waits") - {source}} == {f"for {source}"}


def test_a_plan_in_which_all_waits_says_so(empty):
    steps = plan.plan(TransformTrips(year=2021, month=3))
    assert labels(steps, "waits") == {step.label for step in steps}
    assert as_text(steps).endswith("\n3 waits. There is nothing to run now.")


def test_of_a_range_the_months_that_are_missing_are_planned(finished):
    arguments = {"of": RegisterModel, "of_params": {"recipe": "linear"}}
    backfill = BackfillMonths(**arguments, start=Month(2020, 12), stop=Month(2021, 3))
    publish(finished / "published", Month(2020, 12))
    with untouched(finished):
        steps = plan.plan(backfill)
    assert_in_order(steps)
    assert steps[-1] == Step(
        "BackfillMonths of RegisterModel 2020-12 to 2021-02",
        "waits",
        "for PublishedTrips green 2021-03",
        ("RegisterModel green 2020-12 linear-w1", "RegisterModel green 2021-02 linear-w1"),
    )
    assert "RegisterModel green 2021-01 linear-w1" not in by_label(steps)
    assert "BuildFeatures green 2021-01" in labels(steps, "done")


def test_of_a_range_that_is_there_nothing_is_to_be_run(finished):
    arguments = {"of": RegisterModel, "of_params": {"recipe": "linear"}}
    steps = plan.plan(BackfillMonths(**arguments, start=Month(2021, 1), stop=Month(2021, 2)))
    assert [step.state for step in steps] == ["done"]


# --- any graph --------------------------------------------------------------------------------


class Node(luigi.Task):
    """A task of a graph that a test makes up."""

    name = luigi.Parameter()
    needed: ClassVar = {}
    done: ClassVar = set()

    @property
    def label(self):
        return self.name

    def requires(self):
        return [node(name) for name in self.needed[self.name]]

    def complete(self):
        return self.name in self.done

    def run(self):
        """Never called."""


class OutsideNode(Node):
    run = None


def node(name):
    return (OutsideNode if name.startswith("outside") else Node)(name=name)


@st.composite
def graphs(draw):
    """What each node needs, of those before it, and which are done; the last needs something."""
    names = []
    needed = {}
    for number in range(draw(st.integers(1, 8))):
        name = f"{draw(st.sampled_from(['node', 'outside']))} {number}."
        needed[name] = (
            draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
            if names and name.startswith("node")
            else []
        )
        names.append(name)
    return needed, draw(st.sets(st.sampled_from(names)))


def planned(graph):
    Node.needed, Node.done = graph
    return plan.plan(node(list(Node.needed)[-1]))


@given(graphs())
def test_steps_come_in_an_order_in_which_they_could_be_taken(graph):
    steps = planned(graph)
    assert_in_order(steps)
    assert steps[-1].label == list(graph[0])[-1]
    by_label(steps)


@given(graphs())
def test_a_step_runs_unless_it_is_done_or_needs_what_waits(graph):
    needed, done = graph
    found = by_label(planned(graph))
    for label, step in found.items():
        if label in done:
            assert (step.state, step.reason, step.requires) == ("done", "", ())
            continue
        assert step.requires == tuple(needed[label])
        waits = label.startswith("outside") or any(
            found[name].state == "waits" for name in needed[label]
        )
        assert step.state == ("waits" if waits else "runs")


def test_a_task_of_another_kind_counts_what_is_to_run():
    steps = planned(
        ({"node 1.": [], "node 2.": [], "node 3.": ["node 1.", "node 2."]}, {"node 1."})
    )
    assert steps[-1].reason == "1 task to run"


# --- as text ----------------------------------------------------------------------------------


@given(graphs())
@settings(max_examples=50)
def test_the_text_tells_each_step_and_spells_it_out_once(graph):
    steps = planned(graph)
    *lines, summary = as_text(steps).splitlines()
    assert len(lines) == 1 + sum(len(step.requires) for step in steps)
    for step in steps:
        told = [line for line in lines if step.label in line.partition(": ")[0]]
        assert all(line.startswith(step.state) for line in told)
        first, *others = told
        assert first.endswith(f"{step.label}{': ' * bool(step.reason)}{step.reason}")
        ending = f"{step.label}{' (see above)' * bool(step.requires)}"
        assert all(line.endswith(ending) for line in others)
    counts = {state: int(number) for number, state in re.findall(r"(\d+) (\w+)", summary)}
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
        plan.summary(steps),
    ]
    assert plan.summary(steps).startswith("1 done, 1 runs, 2 waits. Nothing was run: luigi ")


# --- as a drawing -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "begin"), [("plan.svg", b"<?xml"), ("plan.png", b"\x89PNG")])
def test_a_plan_is_drawn(empty, name, begin):
    plan.draw(plan.plan(model(month=2)), empty / name)
    assert (empty / name).read_bytes().startswith(begin)


def test_a_drawing_tells_each_step(empty):
    steps = plan.plan(model(month=2))
    plan.draw(steps, empty / "plan.svg")
    drawn = (empty / "plan.svg").read_text()
    for step in steps:
        family, _, rest = step.label.partition(" ")
        # Letters are drawn as curves; the text stands in comments.
        assert f"<!-- {family} -->\n" in drawn
        assert f"<!-- {rest} -->\n" in drawn
    for colour in plan.COLOURS.values():
        assert f"fill: {colour}" in drawn


def test_a_plan_of_one_step_is_drawn(tmp_path):
    plan.draw([Step("RegisterModel green 2021-01 trip-w1", "done", "", ())], tmp_path / "one.svg")
    assert "<!-- RegisterModel -->" in (tmp_path / "one.svg").read_text()


def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(InvalidParameter, match=r"^--draw .*plan\.soup: ") as raised:
        plan.draw([Step("a", "done", "", ())], tmp_path / "plan.soup")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


# --- the command ------------------------------------------------------------------------------

SYNTHETIC = ("--source-url", "synthetic://?rows=2000&last=2021-02")


def test_the_command_prints_the_plan_and_writes_nothing(empty):
    with untouched(empty):
        result = command(empty, "plan", *MODEL, *SYNTHETIC)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{as_text(plan.plan(model()))}\n"


def test_the_command_draws_the_plan_and_says_where(empty):
    result = command(empty, "plan", "--draw", "plan.svg", *MODEL, *SYNTHETIC)
    assert result.returncode == 0, result.stderr
    assert "plan.svg" in result.stdout.splitlines()[-1]
    assert [path.name for path in empty.iterdir()] == ["plan.svg"]


def test_the_flags_of_a_run_may_stay(empty):
    flags = ("--local-scheduler", "--workers", "2", "--log-level", "WARNING")
    assert command(empty, "plan", *MODEL, *SYNTHETIC, *flags).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("RegistrModel", *MODEL[1:]), "No task RegistrModel. Did you mean: RegisterModel"),
        (("RegisterModel", "--year", "2021", "--month", "13"), "--month is '13': it must be"),
        (("RegisterModel", "--year", "2021"), "requires the 'month' parameter"),
        ((*MODEL, "--cleaning-max-minutes", "soon"), "[cleaning] max_minutes is 'soon'"),
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


def test_a_drawing_is_where_it_is_said_to_be(tmp_path):
    result = command(tmp_path, "plan", "--draw", "plan", *MODEL, *SYNTHETIC)
    drawn = [path.name for path in tmp_path.iterdir()]
    assert result.returncode == 1 or f" {drawn[0]}." in result.stdout.splitlines()[-1]


def test_who_reads_the_plan_may_stop_early(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "taxi_pipeline", "plan", *MODEL, *SYNTHETIC],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    ) as process:
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
