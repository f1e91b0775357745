"""Charts as SVG that belongs to its page."""

import re

import pandas as pd
import pytest

from taxi_pipeline.evaluation.pages import charts
from taxi_pipeline.evaluation.pages.charts import chart
from taxi_pipeline.evaluation.residuals import SHARES


def draw(axes):
    axes.plot([1, 2, 3], [3, 1, 2], "o-", color="tab:blue", label="one")
    axes.set(xlabel="months", ylabel="minutes")
    axes.legend()


@pytest.fixture
def made():
    return chart("A title", 'What is "seen" <here>', draw)


def test_a_chart_takes_its_colours_from_the_page(made):
    for colour in charts.COLOURS:
        assert colour not in made.svg
    assert "var(--blue)" in made.svg
    assert "currentColor" in made.svg


def test_a_chart_is_as_wide_as_its_place(made):
    opening = made.svg[: made.svg.index(">")]
    assert "viewBox=" in opening
    assert "width=" not in opening
    assert "height=" not in opening


def test_a_chart_says_what_is_seen_in_it(made):
    label = "A title. What is &quot;seen&quot; &lt;here&gt;"
    assert f'role="img" aria-label="{label}"' in made.svg


def test_the_words_of_a_chart_are_text(made):
    assert ">months</text>" in made.svg
    assert "DejaVu" not in made.svg


def test_ids_of_two_charts_differ_and_those_that_nothing_refers_to_are_gone():
    ids = [set(re.findall(r'id="([^"]+)"', chart(title, "", draw).svg)) for title in ("a", "b")]
    assert ids[0] & ids[1] == set()


def test_the_same_data_gives_the_same_text(made):
    assert chart("A title", 'What is "seen" <here>', draw) == made


def test_intervals_are_drawn_for_figures_with_and_without_them():
    figures = {"candidate": {"rmse": 5.0, "rmse_low": 4.9, "rmse_high": 5.2}, "mean": {"rmse": 9.0}}
    svg = chart("", "", lambda axes: charts.draw_intervals(axes, figures)).svg
    for text in ("candidate", "5.00", "9.00"):
        assert f">{text}</text>" in svg


@pytest.mark.parametrize(("parts", "named"), [(5, 5), (24, 8)])
def test_of_many_parts_each_third_is_named(parts, named):
    rows = {share: [share * 10 - 5] * parts for share in SHARES}
    bands = pd.DataFrame({"value": [f"part {n}" for n in range(parts)], **rows})
    svg = chart("", "", lambda axes: charts.draw_residuals(axes, bands, "parts")).svg
    assert len(re.findall(r">part \d+</text>", svg)) == named


def test_a_learning_curve_of_one_round_is_drawn():
    svg = chart("", "", lambda axes: charts.draw_learning_curves(axes, [("own", [5.0], 1)])).svg
    assert ">boosting round</text>" in svg


def test_a_course_marks_decay_and_draws_months_without_figures():
    series = {"champion": [{}, {"rmse": 5.0}, {"rmse": 6.0, "rmse_low": 5.9, "rmse_high": 6.2}]}
    months = ["2021-01", "2021-02", "2021-03"]
    promised = {"promised": [None, 5.0, 5.0], "by spread": [None, None, None]}

    def draw_it(axes):
        charts.draw_course(axes, months, series, promised, [False, False, True])

    svg = chart("", "", draw_it).svg
    assert svg.count(">decayed</text>") == 1
    assert svg.count(">promised</text>") == 1
    assert ">by spread</text>" not in svg
    for month in months:
        assert f">{month}</text>" in svg
