"""Search spaces as plain values, readable where a recipe states them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Uniform:
    """Any number from low to high."""

    low: float
    high: float


@dataclass(frozen=True)
class LogUniform:
    """Any positive number from low to high, each order of magnitude equally likely."""

    low: float
    high: float


@dataclass(frozen=True)
class Integer:
    """Any whole number from low to high, both included."""

    low: int
    high: int


Distribution = Uniform | LogUniform | Integer
