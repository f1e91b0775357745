"""The levels that intervals may have, for those who must not import what makes intervals."""

from __future__ import annotations

from taxi_pipeline.errors import InvalidParameter

MIN_LEVEL, MAX_LEVEL = 0.5, 0.99


def check_level(level: float) -> float:
    """The level of an interval.

    Raises:
        InvalidParameter: it is not between :data:`MIN_LEVEL` and :data:`MAX_LEVEL`.
    """
    if not MIN_LEVEL <= level <= MAX_LEVEL:
        raise InvalidParameter(
            f"interval is {level}: give the share of trips that the intervals are to hold, from "
            f"{MIN_LEVEL} to {MAX_LEVEL}, such as 0.9"
        )
    return level
