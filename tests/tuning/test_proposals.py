"""What is tried next, given what was tried."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxi_pipeline.model.space import Integer, LogUniform, Uniform
from taxi_pipeline.tuning.proposals import RANDOM_FIRST, propose
from taxi_pipeline.tuning.trials import Trial

SPACE = {"x": Uniform(0, 1), "y": LogUniform(1, 100), "n": Integer(1, 20)}

brief = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)
numbers = st.integers(1, 10_000)


def error(parameters):
    """A bowl with its lowest point at (0.3, 16, 14)."""
    return (
        (parameters["x"] - 0.3) ** 2
        + (np.log10(parameters["y"]) / 2 - 0.6) ** 2
        + ((parameters["n"] - 14) / 19) ** 2
    )


def tried(count, seed, measure=error, *, learn=True):
    """Trials, each proposed from those before it or from none."""
    trials = []
    for number in range(1, count + 1):
        parameters = propose(SPACE, trials if learn else [], number, seed)
        rmse = measure(parameters)
        trials.append(Trial(number, parameters, "failed" if rmse is None else "finished", rmse))
    return trials


@pytest.fixture(scope="module")
def trials():
    return tried(RANDOM_FIRST + 5, seed=0)


@st.composite
def spaces(draw):
    low = draw(st.floats(-1e3, 1e3))
    positive = draw(st.floats(1e-3, 1e3))
    whole = draw(st.integers(-50, 50))
    return {
        "uniform": Uniform(low, low + draw(st.floats(0.01, 1e3))),
        "log": LogUniform(positive, positive * draw(st.floats(1.01, 1e3))),
        "whole": Integer(whole, whole + draw(st.integers(1, 100))),
    }


def anywhere(distribution):
    low, high = distribution.low, distribution.high
    return st.integers(low, high) if isinstance(distribution, Integer) else st.floats(low, high)


@brief
@given(data=st.data(), space=spaces(), seed=seeds, count=st.integers(0, 15))
def test_a_proposal_lies_in_the_space_in_pythons_own_numbers(data, space, seed, count):
    parameters = st.fixed_dictionaries({name: anywhere(space[name]) for name in space})
    errors = st.none() | st.floats(0, 1e6)
    trials = [
        Trial(number, data.draw(parameters), "finished", data.draw(errors))
        for number in range(1, count + 1)
    ]
    proposal = propose(space, trials, count + 1, seed)
    assert list(proposal) == list(space)
    for name, distribution in space.items():
        assert type(proposal[name]) is (int if isinstance(distribution, Integer) else float)
        assert distribution.low <= proposal[name] <= distribution.high


def test_every_whole_number_of_a_space_is_proposed_both_ends_included():
    space = {"n": Integer(3, 6)}
    assert {propose(space, [], number, 0)["n"] for number in range(60)} == {3, 4, 5, 6}


def test_a_log_uniform_parameter_is_as_often_below_as_above_the_middle_magnitude():
    space = {"y": LogUniform(0.01, 100)}
    below = [propose(space, [], number, 0)["y"] < 1 for number in range(200)]
    assert 70 < sum(below) < 130


@brief
@given(seed=seeds, number=numbers, count=st.integers(0, RANDOM_FIRST + 5), order=st.randoms())
def test_a_proposal_follows_from_trials_number_and_seed_alone(trials, seed, number, count, order):
    known = trials[:count]
    before = copy.deepcopy(known)
    proposal = propose(SPACE, known, number, seed)
    assert known == before
    np.random.seed(order.randrange(2**32))  # noqa: NPY002  (the global state plays no part)
    propose(SPACE, trials, number + 1, seed)
    order.shuffle(known)
    assert propose(SPACE, known, number, seed) == proposal


@pytest.mark.parametrize("count", [0, RANDOM_FIRST], ids=["random", "learned"])
def test_another_number_or_another_seed_makes_another_proposal(trials, count):
    proposals = [
        propose(SPACE, trials[:count], number, seed) for number in (20, 21) for seed in (0, 1)
    ]
    assert all(proposals.count(proposal) == 1 for proposal in proposals)


@pytest.mark.parametrize("count", [RANDOM_FIRST - 1, RANDOM_FIRST])
def test_errors_are_learned_from_once_there_are_enough(trials, count):
    known = trials[:count]
    opposite = [replace(trial, rmse=10 - trial.rmse) for trial in known]
    same = propose(SPACE, known, 20, 0) == propose(SPACE, opposite, 20, 0)
    assert same == (count < RANDOM_FIRST)


def test_proposals_get_better_than_random_ones():
    def later(*, learn):
        return np.mean(
            [trial.rmse for seed in range(4) for trial in tried(30, seed, learn=learn)[20:]]
        )

    assert later(learn=True) < later(learn=False) / 2


def test_failed_trials_are_kept_away_from():
    def fails(parameters):
        return None if parameters["x"] > 0.5 else parameters["x"]

    later = [trial for seed in range(3) for trial in tried(25, seed, fails)[RANDOM_FIRST:]]
    assert sum(trial.rmse is None for trial in later) < len(later) / 4


def test_there_is_a_proposal_when_all_have_failed():
    trials = tried(RANDOM_FIRST + 5, 0, lambda _: None)
    assert len({trial.parameters["x"] for trial in trials}) == len(trials)
