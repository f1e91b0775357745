"""The page of a champion's course."""

import re

import pytest

from taxi_pipeline.evaluation.pages.course import MonitoredMonth, answer, render_course


def realised(version, value, verdict="AS PROMISED", **more):
    excess = {"value": value, "low": value - 0.1, "promised": 5.0, "share": value / 5 - 1}
    return {
        "version": version,
        "training_month": f"2021-0{version}",
        "verdict": verdict,
        "reasons": [f"RMSE {value}", "a note"],
        "decisive": [f"RMSE {value}"],
        "figures": {"rmse": value, "rmse_low": value - 0.1, "rmse_high": value + 0.1},
        "promise": {"month": "2021-02", "figures": {"rmse": 5.0}, "source": "a test"},
        "rmse": excess,
        "spread": {**excess, "value": 0.44, "promised": 0.4, "share": 0.1},
        **more,
    }


def record(champion, frozen=None):
    difference = {"value": -0.5, "interval": [-0.6, -0.4], "share_better": 1.0}
    return {
        "rows": 1234,
        "champion_is": "the champion at the end, by the ledger",
        "frozen_is": "the first champion of the ledger",
        "champion": champion,
        "frozen": frozen,
        "difference": difference if frozen and champion["figures"] else None,
        "baselines": {"zone_pair": {"rmse": 8.0}},
    }


def months(*records):
    return [MonitoredMonth(f"2021-0{n}", "made", found) for n, found in enumerate(records, 3)]


NOT_COUNTED = realised(
    "4", 0.0, "NOT KNOWN", figures={}, rmse=None, spread=None, decisive=["it was trained on it"]
)


def of(*records):
    return render_course("The champion", "model", "2026-01-01", months(*records))


def test_each_month_has_its_figures_beside_the_promised_ones(page):
    read = page(of(record(realised("1", 5.5))))
    row = "2021-03 as promised 1 2021-01 5.50 5.40 to 5.60 5.00 +10.0 % 44.0 % 40.0 % +10.0 %"
    assert f"{row} 8.00 1,234" in read.text
    assert read.open == []
    assert all(link.startswith("#") for link in read.links)


def test_the_frozen_version_has_columns_only_where_there_is_another(page):
    alone = page(of(record(realised("1", 5.5)))).text
    beside = page(of(record(realised("1", 5.5)), record(realised("2", 5.0), realised("1", 5.5))))
    assert "Frozen version" not in alone
    assert "5.50 5.40 to 5.60 version 1 -0.500 -0.600 to -0.400" in beside.text
    assert "In 2021-04 its RMSE is 9.1 % below that of version 1, which is the first" in beside.text
    assert len(beside.described) == 1


def test_the_chart_says_what_is_seen_and_marks_decay_with_a_word(page):
    text = of(record(realised("1", 5.5)), record(realised("1", 7.0, "DECAYED")))
    (described,) = page(text).described
    assert "champion: 5.50 in 2021-03, 7.00 in 2021-04" in described
    assert text.count(">decayed</text>") == 1


def test_a_month_that_does_not_count_says_so(page):
    text = page(of(record(NOT_COUNTED, realised("1", 5.5)))).text
    assert "2021-03 not known 4 2021-04 not counted" in text
    assert "5.50 5.40 to 5.60 version 1" in text


def test_a_month_that_is_not_monitored_says_what_became_of_it(page):
    states = [*months(record(realised("1", 5.5))), MonitoredMonth("2021-04", "failed", None)]
    assert "2021-04 failed" in page(render_course("A", "model", "", states)).text


def test_without_any_record_there_is_no_chart(page):
    read = page(render_course("A", "model", "", [MonitoredMonth("2021-03", "not run", None)]))
    assert read.described == []
    assert "is not known: no month of these tells it." in read.text


@pytest.mark.parametrize(
    ("rmses", "said"),
    [
        ([5.1], "Yes: in 2021-03 the champion, version 1 of 2021-01, is as good as promised."),
        ([7.0, 5.1], r"Yes: in 2021-04 .* It had decayed in 2021-03\."),
        ([5.1, 7.0], "No: in 2021-04 the champion, version 1 of 2021-01, is not as good"),
        ([5.1, 7.0, 7.1], "No: since 2021-04, last in 2021-05, the champion"),
        ([7.0, 7.1], "No: since 2021-03, last in 2021-04, the champion"),
        ([7.0, 5.1, 7.1], "No: in 2021-05 the champion"),
    ],
    ids=["kept", "kept again", "broken", "broken twice", "broken always", "broken again"],
)
def test_the_first_sentence_answers_whether_it_is_as_good_as_promised(rmses, said):
    course = months(
        *(record(realised("1", rmse, "DECAYED" if rmse > 6 else "AS PROMISED")) for rmse in rmses)
    )
    assert re.match(said, answer(course))


def test_months_that_tell_nothing_leave_the_answer_as_it_was():
    course = months(record(realised("1", 5.1)), record(NOT_COUNTED, realised("1", 5.5)))
    assert answer(course).startswith("Yes: in 2021-03")


def test_a_version_of_an_unknown_month_is_named_without_one(page):
    unknown = realised("1", 5.5, training_month="", promise=None, rmse=None, spread=None)
    assert "the champion, version 1, is" in page(of(record(unknown))).text
