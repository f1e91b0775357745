"""Who served when: the changes of a model's champion, and what follows from them.

A change is never altered; what holds now, or held on a date, is read off the changes up to then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from taxi_pipeline.evaluation.decay import last_seen
from taxi_pipeline.month import Month

PROMOTED = "promoted"
ROLLED_BACK = "rolled back"
PINNED = "pinned"
UNPINNED = "unpinned"
MOVED_BY_HAND = "moved by hand"
FOUND = "found"

ACTIONS = (PROMOTED, ROLLED_BACK, PINNED, UNPINNED, MOVED_BY_HAND, FOUND)

BY_TIME, BY_MONTH, FIRST = "by time", "by month", "first"
"""By what the champion of a month is known, see :func:`champion_in`."""

MOVES = (PROMOTED, ROLLED_BACK)
"""The actions after which the registry's alias is set; the others say what it is."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a candidate.

    Attributes:
        promote: whether it may become champion.
        reason: why, in a few words.
        record: where all that led to it is written down; empty if that is nowhere.
        word: the verdict in a word; empty if there is no more than whether to promote.
    """

    promote: bool
    reason: str
    record: str = ""
    word: str = ""


@dataclass(frozen=True)
class Change:
    """A change of a model's champion.

    Attributes:
        number: 1 for the first of the model.
        when: in UTC; of what a person did in the registry, when it was noticed.
        action: one of :data:`ACTIONS`.
        model: the registered model.
        registry: whose versions these are.
        from_version: the version that served before; empty if none did.
        to_version: the version that serves afterwards; empty if none does.
        pinned: whether it is pinned afterwards, so that no registration replaces it.
        candidate_key: the key of the candidate that became ``to_version``; empty if not known.
        training_month: the last month that it was trained on; empty if not known.
        rmse: minutes on its evaluation month; None if not known.
        by: user and host.
        why: the reason, in a few words.
        gate_record: where the verdict of the gate is; empty if there is none.
    """

    number: int
    when: datetime
    action: str
    model: str
    registry: str
    from_version: str
    to_version: str
    pinned: bool
    candidate_key: str
    training_month: str
    rmse: float | None
    by: str
    why: str
    gate_record: str = ""

    def as_json(self) -> dict[str, Any]:
        """The change as plain values."""
        return {**asdict(self), "when": self.when.isoformat(timespec="seconds")}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Change:
        """The change from plain values.

        Raises:
            ValueError: these are not the values of a change.
        """
        try:
            change = cls(**{**content, "when": datetime.fromisoformat(content["when"])})
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None
        if change.action not in ACTIONS or change.when.tzinfo is None:
            raise ValueError(f"{change.action} at {content['when']}")
        return change


@dataclass(frozen=True)
class Champion:
    """The version that serves.

    Attributes:
        since: the change that made it champion.
        pin: the change that pinned it; None if it is not pinned.
    """

    since: Change
    pin: Change | None

    @property
    def version(self) -> str:
        """The version's number."""
        return self.since.to_version

    @property
    def pin_text(self) -> str:
        """That it is pinned, since when, by whom and why; empty if it is not."""
        if self.pin is None:
            return ""
        reason = f" ({self.pin.why})" if self.pin.why else ""
        return (
            f"version {self.version} is pinned since {self.pin.when:%Y-%m-%d} by "
            f"{self.pin.by}{reason}"
        )

    def is_version(self, number: str, candidate_key: str) -> bool:
        """Whether a version of the registry is the champion.

        The registry gives the numbers of a model that was deleted again, to other candidates.
        """
        known = self.since.candidate_key
        return number == self.version and (not known or not candidate_key or known == candidate_key)


def champion_of(changes: Iterable[Change]) -> Champion | None:
    """The champion after changes, in their order; None if none serves."""
    since = pin = None
    for change in changes:
        if since is None or change.action not in {PINNED, UNPINNED}:
            since = change
        pin = change if change.pinned else None
    return Champion(since, pin) if since and since.to_version else None


def champion_at(changes: Iterable[Change], at: datetime) -> Champion | None:
    """The champion at a time; None if none served, or if that is not known.

    Args:
        changes: in their order.
        at: in UTC.
    """
    return champion_of(change for change in changes if change.when <= at)


def champion_in(changes: Sequence[Change], month: Month) -> tuple[Champion | None, str]:
    """The champion of a month, and by what that is known.

    It is who served at the end of the month (in UTC), by the times of the changes. Where months are
    registered after the fact, all changes are later than the month, and none served in it. Then it
    is the last of the champions that could have: a version can be registered once its evaluation
    month is published, and so serves in later months. Where there is none it is the first champion.
    What is registered afterwards does not change the answer.

    Args:
        changes: in their order, at least one.
        month: of trips.

    Returns:
        The champion, None if none served; and :data:`BY_TIME`, :data:`BY_MONTH` or :data:`FIRST`.
    """
    end = month.end.replace(tzinfo=UTC)
    if changes[0].when < end:
        return champion_at(changes, end), BY_TIME
    if champion := champion_of(change for change in changes if _is_older(change, month)):
        return champion, BY_MONTH
    return first_champion(changes), FIRST


def _is_older(change: Change, month: Month) -> bool:
    """Whether a change is about a version whose evaluation month is before a month."""
    trained = last_seen(change.training_month)
    return trained is not None and trained + 1 < month


def first_champion(changes: Iterable[Change]) -> Champion | None:
    """The version that served first; None if none did."""
    first = next((change for change in changes if change.to_version), None)
    return Champion(first, None) if first else None


def parse_moment(text: str) -> datetime:
    """The time in UTC that a person means, such as 2021-06-15 for the end of that day.

    Raises:
        ValueError: the text is neither a date nor a time in ISO 8601.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def is_to_come(asked: datetime, now: datetime) -> bool:
    """Whether a time that a person means is in the future; of today, what is over is meant."""
    end_of_today = datetime.combine(now.date(), time.max, UTC)
    return asked > now and asked != end_of_today


def predecessors(changes: Iterable[Change]) -> list[str]:
    """The versions to which a rollback would go, one after the other, the nearest first.

    A version that was left by a rollback is none of them.
    """
    served: list[str] = []
    champion = None
    for change in changes:
        champion = change.to_version or None
        if change.to_version in served:
            del served[served.index(change.to_version) + 1 :]
        elif change.to_version:
            served.append(change.to_version)
    if champion is not None:
        served.pop()
    return served[::-1]
