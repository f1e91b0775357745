"""The result of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taxi_pipeline.tuning.trials import Trial


@dataclass
class TuningResult:
    """The result of a search.

    Attributes:
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        rmse: error of the chosen fit on the window's last days, in minutes; None if there was no
            search.
        trials: all trials, by number.
    """

    parameters: dict[str, Any]
    rounds: int | None = None
    rmse: float | None = None
    trials: list[Trial] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as it is written down; each trial is a row of a table."""
        return {
            "parameters": self.parameters,
            "rounds": self.rounds,
            "rmse": self.rmse,
            "trials": [trial.as_row() for trial in self.trials],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TuningResult:
        """The result that :meth:`as_json` wrote down, but for the trials' ``rungs``."""
        trials = [Trial.from_row(row) for row in content["trials"]]
        return cls(**{**content, "trials": trials})
