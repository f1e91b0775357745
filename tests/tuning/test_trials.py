"""Trials, and where they are written down."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.tuning.trials import MemoryJournal, Trial, best


def journal_of(trials):
    journal = MemoryJournal()
    for trial in trials:
        journal.add(trial)
    return journal


def test_a_journal_keeps_the_first_trial_of_a_number():
    first, second, third = (Trial(n, {}, "finished", rmse=n) for n in (1, 2, 3))
    again = dataclasses.replace(first, rmse=9.0)
    journal = journal_of([first, third])
    assert journal.add(again) == first
    assert journal.add(second) == second
    assert [journal.get(n) for n in (1, 2, 3, 4)] == [first, second, third, None]


def test_the_best_trial_has_the_smallest_error_and_did_not_fail():
    failed, some, none = (Trial(n, {}, "x", rmse) for n, rmse in enumerate((None, 1.0, 0.0), 1))
    assert best([failed, some, none]) == none
    assert best([failed]) is best([]) is None


# --- rows of a table --------------------------------------------------------------------------

names = st.sampled_from(["max_depth", "rmse", "trial", "parameter_rmse", "parameter_eta", "error"])
trials = st.builds(
    Trial,
    st.integers(1, 99),
    st.dictionaries(names, st.integers(0, 9)),
    st.sampled_from(["finished", "stopped", "failed"]),
    rmse=st.none() | st.floats(0, 99),
    rounds=st.integers(0, 99),
    seconds=st.floats(0, 99),
    error=st.text(max_size=9),
)


@given(trial=trials)
def test_a_row_says_all_of_a_trial_whatever_its_parameters_are_called(trial):
    row = trial.as_row()
    assert Trial.from_row(row) == trial
    assert (row["trial"], row["rmse"]) == (trial.number, trial.rmse)


@given(trial=trials)
def test_what_is_written_down_is_the_trial(trial):
    assert Trial.from_json(trial.as_json()) == trial


def test_journals_of_before_can_be_read():
    written = {
        "number": 3,
        "parameters": {"max_depth": 4},
        "status": "finished",
        "rmse": 5.5,
        "rounds": 16,
        "rungs": {"8": 5.75},
        "seconds": 0.5,
        "error": "",
        "may_pass": False,
    }
    trial = Trial.from_json(written)
    assert (trial.number, trial.rmse, trial.rungs) == (3, 5.5, {"8": 5.75})
    assert trial.as_json() == written
