"""A plan as a drawing."""

import pytest
from plan_folders import model

from taxi_pipeline.cli.plan_drawing import COLOURS, draw
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step


@pytest.mark.parametrize(("name", "begin"), [("plan.svg", b"<?xml"), ("plan.png", b"\x89PNG")])
def test_a_plan_is_drawn(empty, name, begin):
    draw(plan.plan(model(month=2)), empty / name, "a plan")
    assert (empty / name).read_bytes().startswith(begin)


def test_a_drawing_tells_each_step(empty):
    unknown = Step("PublishedTrips green 2021-04", "unknown", "it does not say", ())
    steps = [unknown, *plan.plan(model(month=2))]
    draw(steps, empty / "plan.svg", "a plan")
    drawn = (empty / "plan.svg").read_text()
    for step in steps:
        family, _, rest = step.label.partition(" ")
        # Letters are drawn as curves; the text stands in comments.
        assert f"<!-- {family} -->\n" in drawn
        assert f"<!-- {rest} -->\n" in drawn
    for colour in COLOURS.values():
        assert f"fill: {colour}" in drawn


def test_a_plan_of_one_step_is_drawn(tmp_path):
    draw([Step("RegisterModel green 2021-01 trip-w1", "done", "", ())], tmp_path / "one.svg", "one")
    assert "<!-- RegisterModel -->" in (tmp_path / "one.svg").read_text()


def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(InvalidParameter, match=r"^--draw .*plan\.soup: ") as raised:
        draw([Step("a", "done", "", ())], tmp_path / "plan.soup", "none")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
