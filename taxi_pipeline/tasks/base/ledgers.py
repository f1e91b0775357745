"""The ledger of a registered model, as the configuration is."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from taxi_pipeline import commands, config
from taxi_pipeline.errors import InvalidParameter, TrackingError
from taxi_pipeline.evaluation.champions import (
    BY_MONTH,
    BY_TIME,
    FIRST,
    Champion,
    Change,
    champion_at,
    champion_in,
    first_champion,
    is_to_come,
)
from taxi_pipeline.month import Month
from taxi_pipeline.redaction import MASK, redact_url
from taxi_pipeline.storage import layout, open_storage
from taxi_pipeline.tasks.base.identity_cache import cached
from taxi_pipeline.tracking.ledger import History, Ledger, alias_version, version_facts
from taxi_pipeline.tracking.lookup import CannotBeAsked, look_up

UNDER_ROOT = f"{layout.tracking_database()} under the storage root"
"""The registry that lies under the root, as ledgers and identities name it wherever the root is."""


def open_ledger(model_name: str) -> Ledger:
    """The ledger of a model of the configured registry, under the configured root."""
    root = config.storage().root
    return cached(
        ("ledger", root, model_name), lambda: Ledger(open_storage(root), model_name, registry())
    )


def registry() -> str:
    """The configured registry as ledgers name it: the same wherever the root is, for all users."""
    uri = config.tracking().uri
    if not uri:
        return UNDER_ROOT
    return redact_url(uri).replace(f"{MASK}@", "").partition("?")[0].rstrip("/")


class ServingVersion(NamedTuple):
    """The version that serves.

    Attributes:
        version: its number.
        candidate_key: of the candidate that it is; empty if the pipeline did not make it.
        training_month: the last month that it was trained on; empty if that is not known.
    """

    version: str
    candidate_key: str
    training_month: str

    @property
    def name(self) -> str:
        """What identifies it: its key, or its number where it has none."""
        return self.candidate_key or f"version {self.version}"


def serving_version(model_name: str) -> ServingVersion | None:
    """The champion of a model by its ledger; None if there is none.

    Before there is a ledger it is what the registry's alias says, as far as that can be asked.
    """
    return cached(("champion", model_name), lambda: read_serving_version(model_name))


def read_serving_version(model_name: str) -> ServingVersion | None:
    """The same, read anew whatever this reading has read before."""
    history = open_ledger(model_name).read()
    if champion := history.champion:
        return _version_of(champion)
    if history.changes:
        return None
    with contextlib.suppress(TrackingError):  # a registration fails with it, and says so
        registered = look_up(config.tracking().server_uri, model_name)
        if version := alias_version(registered):
            facts = version_facts(registered, version)
            return ServingVersion(version, facts["candidate_key"], facts["training_month"])
    return None


def version_at(model_name: str, at: datetime) -> ServingVersion:
    """The champion of a model at a time, by its ledger.

    Args:
        model_name: the registered model.
        at: in UTC.

    Raises:
        InvalidParameter: none served then, or that is not known.
    """
    changes = open_ledger(model_name).read().changes
    now = datetime.now(UTC)
    if is_to_come(at, now):
        raise InvalidParameter(
            f"{at:%Y-%m-%d %H:%M:%S} UTC is in the future: who serves then is not known"
        )
    asked = f"{min(at, now):%Y-%m-%d %H:%M:%S} UTC"
    if changes and at < changes[0].when:
        raise InvalidParameter(
            f"which version of {model_name} served at {asked} is not known: the ledger begins at "
            f"{changes[0].when:%Y-%m-%d %H:%M:%S} UTC; name a version with --model-version"
        )
    champion = champion_at(changes, at)
    if champion is None:
        raise InvalidParameter(
            f"no version of {model_name} served at {asked}: {_log_of(model_name)} says which "
            "served when"
        )
    return _version_of(champion)


def _log_of(model_name: str) -> str:
    return commands.write("champion", "log", "--model", model_name)


class Served(NamedTuple):
    """A version, and how it is known that it served.

    Attributes:
        version: the version.
        how: in words.
    """

    version: ServingVersion
    how: str


def served_in(model_name: str, month: Month) -> Served:
    """The champion of a model at the end of a month, by its ledger.

    Where the ledger begins later, see :func:`taxi_pipeline.evaluation.champions.champion_in`.
    Before there is a ledger it is what the registry's alias says now.

    Raises:
        InvalidParameter: none served, or none is known.
    """
    changes = _history(model_name).changes
    if not changes:
        return _served_now(model_name)
    champion, known_by = champion_in(changes, month)
    if champion is None:
        raise InvalidParameter(
            f"no version of {model_name} served at the end of {month}: name one with "
            f"--model-version; {_log_of(model_name)} says which served when"
        )
    later = f"the ledger begins on {changes[0].when:%Y-%m-%d}, after {month}: "
    how = {
        BY_TIME: f"the champion at the end of {month}, by the ledger",
        BY_MONTH: f"{later}the last of its champions that was evaluated on an earlier month",
        FIRST: f"{later}its first champion, since none was evaluated on an earlier month",
    }[known_by]
    return Served(_version_of(champion), how)


def first_served(model_name: str) -> Served:
    """The version of a model that was champion first, by its ledger.

    Before there is a ledger it is what the registry's alias says now.

    Raises:
        InvalidParameter: there was none.
    """
    changes = _history(model_name).changes
    champion = first_champion(changes)
    if champion is None:
        return _served_now(model_name)
    earlier = changes[0].from_version
    gap = f", whose entries before that are missing (version {earlier} served)" if earlier else ""
    return Served(_version_of(champion), f"the first champion of the ledger{gap}")


def _served_now(model_name: str) -> Served:
    champion = serving_version(model_name)
    if champion is None:
        raise no_champion(model_name)
    return Served(champion, "there is no ledger: the champion of the registry now")


def no_champion(model_name: str) -> InvalidParameter:
    """What is wrong where a champion is needed and none is known."""
    return InvalidParameter(
        f"no champion of {model_name} is known: RegisterModel makes the first model champion that "
        "the gate lets pass, PromoteModel any version; or name one with --model-version"
    )


def _history(model_name: str) -> History:
    """The ledger's content, read once a reading."""
    return cached(("history", model_name), lambda: open_ledger(model_name).read())


