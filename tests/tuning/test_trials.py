"""Trials, and where they are written down."""

import dataclasses

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
