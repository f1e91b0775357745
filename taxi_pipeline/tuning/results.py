"""The result of a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from taxi_pipeline.tuning.trials import Trial, best

if TYPE_CHECKING:
    import pandas as pd

OWN = "recipe"
"""The name of the recipe's own parameters among the finalists."""


@dataclass(frozen=True)
class Finalist:
    """Parameters that were fitted on all of the earlier days, at the recipe's learning rate.

    Attributes:
        name: ``recipe`` for the recipe's own parameters, ``trial 17`` for those of a trial.
        rmse: smallest error on the window's last days, in minutes. Of a fit that was stopped it is
            only known that its error would not have been larger.
        rounds: boosting rounds after which the error was smallest.
        stopped: the round at which it was stopped since it was behind the other; None if it was
            fitted in full.
        curve: error on the window's last days after each round, in minutes: the learning curve.
            Empty if an earlier version made the fit.
    """

    name: str
    rmse: float
    rounds: int
    stopped: int | None = None
    curve: tuple[float, ...] = ()

    @property
    def result(self) -> str:
        """The error, or where it was stopped, in words."""
        if self.stopped is None:
            return f"fitted in full: {self.rmse:.4f}"
        return f"stopped at round {self.stopped}, behind"


@dataclass
class TuningResult:
    """The result of a search.

    Attributes:
        parameters: the regressor's parameters.
        rounds: boosting rounds of the fit on the whole window; None for a regressor without.
        rmse: error of the chosen final fit on the window's last days, in minutes; None if there was
            no search. The errors of trials are not comparable with it: trials are short, and fitted
            at a high learning rate and on a sample.
        trials: all trials, by number.
        finalists: the final fits that were chosen from; none if there was no search, or if an
            earlier version made it.
        late: what the chosen final fit predicts for the window's last days, as of
            :func:`taxi_pipeline.tuning.holdout.late_predictions`; None if there was no search, or
            if the result was read. It is kept in a file of its own.
    """

    parameters: dict[str, Any]
    rounds: int | None = None
    rmse: float | None = None
    trials: list[Trial] = field(default_factory=list)
    finalists: list[Finalist] = field(default_factory=list)
    late: pd.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def tuned_by(self) -> str:
        """The name of the finalist whose parameters were chosen; empty where it is not known."""
        winner = min(self.finalists, key=lambda finalist: finalist.rmse, default=None)
        return "" if winner is None else winner.name

    @property
    def late_rounds(self) -> int | None:
        """Boosting rounds of the fit that predicted the window's last days."""
        winner = min(self.finalists, key=lambda finalist: finalist.rmse, default=None)
        return self.rounds if winner is None else winner.rounds

    @property
    def best_rmse(self) -> float | None:
        """Smallest error of a trial, in minutes."""
        leader = best(self.trials)
        return None if leader is None else leader.rmse

    @property
    def outcome(self) -> str:
        """What was compared at the end, and what won, in one line; empty without finalists."""
        counts = Counter(trial.status for trial in self.trials)
        ended = ", ".join(f"{count} {status}" for status, count in counts.items())
        leader = best(self.trials)
        if leader is None or not self.finalists:
            return ""
        own = "the recipe's own parameters"
        trials = f"best of {len(self.trials)} trials (trial {leader.number}; {ended})"
        if leader.number == 1 and self.tuned_by == OWN:
            return f"{own}, {trials}, {self.finalists[0].result}"
        phrases = [f"{own if one.name == OWN else trials}, {one.result}" for one in self.finalists]
        winner = "the recipe's own win" if self.tuned_by == OWN else f"{self.tuned_by} wins"
        return "; ".join([*phrases, winner])

    def as_json(self) -> dict[str, Any]:
        """The result as it is written down; each trial is a row of a table."""
        return {
            "parameters": self.parameters,
            "rounds": self.rounds,
            "rmse": self.rmse,
            "tuned_by": self.tuned_by,
            "finalists": [{**asdict(one), "curve": list(one.curve)} for one in self.finalists],
            "best_rmse": self.best_rmse,
            "trials": [trial.as_row() for trial in self.trials],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TuningResult:
        """The result that :meth:`as_json` wrote down, but for the trials' ``rungs``.

        Earlier versions wrote no finalists down.
        """
        return cls(
            parameters=content["parameters"],
            rounds=content["rounds"],
            rmse=content["rmse"],
            trials=[Trial.from_row(row) for row in content["trials"]],
            finalists=[
                Finalist(**{**finalist, "curve": tuple(finalist.get("curve", ()))})
                for finalist in content.get("finalists", [])
            ],
        )
