"""Which trials are hopeless."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.tuning.halving import MIN_TO_COMPARE, Pacemaker, median_thresholds
from taxi_pipeline.tuning.trials import Trial

trials_at_rungs = st.lists(
    st.dictionaries(st.sampled_from(["8", "16", "32"]), st.floats(0, 100)), max_size=12
).map(lambda rungs: [Trial(n, {}, "stopped", rungs=each) for n, each in enumerate(rungs, 1)])


@given(trials=trials_at_rungs)
def test_half_of_the_trials_at_a_rung_are_not_above_its_limit(trials):
    highest = median_thresholds(trials)
    for rung in (8, 16, 32):
        errors = [trial.rungs[str(rung)] for trial in trials if str(rung) in trial.rungs]
        assert (rung in highest) == (len(errors) >= MIN_TO_COMPARE)
        if rung in highest:
            assert min(errors) <= highest[rung] <= max(errors)
            assert sum(error > highest[rung] for error in errors) <= len(errors) / 2
            assert sum(error < highest[rung] for error in errors) <= len(errors) / 2


def test_a_fit_waits_at_a_rung_until_its_pacemaker_has_been_there():
    pacemaker, found = Pacemaker(), []
    beside = threading.Thread(target=lambda: found.append(pacemaker.get(16, 99.0)), daemon=True)
    beside.start()
    pacemaker.reach(8, 5.0)
    beside.join(0.2)
    assert found == []
    pacemaker.reach(16, 4.0)
    beside.join(10)
    assert found == [4.0]


def test_a_pacemaker_that_has_ended_holds_nobody_up():
    pacemaker = Pacemaker()
    pacemaker.reach(8, 5.0)
    pacemaker.end()
    assert pacemaker.get(8, 99.0) == 5.0
    assert pacemaker.get(16, 99.0) == 99.0
