"""The picture of an evaluation."""

import struct

import matplotlib.figure
import pytest
from small_models import JANUARY

from taxi_pipeline.evaluation import plots
from taxi_pipeline.evaluation.plots import plot, rmse_text
from taxi_pipeline.evaluation.report import evaluate

HEADING = "green taxis in 2021-01, recipe trip"


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are written."""
    figures, savefig = [], matplotlib.figure.Figure.savefig

    def save(figure, *arguments, **options):
        figures.append(figure)
        savefig(figure, *arguments, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", save)
    return figures


def test_the_plot_is_a_png_image(result, tmp_path):
    path = tmp_path / "plot.png"
    plot(result, HEADING, path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (1650, 572)


def test_the_title_says_which_model_and_how_good_it_is(result, tmp_path, drawn):
    plot(result, HEADING, tmp_path / "plot.png")
    (figure,) = drawn
    title = figure.get_suptitle()
    assert title.startswith(f"{HEADING}: RMSE {result.model['rmse']:.2f} minutes (95 % interval ")


def test_every_axis_has_its_unit_and_every_colour_its_name(result, tmp_path, drawn):
    plot(result, HEADING, tmp_path / "plot.png")
    (figure,) = drawn
    trips, calibration, hours, scale = figure.axes
    for axes in (trips, calibration, hours):
        assert axes.get_title()
        assert "minutes" in axes.get_ylabel()
        assert axes.get_xlabel().endswith(("minutes", "hour of pickup"))
        assert axes.get_legend() is not None
    assert scale.get_ylabel() == "trips in a cell"


def test_of_more_trips_than_a_picture_shows_an_even_share_is_drawn_and_told(
    result, tmp_path, drawn, monkeypatch
):
    monkeypatch.setattr(plots, "MAX_DRAWN", result.rows // 3)
    plot(result, HEADING, tmp_path / "plot.png")
    (figure,) = drawn
    trips, *_, scale = figure.axes
    assert scale.get_ylabel() == "trips in a cell, 1 of 4 drawn"
    (cells,) = (one for one in trips.collections if one.get_array() is not None)
    assert cells.get_array().sum() == pytest.approx(result.rows / 4, rel=0.02)


def test_a_month_of_few_days_is_drawn_without_intervals(january, predicted, tmp_path, drawn):
    first = january["pickup_at"].between("2021-01-01", "2021-01-03").to_numpy()
    result = evaluate(january, january[first], predicted[first], JANUARY)
    plot(result, HEADING, tmp_path / "plot.png")
    (figure,) = drawn
    assert figure.get_suptitle() == f"{HEADING}: RMSE {result.model['rmse']:.2f} minutes"


def test_the_rmse_has_its_interval_if_there_is_one():
    assert rmse_text({"rmse": 5.234}) == "RMSE 5.23 minutes"
    told = rmse_text({"rmse": 5.234, "rmse_low": 5.1, "rmse_high": 5.399})
    assert told == "RMSE 5.23 minutes (95 % interval 5.10 to 5.40)"
