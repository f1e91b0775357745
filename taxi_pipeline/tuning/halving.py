"""Asynchronous successive halving (Li et al., 2020): hopeless trials are stopped early."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition
from typing import Any, Protocol

import numpy as np

from taxi_pipeline.tuning.trials import Trial

FIRST_RUNG = 8
"""Trials are compared at this round first, and then at each doubling."""

DIGITS = 6
"""Decimals that a trial's error is rounded to: later ones depend on the number of threads."""

CURVE_DIGITS = 4
"""Decimals of the errors by round, which are drawn and decide nothing."""

MIN_TO_COMPARE = 4
"""No trial is stopped at a rung that fewer trials have reached."""


def median_thresholds(trials: Sequence[Trial]) -> dict[int, float]:
    """The error above which a trial is stopped at each rung: the median of earlier trials there."""
    rungs: dict[int, list[float]] = {}
    for trial in trials:
        for rung, rmse in trial.rungs.items():
            rungs.setdefault(int(rung), []).append(rmse)
    return {
        rung: float(np.median(errors))
        for rung, errors in rungs.items()
        if len(errors) >= MIN_TO_COMPARE
    }


class Thresholds(Protocol):
    """The error above which a fit is stopped at a rung."""

    def get(self, rung: int, default: float, /) -> float:
        """The error; ``default`` if there is none at this rung."""


class Pacemaker:
    """Errors of a fit at its rungs, as thresholds of another one that runs beside it.

    The other waits at a rung until this fit has been there, so that what comes of it does not
    depend on which is faster.
    """

    def __init__(self) -> None:
        self._errors: dict[int, float] = {}
        self._ended = False
        self._changed = Condition()

    def reach(self, rung: int, error: float) -> None:
        """The fit has reached a rung with this error."""
        with self._changed:
            self._errors[rung] = error
            self._changed.notify_all()

    def end(self) -> None:
        """The fit reaches no further rung."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def get(self, rung: int, default: float, /) -> float:
        """The error at a rung, once it is known; ``default`` if the fit ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or rung in self._errors)
            return self._errors.get(rung, default)


def halving_callback(highest: Thresholds, pacemaker: Pacemaker | None = None) -> Any:
    """A callback that stops a booster whose error at a rung is above the highest allowed there.

    It knows the booster's errors by round, the smallest of them, the smallest up to each rung, and
    the round at which it was stopped.

    Args:
        highest: the errors allowed.
        pacemaker: is told the booster's own errors.
    """
    import xgboost

    class Halving(xgboost.callback.TrainingCallback):
        def __init__(self) -> None:
            self.rungs: dict[str, float] = {}
            self.curve: list[float] = []
            self.best = float("inf")
            self.stopped: int | None = None

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            error = evals_log["late"]["rmse"][-1]
            if not np.isfinite(error):
                raise ArithmeticError(f"the error is {error} after {epoch + 1} rounds")
            self.best = min(self.best, round(error, DIGITS))
            self.curve.append(round(error, CURVE_DIGITS))
            rounds = epoch + 1
            if rounds < FIRST_RUNG or rounds & (rounds - 1):
                return False
            self.rungs[str(rounds)] = self.best
            if pacemaker is not None:
                pacemaker.reach(rounds, self.best)
            if self.best > highest.get(rounds, float("inf")):
                self.stopped = rounds
            return self.stopped is not None

    return Halving()
