"""Where the boxes and arrows of a drawn plan stand."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.cli.plan_boxes import boxes
from taxi_pipeline.cli.plan_layout import lay_out
from taxi_pipeline.runtime.plan import Step

FAMILIES = ("Get", "Clean", "Fit", "Judge", "All")


@st.composite
def layouts(draw):
    """A plan of some families and months, and some steps without a month, in its places."""
    steps = []
    for family in FAMILIES:
        months = draw(st.lists(st.integers(1, 5), unique=True, max_size=4))
        before = [step.label for step in steps]
        for about in [f" 2021-{month:02d}" for month in months] or [""]:
            needs = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
            steps.append(Step(f"{family}{about}", "runs", "", tuple(needs)))
    drawn = boxes(steps)
    sizes = draw(
        st.lists(
            st.tuples(st.integers(30, 150), st.integers(20, 60)),
            min_size=len(drawn),
            max_size=len(drawn),
        )
    )
    by_id = {id(box): size for box, size in zip(drawn, sizes, strict=True)}
    return lay_out(drawn, lambda box: by_id[id(box)]), by_id


def inside(frame, x, y):
    return frame.left < x < frame.left + frame.width and frame.top < y < frame.bottom


@given(layouts())
@settings(max_examples=80)
def test_boxes_are_as_large_as_their_text_and_none_is_over_another(laid_out):
    layout, sizes = laid_out
    for frame in layout.frames:
        assert frame.width == sizes[id(frame.box)][0]
        assert frame.height >= sizes[id(frame.box)][1]
        assert frame.left >= -1e-9
        assert frame.left + frame.width <= layout.width + 1e-9
        assert frame.bottom <= layout.height + 1e-9
    for one, other in itertools.combinations(layout.frames, 2):
        assert (
            one.left + one.width <= other.left
            or other.left + other.width <= one.left
            or one.bottom <= other.top
            or other.bottom <= one.top
        )


@given(layouts())
@settings(max_examples=80)
def test_each_arrow_leads_from_a_boxs_lower_edge_to_anothers_upper_edge(laid_out):
    layout, _ = laid_out
    needs = [(layout.frames[place], frame) for frame in layout.frames for place in frame.box.needs]
    assert len(layout.arrows) == len(needs)
    ends = [(arrow[0], arrow[-1]) for arrow in layout.arrows]
    for source, target in needs:
        assert any(
            start == (source.middle, source.bottom)
            and y == target.top
            and target.left < x < target.left + target.width
            for start, (x, y) in ends
        )
    assert len({end for _, end in ends}) == len(ends)


@given(layouts())
@settings(max_examples=80)
def test_no_arrow_passes_through_a_box(laid_out):
    layout, _ = laid_out
    for arrow in layout.arrows:
        for (x, y), (to_x, to_y) in itertools.pairwise(arrow):
            if x == to_x:
                steps = [y + (to_y - y) * part / 50 for part in range(1, 50)]
                assert not any(inside(frame, x, at) for frame in layout.frames for at in steps)
            else:
                # It bends, which it does in the room between two rows only.
                assert not any(
                    frame.top < max(y, to_y) - 1e-9 and frame.bottom > min(y, to_y) + 1e-9
                    for frame in layout.frames
                )


@given(layouts())
@settings(max_examples=80)
def test_arrows_to_different_boxes_do_not_lie_on_each_other(laid_out):
    layout, _ = laid_out
    passing = [
        (x, y, to_y, arrow[-1][1], arrow[-1][0])
        for arrow in layout.arrows
        for (x, y), (to_x, to_y) in itertools.pairwise(arrow)
        if x == to_x and len(arrow) == 4
    ]
    for one, other in itertools.combinations(passing, 2):
        same_target = any(
            frame.top == one[3] == other[3]
            and all(frame.left < end < frame.left + frame.width for end in (one[4], other[4]))
            for frame in layout.frames
        )
        overlap = one[1] < other[2] and other[1] < one[2]
        assert same_target or not overlap or abs(one[0] - other[0]) > 1


def test_months_stand_in_columns_and_what_has_none_in_the_middle():
    labels = [f"{family} 2021-0{month}" for family in ("Get", "Fit") for month in (1, 2)]
    steps = [
        *(Step(label, "runs", "", ()) for label in labels[:2]),
        *(Step(label, "runs", "", (label.replace("Fit", "Get"),)) for label in labels[2:]),
        Step("All", "runs", "", tuple(labels[2:])),
    ]
    layout = lay_out(boxes(steps), lambda box: (40 if box.family == "Get" else 70, 20))
    by_label = {f"{frame.box.family} {frame.box.month}".strip(): frame for frame in layout.frames}
    for month in ("2021-01", "2021-02"):
        assert by_label[f"Get {month}"].middle == by_label[f"Fit {month}"].middle
    assert by_label["Get 2021-01"].middle < by_label["Get 2021-02"].middle
    assert by_label["All"].middle == layout.width / 2
