"""A calendar month, the unit in which trip records are published and models are trained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime

_TEXT = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, order=True)
class Month:
    """A month of the Gregorian calendar, ordered in time; its text form is ``YYYY-MM``.

    Raises:
        ValueError: the year is not within 1 to 9999 or the month not within 1 to 12.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not MINYEAR <= self.year <= MAXYEAR:
            raise ValueError(f"year must be from {MINYEAR} to {MAXYEAR}, not {self.year}")
        if not 1 <= self.month <= 12:  # noqa: PLR2004  (months of a year)
            raise ValueError(f"month must be from 1 to 12, not {self.month}")

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month written as ``YYYY-MM``.

        Raises:
            ValueError: the text has another form or names no month.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"a month is written YYYY-MM, not {text!r}")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def __add__(self, months: int) -> Month:
        years, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, month + 1)

    def __sub__(self, months: int) -> Month:
        return self + -months

    @property
    def start(self) -> datetime:
        """The first instant of the month, in New York's local time as TLC writes it."""
        return datetime(self.year, self.month, 1)

    @property
    def end(self) -> datetime:
        """The first instant after the month."""
        return (self + 1).start

    def window(self, months: int) -> Iterator[Month]:
        """The ``months`` months that end with this one, oldest first."""
        return (self - ago for ago in reversed(range(months)))
