"""The ledger of a registered model's champion: under the storage root, append-only.

A change is written first, then the registry's alias is set, then the change is confirmed by a file
of its own. So a change without confirmation is one whose process was ended, or that goes on. Two
writers never have the same number: the second reads again what the first has written.

The numbers of versions are those of a registry: each registry has its own changes.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from taxi_pipeline import commands
from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.evaluation.champions import (
    FOUND,
    MOVED_BY_HAND,
    Champion,
    Change,
    champion_of,
)
from taxi_pipeline.evaluation.gate import CHAMPION
from taxi_pipeline.storage import Storage, layout
from taxi_pipeline.tracking.lookup import RegisteredModel
from taxi_pipeline.tracking.tags import MONTH_TAG

_UNKNOWN: dict[str, Any] = {"candidate_key": "", "training_month": "", "rmse": None}


class NumberTaken(Exception):
    """Another process has written a change meanwhile: what was read is not true any more."""


@dataclass(frozen=True)
class History:
    """What a ledger holds of one registry.

    Attributes:
        changes: oldest first.
        is_confirmed: whether the registry is known to have followed the last of them.
        last_number: of the last change, of whatever registry; 0 if there is none.
    """

    changes: tuple[Change, ...] = ()
    is_confirmed: bool = True
    last_number: int = 0

    @property
    def champion(self) -> Champion | None:
        """The champion after all changes."""
        return champion_of(self.changes)

    @property
    def version(self) -> str:
        """The champion's version; empty if there is none."""
        return self.champion.version if self.champion else ""

    @property
    def pin_text(self) -> str:
        """That the champion is pinned, since when, by whom and why; empty if none is."""
        return self.champion.pin_text if self.champion else ""


@dataclass(frozen=True)
class Ledger:
    """The ledger of a registered model.

    Args:
        storage: the root.
        model_name: the registered model.
        registry: the name of the registry whose versions are meant.
    """

    storage: Storage
    model_name: str
    registry: str

    def read(self) -> History:
        """All changes of this registry.

        Raises:
            DamagedOutput: a change cannot be read.
        """
        numbers, confirmations = self._numbers()
        changes = [self._change(number) for number in sorted(numbers)]
        own = tuple(change for change in changes if change.registry == self.registry)
        return History(
            changes=own,
            is_confirmed=not own or own[-1].number in confirmations,
            # A change that was set aside leaves its confirmation, which is no other change's.
            last_number=max(numbers | confirmations, default=0),
        )

    def champions(self) -> list[Champion]:
        """The champion of each registry.

        Raises:
            DamagedOutput: a change cannot be read.
        """
        changes: dict[str, list[Change]] = {}
        for number in sorted(self._numbers()[0]):
            change = self._change(number)
            changes.setdefault(change.registry, []).append(change)
        return [champion for own in changes.values() if (champion := champion_of(own))]

    def interrupted(self) -> list[Change]:
        """The changes of this registry that it may not have followed; none, or the last.

        This asks for the names of the files, and reads only what is not confirmed.

        Raises:
            DamagedOutput: a change cannot be read.
        """
        changes, confirmations = self._numbers()
        waiting = [self._change(number) for number in sorted(changes - confirmations)]
        return [change for change in waiting if change.registry == self.registry]

    def _numbers(self) -> tuple[set[int], set[int]]:
        """The numbers of the changes, and those of their confirmations."""
        names = self.storage.file_sizes(layout.ledger_dir(self.model_name))
        files = [parsed for name in names if (parsed := layout.parse_change(name))]
        return (
            {number for number, is_confirmation in files if not is_confirmation},
            {number for number, is_confirmation in files if is_confirmation},
        )

    def _change(self, number: int) -> Change:
        return read_change(self.storage, layout.change_file(self.model_name, number))

    def append(
        self,
        history: History,
        action: str,
        version: str,
        *,
        pinned: bool,
        why: str,
        **facts: Any,
    ) -> Change:
        """Write a change down, as the next one.

        Args:
            history: what the ledger holds.
            action: what is done.
            version: that serves afterwards.
            pinned: whether it is pinned afterwards.
            why: the reason.
            facts: the version's ``candidate_key``, ``training_month`` and ``rmse``, and the
                ``gate_record``, as far as they are known; ``by`` if it is not this user.

        Raises:
            NumberTaken: the ledger holds more by now.
        """
        change = Change(
            number=history.last_number + 1,
            when=now(),
            action=action,
            model=self.model_name,
            registry=self.registry,
            from_version=history.version,
            to_version=version,
            pinned=pinned,
            why=why,
            **{**_UNKNOWN, "by": user_and_host(), **facts},
        )
        place = layout.change_file(self.model_name, change.number)
        if not self.storage.write_json_exclusive(place, change.as_json()):
            raise NumberTaken
        return change

    def confirm(self, change: Change) -> None:
        """Write down that the registry has followed a change, whoever saw to that."""
        place = layout.confirmation_file(self.model_name, change.number)
        content = {"when": now().isoformat(timespec="seconds"), "by": user_and_host()}
        self.storage.write_json_exclusive(place, content)

    def notice(self, history: History, registered: RegisteredModel | None) -> Change | None:
        """Write down what a person, or an earlier version of the pipeline, did in the registry.

        Args:
            history: what the ledger holds, all of it confirmed.
            registered: what the registry holds, which was asked after the ledger was read. So what
                another process writes meanwhile makes the change's number taken.

        Returns:
            The change; None if the ledger says what the registry says.

        Raises:
            NumberTaken: the ledger holds more by now.
        """
        if agrees(history, registered):
            return None
        version = alias_version(registered)
        if not history.changes:
            action, why = FOUND, "it was champion before there was a ledger"
        else:
            action, why = MOVED_BY_HAND, _what_was_done(registered)
            why += f"; noticed by {user_and_host()}"
            if history.champion and history.champion.pin:
                why += ", which ends the pin"
        facts = version_facts(registered, version)
        change = self.append(history, action, version, pinned=False, why=why, by="", **facts)
        self.confirm(change)
        return change


