"""The page of several months."""

from taxi_pipeline.evaluation.pages.months import CandidateMonth, render_months

BASELINES = {"mean": 12.0, "zone_pair": 8.0}
MONTHS = [
    CandidateMonth(
        *("2021-01", "already there", 6.0, (5.8, 6.2), BASELINES, "PROMOTED", "1"),
        report="../../../report/january.html",
    ),
    CandidateMonth("2021-02", "made", 4.0, None, BASELINES, "KEPT", "2"),
    CandidateMonth("2021-03", "waiting for publication"),
]


def of(months):
    return render_months("A recipe", "model", "2026-01-01", months)


def test_each_month_has_its_error_verdict_version_and_report(page):
    read = page(of(MONTHS))
    assert "2021-01 6.00 5.80 to 6.20 12.00 8.00 PROMOTED 1 why" in read.text
    assert "2021-02 4.00 12.00 8.00 KEPT 2" in read.text
    assert "../../../report/january.html" in read.links
    assert read.open == []


def test_a_month_without_a_model_says_what_became_of_it(page):
    assert "2021-03 waiting for publication" in page(of(MONTHS)).text


def test_a_sentence_sums_up_the_months(page):
    told = page(of(MONTHS)).text
    assert "2 of 3 months have a model: RMSE 4.00 minutes (2021-02) to 6.00 (2021-01)" in told
    assert "25.0 % to 50.0 % below the best baseline." in told


def test_the_champion_is_marked(page):
    serving = CandidateMonth("2021-04", "made", 5.0, None, BASELINES, version="3", is_champion=True)
    told = page(of([*MONTHS, serving])).text
    assert "2021-04 champion 5.00" in told
    assert "The model of 2021-04 serves, version 3." in told


def test_a_range_without_any_model_has_no_chart(page):
    read = page(of(MONTHS[2:]))
    assert read.described == []
    assert "No model of these months is made yet." in read.text


def test_one_month_is_told_of_without_a_range(page):
    assert "RMSE 4.00 minutes (2021-02), 50.0 %" in page(of(MONTHS[1:2])).text
