"""The page of a candidate, read by a program as by a person."""

import re
from dataclasses import replace

import pytest

from taxi_pipeline.evaluation.contributions import Contributions
from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED
from taxi_pipeline.evaluation.pages.report import IN_WORDS, SECTIONS, render_report
from taxi_pipeline.model.feature_names import ENCODINGS
from taxi_pipeline.tuning.results import Finalist, TuningResult


@pytest.fixture(scope="module")
def text(facts):
    return render_report(facts)


@pytest.fixture(scope="module")
def read(text, page):
    return page(text)


def test_the_verdict_comes_first_with_its_reasons(read, facts):
    start = read.text.index(facts.verdict)
    for reason in facts.gate["decisive"]:
        assert start < read.text.index(reason) < read.text.index("Figures on 2021-02")


@pytest.mark.parametrize("verdict", [PROMOTED, KEPT, REJECTED])
def test_each_verdict_is_said_in_words_and_has_a_look_of_its_own(facts, page, verdict):
    text = render_report(replace(facts, gate={**facts.gate, "verdict": verdict}))
    assert IN_WORDS[verdict] in page(text).text
    assert f'class="panel verdict {verdict.lower()}"' in text


def test_reasons_that_did_not_decide_are_told_as_well(facts, page):
    gate = {**facts.gate, "reasons": ["one", "a second look"], "decisive": ["one"]}
    assert "Also looked at: a second look" in page(render_report(replace(facts, gate=gate))).text


def test_every_section_is_there_and_can_be_jumped_to(read):
    assert set(SECTIONS) <= set(read.ids)
    assert [link for link in read.links if link in {f"#{name}" for name in SECTIONS}]


def test_every_element_is_closed_and_no_id_stands_twice(read):
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))


def test_nothing_is_loaded_from_elsewhere(text, read):
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_the_candidates_figures_stand_beside_those_of_champion_and_baselines(read, facts):
    model, champion = facts.figures["model"], facts.gate["champion_figures"]
    for name in ("candidate", "champion, version 1 of 2020-12", "baseline zone pair"):
        assert name in read.text
    for metrics in (model, champion, facts.figures["baselines"]["linear"]):
        assert f"{metrics['rmse']:.2f} {metrics['rmse_low']:.2f} to" in read.text


def test_the_difference_to_the_champion_has_its_interval(read, facts):
    difference = facts.gate["champion"]["rmse"]
    low, high = difference["interval"]
    assert f"{difference['value']:+.3f} {low:+.3f} to {high:+.3f}" in read.text


def test_a_candidate_without_a_champion_to_compare_with_is_told_of_without_one(
    without_champion, page
):
    told = page(render_report(without_champion)).text
    assert "champion, version" not in told
    assert "Beside the champion" not in told


def test_a_champion_that_could_not_be_compared_is_a_caveat(facts, page):
    gate = {**facts.gate, "champion": {}, "champion_figures": {}, "slices": []}
    told = page(render_report(replace(facts, gate=gate))).text
    assert "The champion was not compared; the reasons above say why." in told


def test_a_record_of_a_gate_of_before_has_no_figures_of_the_champion(facts, page):
    gate = {name: value for name, value in facts.gate.items() if name != "champion_figures"}
    told = page(render_report(replace(facts, gate=gate))).text
    assert "champion, version 1 of 2020-12" in told  # the differences are there


def test_every_chart_says_in_words_what_is_to_be_seen(read):
    assert len(read.described) == 7
    assert all(len(description.split()) > 8 for description in read.described)


def test_every_feature_has_a_word_on_what_it_is(read, facts):
    for name in facts.contributions.minutes:
        assert name in read.text
    assert ENCODINGS["expected_minutes"] in read.text
    assert "made by the recipe's own encoder" not in read.text


def test_a_feature_of_an_encoder_of_ones_own_says_so(facts, page):
    own = Contributions("shap", 10, {"moon_phase": 0.4})
    told = page(render_report(replace(facts, contributions=own))).text
    assert "moon_phase made by the recipe's own encoder 0.40" in told


def test_features_that_were_shuffled_are_told_so(facts, page):
    shuffled = Contributions("permutation", 2000, {"hour": 0.0, "weekday": -0.01})
    told = page(render_report(replace(facts, contributions=shuffled))).text
    assert "on 2,000 trips of 2021-02 grows when the values of a feature are shuffled" in told


def test_the_search_is_told_with_own_and_best_parameters_and_rounds(read, facts):
    assert facts.tuning.outcome in read.text
    assert "which has 7 rounds" in read.text
    assert "Parameter model recipe's own trial 2" in read.text
    assert "min_child_weight 40 60 40" in read.text


