"""The page of a backtest."""

import pytest
from judged_months import RULES, months, predicting

from taxi_pipeline.evaluation.backtest import backtest
from taxi_pipeline.evaluation.pages.backtest import render_backtest


def walk(own, later=None, **further):
    return backtest(months(own, **further), predicting(later or own), RULES)


def of(found, window=1, caveat=""):
    return render_backtest(
        found,
        heading="A recipe: is monthly retraining worth it?",
        model_name="the-model",
        window=window,
        rules={"[gate] min_gain": "0.0"},
        caveat=caveat,
        made="2026-01-01",
    )


@pytest.fixture(scope="module")
def found():
    return walk([4, 4, 4], [6, 5, 4])


def test_the_answer_comes_first(page, found):
    text = page(of(found)).text
    assert text.index(found.sentence) < text.index(found.gate_sentence) < text.index("Month by")


def test_each_month_has_its_figures_and_its_verdict(page, found):
    read = page(of(found))
    for month in found.months:
        told = f"{month.trained_to} {month.month} {month.rows:,} {month.retrained['rmse']:.2f}"
        assert told in read.text
        assert month.reasons[0] in read.text
        assert f"{month.trained_to} on {month.month} {month.verdict}" in read.text
    assert f"{found.months[1].champion_figures['rmse']:.2f} of 2021-01" in read.text
    assert "[gate] min_gain 0.0" in read.text
    assert read.open == []
    assert all(link.startswith("#") for link in read.links)  # within the picture


def test_the_picture_is_described_for_those_who_do_not_see_it(page, found):
    (described,) = page(of(found)).described
    assert described.startswith("RMSE by month. On the month after the training window")


@pytest.mark.parametrize(("baseline", "drawn"), [(12.0, False), (6.0, True)])
def test_a_baseline_that_is_far_off_is_in_the_table_alone(page, baseline, drawn):
    text = of(walk([4, 4], [6, 4], baseline=baseline))
    assert (">baseline mean</text>" in text) == drawn
    assert ("Not drawn, but in the table: the baselines mean." in page(text).text) != drawn


@pytest.mark.parametrize(
    ("later", "colour"),
    [([6, 4], "promoted"), ([4, 4], "kept"), ([2, 4], "rejected")],
    ids=["worth it", "no difference", "costs"],
)
def test_the_answer_stands_in_its_colour(later, colour):
    assert f'class="panel verdict {colour}"' in of(walk([4, 4], later))


def test_a_range_in_which_nobody_serves_has_no_line_of_champions(page):
    text = page(of(walk([9, 9], baseline=3.0))).text
    assert "champion by the gate" not in text
    assert "none would serve now" in text


def test_months_of_too_few_days_have_no_band(page):
    assert "to few" not in page(of(walk([4, 4], [6, 4], days=3))).text


def test_window_and_caveat_are_told(page, found):
    text = page(of(found, window=3, caveat="A caveat.")).text
    assert "windows of 3 months" in text
    assert "A caveat." in text
    assert "windows of" not in page(of(found)).text
