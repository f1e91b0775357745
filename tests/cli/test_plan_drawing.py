"""A plan as a drawing."""

import re
import struct
import xml.etree.ElementTree as ET

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from plan_folders import model

from taxi_pipeline import BackfillMonths, Month, RegisterModel
from taxi_pipeline.cli import plan_drawing
from taxi_pipeline.cli.plan_boxes import COLOURS, boxes
from taxi_pipeline.cli.plan_drawing import draw
from taxi_pipeline.errors import InvalidParameter
from taxi_pipeline.runtime import plan
from taxi_pipeline.runtime.plan import Step

SVG = "{http://www.w3.org/2000/svg}"
PIXELS_OF_A_POINT = 96 / 72


def backfill(months):
    return BackfillMonths(of=RegisterModel, start=Month(2021, 1), stop=Month(2021, 1) + months)


PLANS = {
    "a month": model,
    "a window of 3": lambda: RegisterModel(year=2021, month=3, window=3),
    "a window of 12": lambda: RegisterModel(year=2021, month=12, window=12),
    "a backfill of 5": lambda: backfill(5),
    "a backfill of 24": lambda: backfill(24),
}


@pytest.fixture
def far(empty, luigi_config):
    """A folder whose source has published much."""
    luigi_config("source", "url", "synthetic://?rows=2000&last=2023-06")
    return empty


@pytest.mark.parametrize(
    ("name", "begin"),
    [("plan.svg", b"<?xml"), ("plan.png", b"\x89PNG"), ("plan.mmd", b"---\ntitle: ")],
)
def test_a_plan_is_drawn(empty, name, begin):
    draw(plan.plan(model(month=2)), empty / name, "a plan")
    assert (empty / name).read_bytes().startswith(begin)


@pytest.mark.parametrize("name", PLANS)
def test_a_drawing_fits_a_screen_and_its_text_is_text_that_can_be_read(far, name):
    steps = plan.plan(PLANS[name]())
    draw(steps, far / "plan.svg", "a plan")
    root = ET.parse(far / "plan.svg").getroot()  # noqa: S314  (our own)
    width, height = (float(root.get(side).removesuffix("pt")) for side in ("width", "height"))
    assert width * PIXELS_OF_A_POINT < 1280
    assert height * PIXELS_OF_A_POINT < 1200
    sizes = [
        float(re.search(r"([\d.]+)px", text.get("style"))[1]) for text in root.iter(f"{SVG}text")
    ]
    assert root.get("viewBox") == f"0 0 {root.get('width')[:-2]} {root.get('height')[:-2]}"
    assert min(sizes) * PIXELS_OF_A_POINT >= 11
    drawn = [text.text for text in root.iter(f"{SVG}text")]
    assert drawn[:2] == [steps[-1].label, "a plan"]
    for box in boxes(steps):
        assert {box.family, *box.lines} <= set(drawn)


def test_a_png_has_letters_of_at_least_11_pixels_at_its_full_size(far):
    draw(plan.plan(PLANS["a backfill of 5"]()), far / "plan.png", "a plan")
    head = (far / "plan.png").read_bytes()
    width, height = struct.unpack(">II", head[16:24])
    assert plan_drawing.FONT * plan_drawing.PNG_DPI / 72 >= 11
    assert width < 1920
    assert height < 1600


def test_a_box_has_the_room_that_its_text_takes(far, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    steps = plan.plan(PLANS["a backfill of 24"]())
    draw(steps, far / "plan.png", "a plan")
    (axes,) = figures[0].axes
    FigureCanvasAgg(figures[0]).draw()
    patches = [
        patch.get_window_extent()
        for patch in axes.patches
        if isinstance(patch, FancyBboxPatch) and patch.get_height() > plan_drawing.LINE * 2
    ]
    texts = [text.get_window_extent() for text in axes.texts if text.get_ha() == "center"]
    assert len(patches) == len(boxes(steps))
    assert len(texts) == sum(1 + len(box.lines) for box in boxes(steps))
    for text in texts:
        (around,) = [one for one in patches if one.contains(text.x0, text.y0)]
        assert around.contains(text.x1, text.y1)


def test_the_legend_tells_what_each_look_means(empty):
    draw([Step("a", "done", "", ())], empty / "plan.svg", "a plan")
    drawn = (empty / "plan.svg").read_text()
    for state, look in COLOURS.items():
        assert f">{state}: {look.meaning}</text>" in drawn
        assert f"fill: {look.fill}" in drawn
    assert len({look.fill for look in COLOURS.values()}) == len(COLOURS)


def test_the_title_of_the_file_is_the_task_that_was_asked_for(empty):
    draw(plan.plan(model()), empty / "plan.svg", "a plan")
    assert (
        "<title>RegisterModel green 2021-01 linear-w1</title>" in (empty / "plan.svg").read_text()
    )


def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(InvalidParameter, match=r"^--draw .*plan\.soup: ") as raised:
        draw([Step("a", "done", "", ())], tmp_path / "plan.soup", "none")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