def test_a_recipe_that_is_not_tuned_has_no_charts_of_a_search(facts, page):
    fixed = replace(facts, tuning=TuningResult({"max_depth": 30}, rounds=30))
    told = page(render_report(fixed))
    assert "The recipe has fixed parameters: nothing was searched." in told.text
    assert len(told.described) == 5


def test_a_search_of_an_earlier_version_has_no_learning_curves(facts, page):
    tuning = replace(facts.tuning, finalists=[Finalist("recipe", 5.2, 6)])
    told = page(render_report(replace(facts, tuning=tuning)))
    assert len(told.described) == 6


def test_rows_dropped_by_each_rule_and_missing_values_are_told(read):
    assert "2021-01 training 3,000 40 2,960 98.7 %" in read.text
    assert "passenger_count 10.0 %" in read.text


def test_lineage_names_content_keys_commit_and_versions(read, facts):
    for fact in ("ab" * 32, "fedcba9876543210", "c" * 40, "python 3.11", "0123456789abcdef"):
        assert fact in read.text
    assert "with changes that are not committed" in read.text
    assert facts.lineage.commands[1] in read.text


def test_the_drift_of_the_evaluation_month_is_told_with_its_features(read, facts):
    (psi,) = [one.psi for one in facts.drift.features if one.feature == "hour"]
    assert facts.drift.sentence in read.text
    assert f"hour of the pickup pickup time {psi:.3f} strong 10.0 % 1.00 minutes" in read.text
    assert "metered distance trip_distance 0.000 stable 90.0 % 9.00 minutes" in read.text
    assert "the calendar alone" in read.text


def test_the_caveat_of_a_recipe_is_told_first(facts, page):
    told = page(render_report(replace(facts, caveat="Chosen on the month that is reported."))).text
    assert "Read with care Chosen on the month that is reported. All figures" in told


def test_what_people_wrote_is_text_and_no_markup(facts):
    text = render_report(replace(facts, caveat="<script>alert(1)</script>", trained_on="a&b"))
    assert "<script" not in text
    assert "a&amp;b" in text


def test_the_same_facts_give_the_same_page(facts, text):
    assert render_report(facts) == text


def test_a_month_of_too_few_days_for_intervals_is_told_without_them(facts, page):
    def plain(figures):
        return {name: one for name, one in figures.items() if not name.endswith(("_low", "_high"))}

    figures = {
        **facts.figures,
        "model": plain(facts.figures["model"]),
        "baselines": {name: plain(one) for name, one in facts.figures["baselines"].items()},
    }
    champion = {name: {**one, "interval": None} for name, one in facts.gate["champion"].items()}
    gate = {**facts.gate, "champion": champion}
    gate["champion_figures"] = plain(gate["champion_figures"])
    told = page(render_report(replace(facts, figures=figures, gate=gate))).text
    assert "Below each figure is its 95 % interval" not in told


# --- intervals ------------------------------------------------------------------------------------


def test_coverage_and_length_of_the_intervals_are_told(read, coverage):
    share, width = f"{100 * coverage['coverage']:.1f} %", f"{coverage['width']:.1f} minutes"
    assert f"90 % intervals hold {share} of the month's trips and are {width} long" in read.text
    for one in coverage["levels"]:
        row = f"{100 * one['level']:.0f} % {100 * one['coverage']:.1f} % {one['width']:.2f}"
        assert row in read.text


def test_parts_with_enough_trips_have_their_coverage_and_those_outside_are_marked(facts, page):
    parts = [
        {"slice": "weekday", "value": "Monday", "rows": 501, "coverage": 0.79, "width": 9.0},
        {"slice": "weekday", "value": "Tuesday", "rows": 501, "coverage": 0.8, "width": 9.0},
        {"slice": "weekday", "value": "Friday", "rows": 500, "coverage": 0.1, "width": 9.0},
    ]
    told = {**facts.coverage, "slices": parts}
    text = page(render_report(replace(facts, coverage=told))).text
    assert "Of 2 parts with more than 500 trips, 1 have a coverage of 80 to 97 %" in text
    assert "Monday outside 501 79.0 % 9.00" in text
    assert "Tuesday 501 80.0 % 9.00" in text
    assert "500 10.0 %" not in text


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (0.19, "gives no reason to doubt it: the mean of predicted less actual was +0.100 minutes"),
        (-0.3, "that is in doubt: the mean of predicted less actual was +0.100 minutes then"),
    ],
    ids=["alike", "moved"],
)
def test_whether_the_level_is_in_doubt_is_said(facts, page, shift, said):
    told = {**facts.coverage, "shift": shift}
    text = page(render_report(replace(facts, coverage=told))).text
    assert said in text
    assert ("a move by 30.0 % of the error that is expected" in text) == (shift == -0.3)


def test_a_model_without_intervals_says_why(facts, page):
    text = page(render_report(replace(facts, coverage={"why_not": "too few trips"}))).text
    assert "Intervals of the predictions The model has none: too few trips." in text