def find_version(model_name: str, number: str, option: str = "--model-version") -> ServingVersion:
    """A version of a model by its number, whether or not it serves.

    Args:
        model_name: the registered model.
        number: of the version.
        option: by which a person names it.

    Raises:
        InvalidParameter: there is no such version.
        TrackingError: the ledger does not know it, and the registry does not answer.
    """
    return cached(
        ("version", model_name, number), lambda: _find_version(model_name, number, option)
    )


def _find_version(model_name: str, number: str, option: str) -> ServingVersion:
    history = open_ledger(model_name).read()
    if history.champion and history.version == number:
        return _version_of(history.champion)
    moved = [change for change in history.changes if change.to_version == number]
    try:
        registered = look_up(config.tracking().server_uri, model_name)
    except CannotBeAsked:
        # MLflow alone can say more, when the version is loaded.
        return ServingVersion(number, *_facts(moved))
    except TrackingError:
        if not moved:
            raise
        registered = None
    # The registry gives the numbers of a model that was deleted again, to other candidates.
    if registered and number in registered.versions:
        facts = version_facts(registered, number)
        return ServingVersion(number, facts["candidate_key"], facts["training_month"])
    if moved:
        return ServingVersion(number, *_facts(moved))
    there = ", ".join(sorted(registered.versions, key=int)) if registered else ""
    raise InvalidParameter(
        f"{option} {number}: {model_name} has no such version in the registry"
        + (f", there are {there}" if there else ": RegisterModel registers the first")
    )


def _facts(moved: Sequence[Change]) -> tuple[str, str]:
    """Key and training month of the version that the last of some changes made champion."""
    return (moved[-1].candidate_key, moved[-1].training_month) if moved else ("", "")


def _version_of(champion: Champion) -> ServingVersion:
    since = champion.since
    return ServingVersion(champion.version, since.candidate_key, since.training_month)
