"""Whether a model may become champion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.evaluation import gate
from taxi_pipeline.evaluation.gate import CHALLENGER, CHAMPION, Holder, decide_aliases
from taxi_pipeline.month import Month


def test_the_gain_is_measured_against_the_best_baseline():
    measured = {"mean": {"rmse": 12.0}, "zone_pair": {"rmse": 8.0}}
    assert gate.best_baseline(measured) == "zone_pair"
    assert gate.relative_gain({"rmse": 6.0}, measured) == 0.25
    assert gate.relative_gain({"rmse": 10.0}, measured) == -0.25


@pytest.mark.parametrize(
    ("rmse", "min_gain", "passes"),
    [(6.0, 0.0, True), (6.0, 0.25, True), (6.0, 0.26, False), (8.0, 0.0, False), (9.0, 0, False)],
)
def test_a_champion_is_below_the_best_baseline_by_what_the_gate_asks(rmse, min_gain, passes):
    measured = {"mean": {"rmse": 12.0}, "zone_pair": {"rmse": 8.0}}
    passed, reason = gate.apply_gate({"rmse": rmse}, measured, min_gain)
    assert passed is passes
    assert "baseline zone_pair" in reason


# --- aliases ----------------------------------------------------------------------------------

months = st.integers(0, 30).map(lambda number: Month(2020, 1) + number)
holder = st.builds(Holder, st.sampled_from(["1", "2", "3"]), st.none() | months)
holders = st.dictionaries(st.sampled_from([CHALLENGER, CHAMPION]), holder)


def decide(month, version="9", *, promote=True, **held):
    return decide_aliases(month, version, promote=promote, reason="a reason", holders=held)


def test_the_first_model_that_passes_becomes_challenger_and_champion():
    decision = decide(Month(2021, 1))
    assert decision.moves == (CHALLENGER, CHAMPION)
    assert decision.promoted
    assert (decision.text, decision.pin) == ("champion: a reason", "")


def test_a_model_that_does_not_pass_becomes_challenger_only():
    decision = decide(Month(2021, 1), promote=False)
    assert decision.moves == (CHALLENGER,)
    assert not decision.promoted
    assert decision.text == "not champion: a reason"


def test_a_newer_champion_stays():
    newer = Holder("3", Month(2021, 2))
    decision = decide(Month(2021, 1), champion=newer)
    assert decision.moves == (CHALLENGER,)
    assert decision.text == "champion stays with the newer month 2021-02"


def test_an_older_champion_is_followed_by_a_model_of_the_same_or_a_newer_month():
    assert decide(Month(2021, 1), champion=Holder("3", Month(2021, 1))).promoted


def test_a_version_that_holds_its_aliases_moves_none():
    own = Holder("9", Month(2021, 1))
    decision = decide(Month(2021, 1), champion=own, challenger=own)
    assert decision.moves == ()
    assert not decision.promoted
    assert decision.text == "champion: a reason"


def test_a_champion_that_would_not_pass_now_stays_champion():
    decision = decide(Month(2021, 1), promote=False, champion=Holder("9", Month(2021, 1)))
    assert decision.moves == (CHALLENGER,)
    assert decision.text == "champion from before, would not become it now: a reason"


PINNED = Holder("3", Month(2020, 1), pin="version 3 is pinned since 2021-06-01 by ana@host (why)")


@pytest.mark.parametrize("promote", [False, True])
def test_a_pinned_champion_stays_and_the_candidate_is_told_so(promote):
    decision = decide(Month(2021, 1), promote=promote, champion=PINNED)
    assert decision.moves == (CHALLENGER,)
    assert decision.text == f"not champion: {PINNED.pin}"
    assert decision.pin == PINNED.pin


@pytest.mark.parametrize("promote", [False, True])
def test_a_pinned_champion_that_is_registered_again_is_told_so(promote):
    decision = decide(Month(2021, 1), version="3", promote=promote, champion=PINNED)
    assert decision.moves == (CHALLENGER,)
    assert decision.text == f"champion: {PINNED.pin}"


@given(month=months, promote=st.booleans(), held=holders)
def test_nothing_ever_replaces_a_pinned_champion(month, promote, held):
    assert CHAMPION not in decide(month, promote=promote, **{**held, CHAMPION: PINNED}).moves


@given(month=months, promote=st.booleans(), held=holders)
def test_no_alias_ever_moves_to_an_older_month(month, promote, held):
    moves = decide(month, promote=promote, **held).moves
    newer = {alias for alias, holder in held.items() if holder.month and holder.month > month}
    assert not newer & set(moves)


@given(month=months, held=holders)
def test_nothing_becomes_champion_that_is_not_to_be_promoted(month, held):
    assert CHAMPION not in decide(month, promote=False, **held).moves
