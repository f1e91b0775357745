"""What a search found, in words and as it is written down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.tuning.results import OWN, Finalist, TuningResult
from taxi_pipeline.tuning.trials import Trial


def trials(*errors):
    """Trials with these errors; None failed."""
    return [
        Trial(number, {"max_depth": number}, "failed" if rmse is None else "finished", rmse)
        for number, rmse in enumerate(errors, 1)
    ]


def result(errors, *finalists):
    return TuningResult({"max_depth": 1}, 10, 4.5, trials(*errors), list(finalists))


@pytest.mark.parametrize(
    ("found", "tuned_by", "outcome"),
    [
        (
            result([5, 4.9], Finalist(OWN, 4.51034, 90), Finalist("trial 2", 4.5241, 80)),
            "recipe",
            (
                "the recipe's own parameters, fitted in full: 4.5103; best of 2 trials (trial 2; "
                "2 finished), fitted in full: 4.5241; the recipe's own win"
            ),
        ),
        (
            result([5, None, 4.9], Finalist(OWN, 4.5, 90), Finalist("trial 3", 4.4, 80)),
            "trial 3",
            (
                "the recipe's own parameters, fitted in full: 4.5000; best of 3 trials (trial 3; "
                "2 finished, 1 failed), fitted in full: 4.4000; trial 3 wins"
            ),
        ),
        (
            result([5, 4.9], Finalist(OWN, 4.5, 90), Finalist("trial 2", 6.5, 64, stopped=64)),
            "recipe",
            (
                "the recipe's own parameters, fitted in full: 4.5000; best of 2 trials (trial 2; "
                "2 finished), stopped at round 64, behind; the recipe's own win"
            ),
        ),
        (
            result([4.8, 4.9], Finalist(OWN, 4.5, 90)),
            "recipe",
            (
                "the recipe's own parameters, best of 2 trials (trial 1; 2 finished), "
                "fitted in full: 4.5000"
            ),
        ),
        (
            result([None, 4.9], Finalist("trial 2", 4.5, 90)),
            "trial 2",
            (
                "best of 2 trials (trial 2; 1 failed, 1 finished), fitted in full: 4.5000; "
                "trial 2 wins"
            ),
        ),
        (TuningResult({}, 30), "", ""),
    ],
    ids=["own", "trial", "trial stopped", "own is best", "own failed", "not tuned"],
)
def test_the_outcome_says_what_was_compared_and_what_won(found, tuned_by, outcome):
    assert found.tuned_by == tuned_by
    assert found.outcome == outcome


def test_of_equal_finalists_the_recipes_own_parameters_win():
    tied = result([5, 4.9], Finalist(OWN, 4.5, 90), Finalist("trial 2", 4.5, 80))
    assert tied.tuned_by == "recipe"


def test_the_best_trials_error_is_told_apart_from_that_of_the_choice():
    written = result([5, None, 4.9], Finalist(OWN, 4.5, 90)).as_json()
    assert (written["best_rmse"], written["rmse"]) == (4.9, 4.5)


finalists = st.builds(
    Finalist,
    st.sampled_from([OWN, "trial 2"]),
    st.floats(0, 99),
    st.integers(1, 99),
    stopped=st.none() | st.integers(8, 99),
)


@given(errors=st.lists(st.none() | st.floats(0, 99)), final=st.lists(finalists, max_size=2))
def test_what_is_written_down_is_the_result(errors, final):
    found = result(errors, *final)
    assert TuningResult.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize("rmse", [4.5, None])
def test_a_result_of_an_earlier_version_is_read_and_its_winner_is_not_known(rmse):
    rows = [trial.as_row() for trial in trials(5.0, 4.9)]
    written = {"parameters": {"max_depth": 2}, "rounds": 7, "rmse": rmse, "trials": rows}
    found = TuningResult.from_json(written)
    assert found == TuningResult({"max_depth": 2}, 7, rmse, trials(5.0, 4.9))
    assert found.tuned_by == ""
