"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Choice:
    """What a search found.

    Attributes:
        parameters: the regressor's parameters.
        rounds: boosting rounds; None for a regressor without.
        rmse: error of that fit on the window's last days, in minutes; None if nothing was
            searched.
        trials: one row a trial.
    """

    parameters: dict[str, Any]
    rounds: int | None = None
    rmse: float | None = None
    trials: list[dict[str, Any]] = field(default_factory=list)
