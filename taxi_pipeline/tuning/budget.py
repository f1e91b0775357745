"""The budget of a search: trials, time, rows and boosting rounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """The budget of a search.

    Attributes:
        trials: number of trials in all.
        seconds: seconds after which no further trial is started.
        patience: the search ends after this many trials without a better one.
        parallel: trials that may run at a time.
        rows: trips that a trial is fitted on.
        rounds: boosting rounds of a trial.
        learning_rate: learning rate of all trials.
        max_rounds: boosting rounds of a final fit at most.
        stopping_rounds: a final fit ends after this many rounds without improvement.
        max_rows: trips beyond which the search works on a random sample of the window.
    """

    trials: int
    seconds: float = float("inf")
    patience: int = 1000
    parallel: int = 4
    rows: int = 10_000
    rounds: int = 16
    learning_rate: float = 0.3
    max_rounds: int = 2000
    stopping_rounds: int = 20
    max_rows: int = 400_000
