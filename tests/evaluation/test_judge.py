"""The gate's verdict: noise is not called progress, and a weak model replaces no good champion."""

import json

import numpy as np
import pytest
from small_models import JANUARY

from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED
from taxi_pipeline.evaluation.judge import Evaluated, Opponent, Rules, judge

RULES = Rules(min_gain=0.0, min_champion_gain=0.0, max_slice_loss=0.1, min_slice_trips=100)

BEATS_THE_BASELINES = {
    "model": {"rmse": 5.0},
    "baselines": {"mean": {"rmse": 12.0}, "zone_pair": {"rmse": 8.0}, "linear": {"rmse": 9.0}},
}


@pytest.fixture
def judged(january, result):
    """The verdict on the small model, beside a champion that predicts given minutes."""

    def run(champion=None, *, why_not="", opponent=True, figures=None, **rules):
        return judge(
            Evaluated(figures or BEATS_THE_BASELINES, result.predictions, january, JANUARY),
            Opponent("version 1", champion, why_not) if opponent else None,
            Rules(**{**vars(RULES), **rules}),
        )

    return run


@pytest.fixture
def actual(result):
    return result.predictions["actual"].to_numpy(np.float64)


@pytest.fixture
def own(result):
    return result.predictions["predicted"].to_numpy(np.float64)


def scaled(actual, own, share):
    """Predictions whose errors are larger or smaller by a share, each by the same."""
    return actual + (own - actual) * (1 + share)


def test_the_first_model_that_beats_the_baselines_is_promoted_and_says_by_how_much(judged):
    judgement = judged(opponent=False)
    assert judgement.verdict == PROMOTED
    assert "below that of the baseline" in judgement.decisive[0]
    assert "95 % interval" in judgement.decisive[0]
    assert judgement.decisive[1] == "there is no champion to compare it with"
    assert set(judgement.baselines) == {"mean", "zone_pair", "linear"}
    assert judgement.champion == {}


def test_a_model_that_a_baseline_beats_is_rejected_whatever_the_champion_is(judged, actual, result):
    figures = {"model": {"rmse": 9.0}, "baselines": {"mean": {"rmse": 8.0}}}
    judgement = judged(actual + 30, figures=figures)
    assert judgement.verdict == REJECTED
    assert "baseline mean" in judgement.decisive[0]


def test_a_model_that_is_worse_beyond_noise_is_kept(judged, actual, own):
    judgement = judged(scaled(actual, own, -0.2))
    assert judgement.verdict == KEPT
    assert "25.0% above that of the champion, version 1" in judgement.decisive[0]
    assert judgement.decisive[0].endswith("worse beyond noise")
    assert judgement.champion["rmse"].interval[0] > 0


def test_a_model_of_equal_quality_takes_over_by_default(judged, actual, own):
    same = judged(own.copy())
    assert same.verdict == PROMOTED
    noise = np.random.default_rng(5).normal(0, 1, len(own)) * 1e-3
    assert judged(own + noise).verdict == PROMOTED


@pytest.mark.parametrize(("better", "verdict"), [(0.05, PROMOTED), (0.005, KEPT), (0.0, KEPT)])
def test_a_gain_that_is_asked_for_is_asked_for_beyond_noise(judged, actual, own, better, verdict):
    champion = scaled(actual, own, better)
    judgement = judged(champion, min_champion_gain=0.02)
    assert judgement.verdict == verdict
    assert "`min_champion_gain` asks for 2.0% below, beyond noise" in str(judgement.reasons)


def worse_at_noon(january, actual, own):
    """A champion that is worse everywhere but on Mondays, where it is better."""
    on_monday = january["weekday"].to_numpy() == 0
    return np.where(on_monday, scaled(actual, own, -0.4), scaled(actual, own, 0.4))


def test_a_loss_in_a_slice_keeps_a_model_that_is_better_overall(judged, january, actual, own):
    champion = worse_at_noon(january, actual, own)
    judgement = judged(champion)
    assert judgement.verdict == KEPT
    assert judgement.champion["rmse"].value < 0
    assert "weekday Monday (66.7% above" in judgement.decisive[0]
    assert "`max_slice_loss` (10.0%)" in judgement.decisive[0]
    assert judged(champion, max_slice_loss=float("inf")).verdict == PROMOTED


def test_slices_of_few_trips_are_not_compared(judged, january, actual, own):
    champion = worse_at_noon(january, actual, own)
    judgement = judged(champion, min_slice_trips=len(january) + 1)
    assert judgement.slices == ()
    assert judgement.verdict == PROMOTED
    assert all(one.rows >= 100 for one in judged(champion).slices)


def test_a_champion_that_cannot_be_compared_fairly_stays(judged):
    judgement = judged(why_not="the champion knows the month")
    assert judgement.verdict == KEPT
    assert judgement.decisive == ("the champion knows the month",)


def test_a_champion_that_needs_no_comparison_speaks_for_itself(judged):
    judgement = judged()
    assert judgement.verdict == PROMOTED
    assert judgement.decisive[1] == "version 1"


def test_a_judgement_is_plain_json(judged, own):
    judgement = judged(own.copy())
    content = json.loads(json.dumps(judgement.as_dict(), allow_nan=False))
    assert content["verdict"] == PROMOTED
    assert content["champion"]["rmse"]["interval"] == [0.0, 0.0]
    assert content["slices"][0]["difference"]["value"] == 0.0
