"""The worker's console: how far a task is, and in the end what there is, without reading twice."""

from collections import Counter

import pytest
from source_runs import FEBRUARY, JANUARY

from taxi_pipeline import BuildFeatures, IngestTrips
from taxi_pipeline.observability.progress import Progress


@pytest.fixture
def read(monkeypatch):
    """How often the pointer of each month is read."""
    counts = Counter()
    pointer = IngestTrips.pointer

    def counted(task):
        counts[task.calendar_month] += 1
        return pointer(task)

    monkeypatch.setattr(IngestTrips, "pointer", counted)
    return counts


def january():
    return BuildFeatures(year=2021, month=1)


def test_a_run_with_nothing_to_do_reads_each_month_once_also_for_its_last_line(runs, read):
    runs.configure("source", "check", "never")
    runs.run(january())
    assert read == {JANUARY: 1}
    assert runs.lines("INFO")[-1].startswith("nothing to run: BuildFeatures green 2021-01: ")


def test_what_a_run_has_made_is_told_as_it_is_then_and_not_as_it_was_before(nothing_run):
    nothing_run.run(january())
    told = nothing_run.lines("INFO")[-1].partition(" trips described; it is in ")[2]
    assert told == str(january().output())


def test_each_task_is_begun_with_its_place_among_those_that_are_to_be_made(
    nothing_run, monkeypatch
):
    begun = []
    monkeypatch.setattr(Progress, "begin", lambda _, label: begun.append(label))
    nothing_run.run(january(), BuildFeatures(year=2021, month=FEBRUARY.month))
    assert [label.partition(" ")[0] for label in begun] == [f"[{one}/6]" for one in range(1, 7)]
    assert {label.split(" ")[1] for label in begun} == {
        "IngestTrips",
        "TransformTrips",
        "BuildFeatures",
    }
