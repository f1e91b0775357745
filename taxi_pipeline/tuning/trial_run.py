"""One trial, run in a thread or in a process of a pool, and what its failure means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from typing import Any

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.tuning.halving import halving_callback
from taxi_pipeline.tuning.holdout import HoldoutData
from taxi_pipeline.tuning.trials import FAILED, FINISHED, STOPPED, Trial


@dataclass(frozen=True)
class TrialRun:
    """A trial that is ready to run, in this process or in one of a pool."""

    number: int
    proposal: dict[str, Any]
    parameters: Mapping[str, Any]
    data: HoldoutData
    rounds: int
    highest: Mapping[int, float]

    def __call__(self) -> Trial:
        """Fit the proposal; a failure is a result as well."""
        started = time.monotonic()
        halving = halving_callback(self.highest)
        try:
            booster = self.data.fit(self.parameters, self.rounds, callbacks=[halving])
        except Exception as error:  # noqa: BLE001  (told in the table of trials; others go on)
            return _failed(self, error)
        rounds = booster.num_boosted_rounds()
        return Trial(
            self.number,
            self.proposal,
            STOPPED if rounds < self.rounds else FINISHED,
            rmse=halving.best,
            rounds=rounds,
            rungs=halving.rungs,
            seconds=round(time.monotonic() - started, 3),
        )


def trial_result(future: Future[Trial], attempt: TrialRun) -> Trial:
    """A trial's result; where the executor failed to run it, the trial has failed."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001  (as above)
        return _failed(attempt, error)


def _failed(attempt: TrialRun, error: Exception) -> Trial:
    line = _line(error)
    transient = isinstance(error, (MemoryError, OSError)) or "bad_alloc" in line
    return Trial(attempt.number, attempt.proposal, FAILED, error=line, transient=transient)


def worker_died(error: Exception) -> InvalidTraining:
    """The error for a worker that died. It is not known in which trial, so none has failed."""
    return InvalidTraining(
        f"a worker that trials run in died ({_line(error)}), of too little memory perhaps: the "
        "trials that ended are kept; run again, with a lower `parallel` or `rows`"
    )


def _line(error: Exception) -> str:
    """An error in one line, without the place in XGBoost's code that its errors begin with."""
    text = " ".join(str(error).split()).partition(" Stack trace:")[0]
    message = text.rpartition("Check failed: ")[2][:300]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
