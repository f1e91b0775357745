"""Whether a model may become champion, and which aliases move for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taxi_pipeline.month import Month

CHALLENGER = "challenger"
"""The alias of the newest model."""

CHAMPION = "champion"
"""The alias of the model that serves."""

PROMOTED, KEPT, REJECTED = "PROMOTED", "KEPT", "REJECTED"
"""The verdicts: may be champion; registered, but not champion; worse than a baseline."""


def best_baseline(baselines: Mapping[str, Mapping[str, float]]) -> str:
    """The name of the baseline with the smallest RMSE."""
    return min(baselines, key=lambda name: baselines[name]["rmse"])


def relative_gain(
    model: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]
) -> float:
    """The share by which the model's RMSE is below that of the best baseline."""
    return 1 - model["rmse"] / baselines[best_baseline(baselines)]["rmse"]


def apply_gate(
    model: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]], min_gain: float
) -> tuple[bool, str]:
    """Whether a model may become champion, and the reason in a few words.

    Args:
        model: its metrics on the evaluation month, with ``rmse`` in minutes.
        baselines: the metrics of each baseline on the same trips, by name.
        min_gain: the share by which its RMSE must at least be below that of the best baseline; at
            0 it must still be below.
    """
    gain = relative_gain(model, baselines)
    side = "below" if gain > 0 else "above"
    reason = (
        f"RMSE {abs(gain):.1%} {side} that of the baseline {best_baseline(baselines)}, "
        f"`min_gain` asks for {min_gain:.1%} below"
    )
    return gain > 0 and gain >= min_gain, reason


@dataclass(frozen=True)
class Holder:
    """A version that an alias points to.

    Attributes:
        version: of the registered model.
        month: the last month of its training window; None if that is not known.
        pin: that a person has pinned it, and why; empty if nobody has.
    """

    version: str
    month: Month | None
    pin: str = ""


@dataclass(frozen=True)
class AliasDecision:
    """What becomes of the aliases when a version is registered.

    Attributes:
        moves: the aliases that move to it.
        text: why it is champion or not, in a few words.
        pin: that a person has pinned the champion, and why; empty if nobody has.
    """

    moves: tuple[str, ...]
    text: str
    pin: str = ""

    @property
    def promoted(self) -> bool:
        """Whether the version becomes champion just now."""
        return CHAMPION in self.moves


def decide_aliases(
    month: Month, version: str, *, promote: bool, reason: str, holders: Mapping[str, Holder]
) -> AliasDecision:
    """Which aliases move to a version: challenger, and champion if it is to be promoted.

    An alias never moves to an older month, nor away from a version that is pinned. A version that
    is champion stays so where the gate would not promote it now: whether to serve without a
    champion is a person's decision.

    Args:
        month: the last month of the version's training window.
        version: the version.
        promote: whether the gate lets it become champion.
        reason: why, in a few words.
        holders: the version that each alias points to.
    """
    moves = []
    champion = holders.get(CHAMPION)
    pin = champion.pin if champion else ""
    text = f"champion: {reason}" if promote else f"not champion: {reason}"
    for alias in (CHALLENGER, CHAMPION) if promote and not pin else (CHALLENGER,):
        holder = holders.get(alias)
        if holder and holder.month and holder.month > month:
            text = f"{alias} stays with the newer month {holder.month}"
        elif holder is None or holder.version != version:
            moves.append(alias)
    is_champion = champion is not None and champion.version == version
    if pin:
        text = f"champion: {pin}" if is_champion else f"not champion: {pin}"
    elif not promote and is_champion:
        text = f"champion from before, would not become it now: {reason}"
    return AliasDecision(tuple(moves), text, pin)
