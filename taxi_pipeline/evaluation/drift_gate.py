"""Whether drift speaks against a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from taxi_pipeline.evaluation.feature_drift import FeatureDrift, in_words, too_far


class DriftJudgement(NamedTuple):
    """What the gate makes of drift, in words.

    Attributes:
        objections: what speaks against the candidate.
        accepted: what would, if nobody had accepted it.
    """

    objections: list[str]
    accepted: list[str]


def judge_drift(
    record: Mapping[str, Any], max_drift: float, accept_drift: str, by: str
) -> DriftJudgement:
    """What the drift of an evaluation month means for a candidate.

    Args:
        record: a :class:`taxi_pipeline.evaluation.drift.Drift` as JSON values: the evaluation month
            beside the candidate's training window.
        max_drift: the population stability index that a feature may have which matters.
        accept_drift: why more is accepted; without a word in it, it is not.
        by: who asks, and when.
    """
    found = too_far((FeatureDrift(**feature) for feature in record["features"]), max_drift)
    if not found:
        return DriftJudgement([], [])
    drift = (
        f"{record['month']} drifted from the training window, {record['reference']}, beyond "
        f"`max_drift` {max_drift:g} in {', '.join(map(in_words, found))}"
    )
    if reason := " ".join(accept_drift.split()):
        return DriftJudgement([], [f"{drift}: accepted by {by} ({reason})"])
    advice = "train on months that are like it, or say in `accept_drift` why it may serve"
    return DriftJudgement([f"{drift}: {advice}"], [])
