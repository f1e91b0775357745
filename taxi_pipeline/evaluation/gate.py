"""Whether a model may become champion."""

from __future__ import annotations

from collections.abc import Mapping


def best_baseline(measured: Mapping[str, Mapping[str, float]]) -> str:
    """The name of the baseline with the smallest RMSE."""
    return min(measured, key=lambda name: measured[name]["rmse"])


def gain(model: Mapping[str, float], measured: Mapping[str, Mapping[str, float]]) -> float:
    """The share by which the model's RMSE is below that of the best baseline."""
    return 1 - model["rmse"] / measured[best_baseline(measured)]["rmse"]


def verdict(
    model: Mapping[str, float], measured: Mapping[str, Mapping[str, float]], min_gain: float
) -> tuple[bool, str]:
    """Whether a model may become champion, and the reason in a few words.

    Its RMSE must be below that of the best baseline, by the share ``min_gain`` at least.
    """
    gained = gain(model, measured)
    side = "below" if gained > 0 else "above"
    reason = (
        f"RMSE {abs(gained):.1%} {side} that of the baseline {best_baseline(measured)}, "
        f"[gate] min_gain asks for {min_gain:.1%} below"
    )
    return gained > 0 and gained >= min_gain, reason
