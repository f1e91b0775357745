"""Walk-forward evaluation of months whose models err by known sizes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_months import FIRST, RULES, judged, months, predicting

from taxi_pipeline.evaluation.backtest import backtest
from taxi_pipeline.evaluation.gate import KEPT, PROMOTED, REJECTED
from taxi_pipeline.evaluation.judge import Opponent, judge

sizes = st.lists(st.floats(1.0, 8.0), min_size=2, max_size=4)
brief = settings(deadline=None, max_examples=8)


def walk(own, later=None, **further):
    """A backtest of models that err by some sizes in their own month, and by others later."""
    return backtest(months(own, **further), predicting(later or own), RULES)


def rmse(errors):
    return float(np.sqrt(np.mean(np.square(errors))))


@brief
@given(sizes)
def test_frozen_and_retrained_are_the_same_in_the_first_month(own):
    first, *later = walk(own).months
    assert first.frozen == first.retrained
    assert first.comparison.rmse.value == 0.0
    assert first.champion is None
    assert first.champion_figures == {}
    assert len(later) == len(own) - 1


@brief
@given(sizes, sizes)
def test_the_answer_is_over_the_trips_of_all_months_but_the_first(own, later):
    later = (later * 4)[: len(own)]
    judged_months = months(own)
    found = backtest(judged_months, predicting(later), RULES)
    retrained, frozen = [], []
    for month in judged_months[1:]:
        trips = month.predictions.astype({"actual": float, "predicted": float})
        retrained.append(trips["predicted"] - trips["actual"])
        predicted = predicting(later)(FIRST - 1, month.features).astype(np.float32)
        frozen.append(predicted.astype(float) - trips["actual"])
    assert found.retraining.rows == sum(map(len, retrained))
    assert found.retraining.days == 28 * (len(own) - 1)
    assert found.retraining.first_rmse == pytest.approx(rmse(np.concatenate(retrained)))
    assert found.retraining.second_rmse == pytest.approx(rmse(np.concatenate(frozen)))
    each = [rmse(one) - rmse(other) for one, other in zip(retrained, frozen, strict=True)]
    assert found.mean_difference == pytest.approx(np.mean(each))
    assert [month.comparison.rmse.value for month in found.later] == pytest.approx(each)


@brief
@given(sizes, sizes)
def test_the_champion_of_a_month_is_whom_the_months_before_left(own, later):
    later = (later * 4)[: len(own)]
    judged_months = months(own)
    champion = None
    for evaluated, month in zip(
        judged_months, backtest(judged_months, predicting(later), RULES).months, strict=True
    ):
        assert month.champion == champion
        opponent = None
        if champion:
            minutes = predicting(later)(champion, evaluated.features)
            minutes = minutes.astype(np.float32).astype(np.float64)
            opponent = Opponent(f"the model of {champion}", minutes)
        expected = judge(evaluated, opponent, RULES)
        assert month.verdict == expected.verdict
        assert sorted(month.reasons) == sorted(expected.reasons)
        assert month.reasons[: len(expected.decisive)] == expected.decisive
        assert bool(month.champion_figures) == bool(champion)
        champion = month.trained_to if month.verdict == PROMOTED else champion
        assert month.champion_after == champion


@brief
@given(sizes)
def test_a_backtest_is_plain_json_and_a_table_of_its_months(own):
    found = walk(own)
    content = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert content["sentence"] == found.sentence
    assert [month["trained_to"] for month in content["months"]] == [
        str(FIRST - 1 + place) for place in range(len(own))
    ]
    table = found.as_table()
    assert list(table["judged_on"]) == [str(FIRST + place) for place in range(len(own))]
    assert list(table["retrained_rmse"]) == [month.retrained["rmse"] for month in found.months]
    assert list(table["champion"].isna()) == [month.champion is None for month in found.months]
    assert {"difference_low", "mean_baseline_rmse", "champion_rmse", "verdict"} <= set(table)


def test_where_the_first_model_grows_old_retraining_is_worth_the_difference():
    found = walk([4, 4, 4], [6, 4, 4])
    difference = found.retraining.rmse
    assert difference.interval[1] < 0
    low, high = (-end for end in reversed(difference.interval))
    assert found.sentence == (
        f"Monthly retraining is worth {-difference.value:.3f} minutes of RMSE "
        f"({-100 * found.retraining.share:.1f} %, 95 % interval {low:.3f} to {high:.3f}) over "
        f"2021-03 to 2021-04: {found.retraining.first_rmse:.3f} against "
        f"{found.retraining.second_rmse:.3f} of the model that stays as trained to 2021-01."
    )


def test_where_the_first_model_stays_best_retraining_costs_something():
    found = walk([4, 6, 6], [4, 6, 6])
    assert found.retraining.rmse.interval[0] > 0
    assert found.sentence.startswith("Monthly retraining costs 1.898 minutes")


def test_what_may_be_noise_is_not_called_worth_it():
    january, february = judged(FIRST, 4), judged(FIRST + 1, 4)
    # Errors of the same size in other trips.
    february.features["noise"] = february.features["noise"].to_numpy()[::-1]
    found = backtest([january, february], predicting([4, 4]), RULES)
    assert found.sentence.startswith(
        "Monthly retraining is not shown to be worth it over 2021-03: its RMSE is 0."
    )
    assert "which may be noise" in found.sentence


def test_a_range_of_too_few_days_has_no_interval():
    found = walk([4, 4], [6, 4], days=3)
    assert found.retraining.rmse.interval is None
    assert "of too few days for an interval" in found.sentence
    assert "not shown to be worth it" in found.sentence


def test_the_champions_of_a_gate_that_lets_all_pass_are_a_month_older():
    found = walk([4, 4, 4, 4], [6, 5, 5, 4])
    assert [month.verdict for month in found.months] == [PROMOTED] * 4
    assert [str(month.champion) for month in found.months] == [
        *("None", "2021-01", "2021-02", "2021-03")
    ]
    assert found.months[-1].champion_figures["rmse"] == pytest.approx(5, rel=0.1)
    assert found.gated.rows == found.retraining.rows
    assert found.retraining.first_rmse < found.gated.first_rmse < found.gated.second_rmse
    assert "The gate would let 4 of 4 models become champion; that of 2021-04 would serve now." in (
        found.gate_sentence
    )
    assert "below the frozen model" in found.gate_sentence


def test_a_worse_model_is_kept_and_the_champion_stays():
    found = walk([4, 6, 4], [4, 6, 4])
    assert [month.verdict for month in found.months] == [PROMOTED, KEPT, PROMOTED]
    assert [str(month.champion_after) for month in found.months] == [
        *("2021-01", "2021-01", "2021-03")
    ]
    assert "the model of 2021-01" in found.months[1].reasons[0]
    assert found.gated.rmse.value == 0.0  # the frozen model serves all the time


def test_where_baselines_are_better_nobody_serves():
    found = walk([9, 9], baseline=3.0)
    assert [month.verdict for month in found.months] == [REJECTED] * 2
    assert found.gated is None
    assert found.gate_sentence == (
        "The gate would let 0 of 2 models become champion; none would serve now."
    )
    assert found.as_dict()["gated"] is None


def test_a_month_asks_no_model_but_the_first_and_the_champion():
    asked = []

    def predict(trained, features):
        asked.append(str(trained))
        return predicting([5, 5, 5, 5])(trained, features)

    backtest(months([4, 4, 4, 4]), predict, RULES)
    assert asked == ["2021-01", "2021-01", "2021-02", "2021-01", "2021-03"]


def test_months_are_read_when_it_is_their_turn():
    read, asked = [], []

    def one_by_one():
        for month in months([4, 4, 4]):
            read.append(month.month)
            yield month

    def predict(trained, features):
        asked.append(len(read))
        return predicting([5, 5, 5])(trained, features)

    backtest(one_by_one(), predict, RULES)
    assert asked == [2, 3, 3]
