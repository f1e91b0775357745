"""Trials of a search, and where they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

FINISHED = "finished"
STOPPED = "stopped"
FAILED = "failed"

_FACTS = ("trial", "status", "rmse", "rounds", "seconds", "error")
_PREFIX = "parameter_"
_NAMES = {"may_pass": "transient"}


@dataclass(frozen=True)
class Trial:
    """Parameters that were tried, and their result.

    Attributes:
        number: from 1.
        parameters: those of the search space.
        status: ``finished``; ``stopped`` as hopeless before its last round; or ``failed``.
        rmse: smallest error on the window's last days, in minutes; None if it failed.
        rounds: boosting rounds that were made.
        rungs: for each round at which trials are compared, the smallest error up to it.
        seconds: time taken.
        error: why it failed, in one line.
        transient: whether the machine failed rather than the parameters. Such a trial is not
            written down, and is run again when the search continues.
    """

    number: int
    parameters: dict[str, Any]
    status: str
    rmse: float | None = None
    rounds: int = 0
    rungs: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""
    transient: bool = False

    def as_json(self) -> dict[str, Any]:
        """The trial as it is written down."""
        content = asdict(self)
        # Journals have had this name from the beginning.
        content["may_pass"] = content.pop("transient")
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Trial:
        """The trial that :meth:`as_json` wrote down."""
        return cls(**{_NAMES.get(name, name): value for name, value in content.items()})

    def as_row(self) -> dict[str, Any]:
        """The trial as a row of a table, with a column for each parameter.

        A parameter that is named as another column gets a column of its own: ``parameter_rmse``.
        """
        return {
            "trial": self.number,
            "status": self.status,
            "rmse": self.rmse,
            "rounds": self.rounds,
            "seconds": self.seconds,
            **{_column(name): value for name, value in self.parameters.items()},
            "error": self.error,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Trial:
        """The trial that a row describes, but for ``rungs``, which a table does not hold."""
        return cls(
            number=row["trial"],
            parameters={_parameter(name): row[name] for name in row if name not in _FACTS},
            **{name: row[name] for name in _FACTS if name != "trial"},
        )


def _column(parameter: str) -> str:
    return f"{_PREFIX}{parameter}" if _names_a_fact(parameter) else parameter


def _parameter(column: str) -> str:
    return column.removeprefix(_PREFIX) if _names_a_fact(column) else column


def _names_a_fact(name: str) -> bool:
    """Whether a name is that of a column, with or without prefixes before it."""
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return name in _FACTS


class Journal(Protocol):
    """Where trials are written down as they end, so that the search can be continued."""

    def get(self, number: int) -> Trial | None:
        """The trial that has a number; None if it has not ended."""

    def add(self, trial: Trial) -> Trial:
        """Write a trial down; return the one that was written first under its number."""


class MemoryJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self._trials: dict[int, Trial] = {}

    def get(self, number: int) -> Trial | None:
        """The trial that has a number; None if it has not ended."""
        return self._trials.get(number)

    def add(self, trial: Trial) -> Trial:
        """Keep a trial unless its number is taken; return the one that is kept."""
        return self._trials.setdefault(trial.number, trial)


def best(trials: list[Trial]) -> Trial | None:
    """The trial with the smallest error; None if none has one."""
    measured = [trial for trial in trials if trial.rmse is not None]
    return min(measured, key=lambda trial: trial.rmse or 0.0, default=None)
