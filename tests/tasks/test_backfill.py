"""Which months of a range are run, in which order, and what is said of each at the end."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import ClassVar

import luigi
import mlflow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from luigi.task_register import Register
from processes import python

from taxi_pipeline import (
    BackfillMonths,
    EvaluateModel,
    IngestTrips,
    Month,
    PublishedTrips,
    RegisterModel,
    TransformTrips,
)
from taxi_pipeline.errors import InvalidParameter, StorageError
from taxi_pipeline.runtime.factory import Factory
from taxi_pipeline.trips.synthetic.month import write_month

LINEAR = {"recipe": "linear"}
NAME = "nyc-green-taxi-duration-linear"
# luigi_config is the same for all examples.
in_one_configuration = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class OfAnotherPackage(luigi.Task):
    year = luigi.IntParameter()
    month = luigi.IntParameter()
    note = luigi.Parameter(default="")
    silent = luigi.Parameter(default="", significant=False)
    done: ClassVar[set] = set()

    def complete(self):
        return (self.year, self.month) in self.done

    def run(self):
        self.done.add((self.year, self.month))


class OfItsOwnPriority(OfAnotherPackage):
    @property
    def priority(self):
        return self.month


class WithAPage(OfAnotherPackage):
    """A task of another package that reports on its months together."""

    broken = False

    @classmethod
    def report_months(cls, states):
        if cls.broken:
            raise StorageError("the disk is full")
        return "; ".join(f"{task.month}: {state}" for task, state in states.items())


class OfAYear(luigi.Task):
    year = luigi.IntParameter()


@pytest.fixture(autouse=True)
def nothing_done():
    OfAnotherPackage.done.clear()


@dataclass
class Ended:
    status: str
    lines: list[tuple[str, str]]

    @property
    def words(self):
        """What the backfill says at the end, line by line."""
        (said,) = [text for _, text in self.lines if "\nmonth " in text]
        return said.splitlines()

    @property
    def rows(self):
        """The table's cells of each month."""
        rows = [re.split(" {2,}", line) for line in self.words if re.match(r"\d{4}-\d\d ", line)]
        return {month: cells for month, *cells in rows}

    @property
    def states(self):
        return {month: cells[0] for month, cells in self.rows.items()}

    def made(self, family):
        """The months of the tasks that were run, in their order."""
        found = (re.match(rf"{family} \w+ ([0-9-]+).* -> ", text) for _, text in self.lines)
        return [match[1] for match in found if match]


@pytest.fixture
def backfill(pipeline, console, monkeypatch):
    """Runs a backfill as a new process would, and says how it ended."""
    # A worker sets these for its process.
    for library in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    pipeline.configure("source", "url", "synthetic://?rows=1500")

    def run(of, start, stop, **options):
        Register.clear_instance_cache()
        console.clear()
        result = luigi.build(
            [BackfillMonths(of=of, start=start, stop=stop, **options)],
            local_scheduler=True,
            detailed_summary=True,
            worker_scheduler_factory=Factory(),
        )
        said = [(record.levelname, record.getMessage()) for record in console.records]
        return Ended(result.status.name, said)

    return run


def months(task):
    return [(one.year, one.month) for one in task.tasks()]


# --- which months -----------------------------------------------------------------------------


def test_the_stop_is_the_month_after_the_last_one(luigi_config):
    task = BackfillMonths(of=TransformTrips, start="2021-11", stop="2022-02")
    assert months(task) == [(2021, 11), (2021, 12), (2022, 1)]


def test_without_a_stop_the_last_month_is_the_one_that_has_ended(luigi_config):
    now = datetime.now(UTC)
    this = Month(now.year, now.month)
    task = BackfillMonths(of=TransformTrips, start=this - 3)
    assert [one.calendar_month for one in task.tasks()] == [this - 3, this - 2, this - 1]


