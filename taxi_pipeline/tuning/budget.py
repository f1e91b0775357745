"""What a search may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """What a search may use.

    Attributes:
        trials: number of trials in all.
        seconds: after these no further trial is begun.
        patience: trials without a better one after which the search ends.
        parallel: most trials at a time.
        rows: most trips that a trial is fitted on.
        rounds: most boosting rounds of a trial.
        learning_rate: that of all trials.
        max_rounds: most boosting rounds of the last fit.
        stopping_rounds: rounds without improvement after which the last fit ends.
        max_rows: trips beyond which the search knows a sample of the window only.
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
