"""What a drawing of a plan shows."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_graphs import graphs, planned

from taxi_pipeline.cli.plan_boxes import LINE, WIDEST, boxes, rows
from taxi_pipeline.runtime.plan import Step


def step(label, *requires, state="runs", reason=""):
    return Step(label, state, reason, requires)


def months(count):
    return [f"2021-{number:02d}" for number in range(1, count + 1)]


def backfill(count):
    """Models of some months, each of them judged on the month after."""
    steps = []
    for month in months(count + 1):
        steps += [step(f"Get {month}", state="done"), step(f"Clean {month}", f"Get {month}")]
    for month, after in itertools.pairwise(months(count + 1)):
        steps += [
            step(f"Fit {month}", f"Clean {month}", reason=f"after Clean {month}"),
            step(f"Judge {month}", f"Fit {month}", f"Clean {month}", f"Clean {after}"),
        ]
    return [*steps, step("All", *(f"Judge {month}" for month in months(count)))]


def said(drawn):
    return [" ".join((box.family, *box.lines)) for box in drawn]


@given(graphs())
@settings(max_examples=50)
def test_each_step_is_a_box_after_those_that_it_needs(graph):
    steps = planned(graph)
    drawn = boxes(steps, widest=len(steps))
    assert sorted(f"{box.family} {box.lines[0]}" for box in drawn) == sorted(
        one.label for one in steps
    )
    assert all(place < at for at, box in enumerate(drawn) for place in box.needs)


@given(st.integers(1, 9))
@settings(max_examples=9)
def test_all_rows_stand_below_what_they_need_and_each_family_in_one(count):
    drawn = boxes(backfill(count))
    table = rows(drawn)
    assert [{box.family for box in row} for row in table] == [
        {"Get"},
        {"Clean"},
        {"Fit"},
        {"Judge"},
        {"All"},
    ]
    assert sorted(map(id, itertools.chain(*table))) == sorted(map(id, drawn))


def test_a_family_that_needs_itself_stands_in_several_rows():
    steps = [step("Sum 2021-01"), step("Sum 2021-02", "Sum 2021-01"), step("Other 2021-02")]
    table = rows(boxes([*steps, step("End", "Sum 2021-02", "Other 2021-02")]))
    assert [[box.lines[0] for box in row] for row in table] == [
        ["2021-01", "2021-02"],
        ["2021-02"],
        ["runs"],
    ]


def test_an_arrow_that_follows_from_others_is_left_out():
    drawn = boxes(backfill(1))
    judge = next(box for box in drawn if box.family == "Judge")
    assert said(drawn[place] for place in judge.needs) == ["Clean 2021-02 runs", "Fit 2021-01 runs"]


def test_what_fits_in_a_row_has_a_box_for_each_step():
    assert len(boxes(backfill(WIDEST - 1))) == len(backfill(WIDEST - 1))


def test_months_share_a_box_where_a_row_would_be_too_wide():
    drawn = boxes(backfill(WIDEST))
    assert max(map(len, rows(drawn))) == 3
    assert said(drawn) == [
        *("Get 2021-01 done", "Get 2021-02 to 2021-06 (5 months) done", "Get 2021-07 done"),
        *("Clean 2021-01 runs", "Clean 2021-02 to 2021-06 (5 months) runs", "Clean 2021-07 runs"),
        "Fit 2021-01 to 2021-06 (6 months) runs",
        "Judge 2021-01 to 2021-06 (6 months) runs",
        "All runs",
    ]
    assert [box.needs for box in drawn][3:] == [(0,), (1,), (2,), (3, 4), (4, 5, 6), (7,)]


def test_only_steps_of_one_state_share_a_box():
    steps = [
        step(f"Get {month}", state="done" if month == "2021-03" else "runs") for month in months(8)
    ]
    drawn = boxes([*steps, step("All", *(one.label for one in steps))])
    assert sorted(said(drawn)) == [
        "All runs",
        "Get 2021-01 to 2021-08 (7 months) runs",
        "Get 2021-03 done",
    ]


@given(graphs())
@settings(max_examples=50)
def test_no_box_needs_itself_however_little_room_there_is(graph):
    drawn = boxes(planned(graph), widest=0)
    assert all(place < at for at, box in enumerate(drawn) for place in box.needs)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["max_minutes was 60, is 90"] * 9, "runs: max_minutes was 60, is 90"),
        ([*["not made yet"] * 8, "its seed was 1, is 2"], "runs: for several reasons"),
    ],
    ids=["one", "several"],
)
def test_a_shared_box_tells_a_reason_that_all_have(reasons, told):
    steps = [
        step(f"Get {month}", reason=reason)
        for month, reason in zip(months(9), reasons, strict=True)
    ]
    first, _ = boxes([*steps, step("All", *(one.label for one in steps))])
    assert said([first]) == [f"Get 2021-01 to 2021-09 (9 months) {told}"]


def test_a_reason_that_an_arrow_tells_is_left_out():
    first, second, third = boxes(
        [
            step("Get 2021-01", state="waits", reason="it is not published"),
            step("Fit 2021-01", "Get 2021-01", state="waits", reason="for Get 2021-01"),
            step("End", "Fit 2021-01", state="waits", reason="for Get 2021-01"),
        ]
    )
    assert said([first]) == ["Get 2021-01 waits: it is not published"]
    assert said([second]) == ["Fit 2021-01 waits"]
    assert said([third]) == ["End waits: for Get 2021-01"]


def test_a_long_text_is_broken_into_lines_and_cut():
    box, end = boxes([step(f"Get {'x' * 40}"), step("End", f"Get {'x' * 40}", reason="why " * 99)])
    assert all(len(line) <= LINE for line in (*box.lines, *end.lines))
    assert "".join(box.lines) == f"{'x' * 40}runs"
    assert end.lines[0].startswith("runs: why why")
    assert end.lines[-1].endswith(" ...")


def test_a_box_stands_in_the_column_of_its_one_month():
    drawn = boxes([step("Get 2021-01"), step("All of 2021-01 to 2021-02", "Get 2021-01")])
    assert [box.month for box in drawn] == ["2021-01", ""]