def read_change(storage: Storage, location: str) -> Change:
    """A change, from its file.

    Raises:
        DamagedOutput: it is not what was written.
    """
    try:
        return Change.from_json(storage.read_json(location))
    except DamagedOutput as error:
        problem = str(error)
    except ValueError:
        problem = f"{storage.uri(location)} is damaged: it is no change of a champion"
    command = commands.write("verify", "--repair")
    raise DamagedOutput(f"{problem}; restore it from a backup, or have {command} set it aside")


def alias_version(registered: RegisteredModel | None) -> str:
    """The version that the registry's alias points to; empty if there is none, or not any more."""
    version = registered.aliases.get(CHAMPION, "") if registered else ""
    return version if registered and version in registered.versions else ""


def agrees(history: History, registered: RegisteredModel | None) -> bool:
    """Whether the registry's alias points to the champion of the ledger."""
    version = alias_version(registered)
    champion = history.champion
    if registered is None or champion is None or not version:
        return version == history.version
    return champion.is_version(version, registered.versions[version].candidate_key)


def version_facts(registered: RegisteredModel | None, version: str) -> dict[str, Any]:
    """What the tags of a version say of it."""
    found = registered.versions.get(version) if registered else None
    if found is None:
        return {}
    return {
        "candidate_key": found.candidate_key,
        "training_month": found.tags.get(MONTH_TAG, ""),
    }


def _what_was_done(registered: RegisteredModel | None) -> str:
    """What a person did in the registry, in a few words."""
    version = registered.aliases.get(CHAMPION, "") if registered else ""
    if registered is None:
        return "the registered model is not in the registry any more"
    if not version:
        return "the alias was deleted in MLflow"
    if version not in registered.versions:
        return f"version {version} was deleted in MLflow"
    return "the alias was moved in MLflow"


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def user_and_host() -> str:
    """Who runs this process, and where."""
    user = str(os.getuid())
    with contextlib.suppress(KeyError, OSError):  # a container's user may have no name
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()}"
