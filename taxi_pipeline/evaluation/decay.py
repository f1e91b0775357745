"""Whether a month says anything of a model, and the words for what it says."""

from __future__ import annotations

from taxi_pipeline.month import Month

DECAYED, AS_PROMISED, NOT_KNOWN = "DECAYED", "AS PROMISED", "NOT KNOWN"
"""The verdicts: worse than promised beyond noise; not so; there is nothing to compare."""


def last_seen(training_month: str) -> Month | None:
    """The last month that a model was trained on; None if that is not known.

    Args:
        training_month: as a version's tag says it, which a person may have written.
    """
    try:
        return Month.parse(training_month)
    except ValueError:
        return None


def why_not_counted(training_month: str, month: Month) -> str:
    """Why the errors of a model in a month say nothing; empty if they do.

    A model that was trained on later months knows what came after the month.

    Args:
        training_month: the last month that it was trained on; empty if that is not known.
        month: of the trips.
    """
    trained = last_seen(training_month)
    if trained is None or trained < month:
        return ""
    if trained == month:
        return f"it was trained on {month}"
    return f"it was trained to {trained}, which is later than {month}"