@in_one_configuration
@given(st.integers(12, 12 * 9900), st.integers(1, 200))
def test_the_tasks_are_exactly_the_months_of_the_range_in_order(luigi_config, first, count):
    year, month = divmod(first, 12)
    start = Month(year, month + 1)
    task = BackfillMonths(of=OfAnotherPackage, start=start, stop=start + count)
    assert months(task) == [(n // 12, n % 12 + 1) for n in range(first, first + count)]


@in_one_configuration
@given(st.sets(st.integers(1, 12)), st.booleans(), st.integers(1, 14))
def test_what_runs_are_the_first_missing_months_each_before_the_next(
    luigi_config, done, reverse, limit
):
    Register.clear_instance_cache()
    OfAnotherPackage.done.clear()
    OfAnotherPackage.done.update((2021, month) for month in done)
    task = BackfillMonths(
        of=OfAnotherPackage, start="2021-01", stop="2022-01", reverse=reverse, task_limit=limit
    )
    missing = sorted(set(range(1, 13)) - done, reverse=reverse)
    assert [one.month for one in task.requires()] == missing[:limit]
    priorities = [one.priority for one in task.requires()]
    assert priorities == sorted(set(priorities), reverse=True)
    assert all(0 < priority < IngestTrips.priority for priority in priorities)
    assert task.complete() == (not missing)


@pytest.mark.parametrize(("taxi", "start"), [("green", "2013-08"), ("yellow", "2011-01")])
def test_the_first_months_that_there_are_can_be_made(backfill, taxi, start):
    stop = str(Month.parse(start) + 1)
    ended = backfill(IngestTrips, start, stop, of_params={"taxi": taxi})
    assert ended.states == {start: "made"}


def test_months_of_fifteen_years_are_all_wanted(luigi_config):
    task = BackfillMonths(of=OfAnotherPackage, start="2011-01", stop="2026-01")
    assert len(task.requires()) == 180
    assert (task.requires()[0].year, task.requires()[0].month) == (2011, 1)


# --- of what ----------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [IngestTrips, TransformTrips, RegisterModel, OfAnotherPackage])
def test_any_task_with_a_year_and_a_month_can_be_run(luigi_config, of):
    task = BackfillMonths(of=of, start="2021-01", stop="2021-03")
    assert task.tasks() == [of(year=2021, month=1), of(year=2021, month=2)]


def test_a_task_of_another_package_is_run_and_has_its_place_in_the_table(backfill):
    OfAnotherPackage.done.add((2021, 2))
    ended = backfill(OfAnotherPackage, "2021-01", "2021-04", of_params={"note": "x"})
    assert ended.status == "SUCCESS"
    assert ended.rows == {"2021-01": ["made"], "2021-02": ["already there"], "2021-03": ["made"]}
    assert OfAnotherPackage.done == {(2021, 1), (2021, 2), (2021, 3)}


def test_a_task_whose_priority_is_computed_is_run(backfill):
    ended = backfill(OfItsOwnPriority, "2021-01", "2021-03")
    assert ended.states == {"2021-01": "made", "2021-02": "made"}


def test_further_parameters_are_passed_on(luigi_config):
    passed = {"taxi": "yellow", "recipe": "linear", "window": 2}
    task = BackfillMonths(of=RegisterModel, of_params=passed, start="2021-02", stop="2021-03")
    assert task.tasks() == [RegisterModel(year=2021, month=2, **passed)]


def test_parameters_that_are_not_significant_are_passed_on_too(luigi_config):
    task = BackfillMonths(
        of=OfAnotherPackage, of_params={"silent": "x"}, start="2021-01", stop="2021-02"
    )
    assert task.tasks()[0].silent == "x"


@pytest.mark.parametrize(
    ("of", "passed", "named"),
    [
        (RegisterModel, {"windw": 2}, "--of-params windw: RegisterModel has, .*window"),
        (TransformTrips, {"recipe": "linear"}, "--of-params recipe: TransformTrips has, .*taxi"),
        (RegisterModel, {"taxi": "blue"}, "--taxi is 'blue'"),
        (RegisterModel, {"window": "many"}, "--window is 'many'"),
        (OfAYear, {}, "--of OfAYear"),
        (BackfillMonths, {}, "--of BackfillMonths"),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_name(luigi_config, of, passed, named):
    with pytest.raises(InvalidParameter, match=named) as refused:
        BackfillMonths(of=of, of_params=passed, start="2021-01", stop="2021-02")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("start", "stop"), [("2021-03", "2021-03"), ("2021-04", "2020-12")])
def test_a_range_without_months_is_refused_in_one_line(luigi_config, start, stop):
    with pytest.raises(InvalidParameter, match=f"--start {start} --stop {stop}: ") as refused:
        BackfillMonths(of=TransformTrips, start=start, stop=stop)
    assert "\n" not in str(refused.value)


# --- how a run goes ---------------------------------------------------------------------------


def test_a_limit_leaves_the_rest_for_another_run_and_says_so(backfill):
    asked = (IngestTrips, "2021-01", "2021-06")
    left = "2 months of 2021-04 to 2021-05 left for another run (--task-limit 3)"
    first = backfill(*asked, task_limit=3)
    assert first.status == "SUCCESS"
    (warning,) = [text for level, text in first.lines if level == "WARNING"]
    assert warning == f"BackfillMonths of IngestTrips 2021-01 to 2021-05: {left}"
    assert first.states == {
        **dict.fromkeys(["2021-01", "2021-02", "2021-03"], "made"),
        **dict.fromkeys(["2021-04", "2021-05"], "left for another run"),
    }
    assert first.words[-2:] == [left, "Run this again for the rest."]

    second = backfill(*asked, task_limit=3)
    assert second.made("IngestTrips") == ["2021-04", "2021-05"]
    assert not [text for level, text in second.lines if level == "WARNING"]
    assert list(second.states.values()) == ["already there"] * 3 + ["made"] * 2
    assert second.words[-1] == "All of 5 months there."


def test_running_again_makes_only_what_is_missing(backfill, pipeline):
    asked = (TransformTrips, "2021-01", "2021-04")
    backfill(*asked)
    shutil.rmtree(pipeline.root / "transform/green/2021-02")
    again = backfill(*asked)
    assert again.made(r"\w+") == ["2021-02"]
    assert list(again.states.values()) == ["already there", "made", "already there"]
    assert backfill(*asked).made(r"\w+") == []


def test_months_that_are_not_published_are_waited_for_while_others_are_made(backfill, pipeline):
    pipeline.configure("source", "url", "synthetic://?rows=1500&last=2021-03")
    ended = backfill(EvaluateModel, "2021-01", "2021-06", of_params=LINEAR)
    assert ended.status == "MISSING_EXT"
    assert ended.states == {
        **dict.fromkeys(["2021-01", "2021-02"], "made"),
        **dict.fromkeys(["2021-03", "2021-04", "2021-05"], "waiting for publication"),
    }
    assert ended.words[-1].startswith("Run this again once the month is published")
    assert {level for level, _ in ended.lines} == {"INFO"}


@pytest.fixture
def published(tmp_path, pipeline, backfill):
    """Files of four months at the source, that of February cut off."""
    for month in range(1, 5):
        write_month(
            tmp_path / f"green-2021-{month}", "green", Month(2021, month), rows=1500, seed=0
        )
    pipeline.configure("source", "url", f"file://{tmp_path}/{{taxi}}-{{year}}-{{month}}")
    february = tmp_path / "green-2021-2"
    february.write_bytes(february.read_bytes()[:20_000])
    return tmp_path


def test_a_month_that_fails_stops_no_other_and_the_table_says_why(backfill, published):
    asked = (EvaluateModel, "2021-01", "2021-04")
    ended = backfill(*asked, of_params=LINEAR)
    assert ended.status == "FAILED"
    # January is judged on February.
    assert ended.states == {"2021-01": "failed", "2021-02": "failed", "2021-03": "made"}
    (why,) = [line for line in ended.words if line.startswith("IngestTrips: green 2021-02: ")]
    assert "truncated" in why
    log = re.search(r"\(log (.+\.log)\)$", why)[1]
    assert "/ingest/green/2021-02/logs/" in log
    with open(log) as file:  # noqa: PTH123  (the path as it is told)
        assert "truncated" in file.read()
    assert ended.words[-1].startswith("Mend what failed and run this again")

    write_month(published / "green-2021-2", "green", Month(2021, 2), rows=1500, seed=0)
    again = backfill(*asked, of_params=LINEAR)
    assert again.status == "SUCCESS"
    assert again.made("IngestTrips") == ["2021-02"]
    assert again.made("EvaluateModel") == ["2021-01", "2021-02"]
    assert again.states == {"2021-01": "made", "2021-02": "made", "2021-03": "already there"}


def test_a_month_that_cannot_be_looked_at_stops_no_other(backfill, pipeline):
    asked = (TransformTrips, "2021-01", "2021-04")
    backfill(IngestTrips, "2021-01", "2021-04")
    (pointer,) = (pipeline.root / "ingest/green/2021-02").glob("source-*.json")
    pointer.unlink()
    pointer.mkdir()  # which cannot be read as a file
    ended = backfill(*asked)
    assert ended.states == {"2021-01": "made", "2021-02": "failed", "2021-03": "made"}
    assert any(str(pointer) in line for line in ended.words)


def test_each_month_has_its_state(luigi_config):
    task = BackfillMonths(of=TransformTrips, start="2021-01", stop="2021-02")
    (month,) = task.tasks()
    ingest = IngestTrips(year=2021, month=1)
    nothing = {"failed": [], "missing_external": set(), "running_elsewhere": set()}

    def state(**ended):
        return task._state(month, SimpleNamespace(**{**nothing, **ended}))

    luigi_config("storage", "root", "/nowhere")
    assert state() == "not run"
    assert state(running_elsewhere={ingest}) == "run by another worker"
    assert state(failed=[ingest]) == "failed"
    luigi_config("source", "url", "synthetic://?last=2020-12")
    assert state(missing_external={PublishedTrips(year=2021, month=1)}) == "waiting for publication"


# --- the champion -----------------------------------------------------------------------------


def champion(root):
    """The month of the champion, and of each version in the order of their numbers."""
    uri = f"sqlite:///{root}/mlflow/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    found = client.search_model_versions(f"name = '{NAME}'")
    registered = sorted(found, key=lambda version: int(version.version))
    months = [version.tags["training_month"] for version in registered]
    return client.get_model_version_by_alias(NAME, "champion").tags["training_month"], months


@pytest.mark.parametrize("reverse", [pytest.param(False, marks=pytest.mark.slow), True])
def test_months_are_registered_in_their_order_and_the_champion_is_the_newest(
    backfill, pipeline, monkeypatch, reverse
):
    monkeypatch.setattr("taxi_pipeline.evaluation.gate.relative_gain", lambda *_: 0.5)
    ended = backfill(RegisterModel, "2021-01", "2021-04", of_params=LINEAR, reverse=reverse)
    order = sorted(["2021-01", "2021-02", "2021-03"], reverse=reverse)
    assert ended.made("RegisterModel") == order
    assert champion(pipeline.root) == ("2021-03", order)
    assert list(ended.rows) == ["2021-01", "2021-02", "2021-03"]
    for month, (state, rows, rmse, version) in ended.rows.items():
        assert (state, version) == ("made", str(1 + order.index(month)))
        assert re.fullmatch(r"1,\d{3}", rows)
        assert re.fullmatch(r"\d+\.\d{4}", rmse)


PARALLEL = """
import luigi

from taxi_pipeline import BackfillMonths, RegisterModel
from taxi_pipeline.evaluation import gate
from taxi_pipeline.runtime.factory import Factory

gate.relative_gain = lambda *_: 0.5
task = BackfillMonths(
    of=RegisterModel,
    of_params={"recipe": "linear"},
    start="2021-01",
    stop="2021-04",
    reverse=True,
)
luigi.build([task], local_scheduler=True, workers=2, worker_scheduler_factory=Factory())
"""


@pytest.mark.slow
def test_the_champion_of_a_parallel_and_reversed_backfill_is_the_newest_month(tmp_path):
    (tmp_path / "luigi.cfg").write_text("[source]\nurl = synthetic://?rows=1500\n")
    answer = python(tmp_path, "-c", PARALLEL, timeout=120)
    assert answer.returncode == 0, answer.stderr
    newest, registered = champion(tmp_path / "data")
    assert newest == "2021-03", answer.stderr
    assert sorted(registered) == ["2021-01", "2021-02", "2021-03"]


def test_any_task_may_report_on_its_months_together(backfill):
    WithAPage.done.add((2021, 2))
    ended = backfill(WithAPage, "2021-01", "2021-04")
    assert ended.words[-2] == "1: made; 2: already there; 3: made"


def test_a_report_that_cannot_be_written_is_told_and_changes_nothing_else(backfill, monkeypatch):
    monkeypatch.setattr(WithAPage, "broken", True)
    ended = backfill(WithAPage, "2021-01", "2021-03")
    assert ended.status == "SUCCESS"
    assert ended.words[-2] == "The page of the months is not written: the disk is full"
