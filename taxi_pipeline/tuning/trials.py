"""Trials of a search, and where they are written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

FINISHED = "finished"
STOPPED = "stopped"
FAILED = "failed"


@dataclass(frozen=True)
class Trial:
    """Parameters that were tried, and what came of them.

    Attributes:
        number: from 1.
        parameters: those of the search space.
        status: ``finished``; ``stopped`` as hopeless before its last round; or ``failed``.
        rmse: smallest error on the window's last days, in minutes; None if it failed.
        rounds: boosting rounds that were made.
        rungs: the smallest error up to each round at which trials are compared, by that round.
        seconds: time taken.
        error: what failed.
        may_pass: whether the failure is the machine's, not the parameters': it is not written
            down, and the trial is made again when the search goes on.
    """

    number: int
    parameters: dict[str, Any]
    status: str
    rmse: float | None = None
    rounds: int = 0
    rungs: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""
    may_pass: bool = False

    def as_row(self) -> dict[str, Any]:
        """The trial as a row of a table."""
        return {
            "trial": self.number,
            "status": self.status,
            "rmse": self.rmse,
            "rounds": self.rounds,
            "seconds": self.seconds,
            **self.parameters,
            "error": self.error,
        }


class Journal(Protocol):
    """Where trials are written down as they end, for whoever continues the search."""

    def get(self, number: int) -> Trial | None:
        """The trial of a number, if it has ended."""

    def add(self, trial: Trial) -> Trial:
        """Write a trial down; the answer is the one of that number that was there first."""


class MemoryJournal:
    """A journal that is gone with the process."""

    def __init__(self) -> None:
        self._trials: dict[int, Trial] = {}

    def get(self, number: int) -> Trial | None:
        """The trial of a number, if it has ended."""
        return self._trials.get(number)

    def add(self, trial: Trial) -> Trial:
        """Keep a trial, unless there is one of that number."""
        return self._trials.setdefault(trial.number, trial)


def best(trials: list[Trial]) -> Trial | None:
    """The trial with the smallest error; None if none has one."""
    measured = [trial for trial in trials if trial.rmse is not None]
    return min(measured, key=lambda trial: trial.rmse or 0.0, default=None)
