"""Aliases of a registered model: who holds them, and their moves as the gate or a person decided.

The alias ``champion`` follows the ledger (see :mod:`taxi_pipeline.tracking.ledger`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import mlflow

from taxi_pipeline.errors import TrackingError
from taxi_pipeline.evaluation.champions import MOVES, PROMOTED, Change, Verdict
from taxi_pipeline.evaluation.gate import (
    CHALLENGER,
    CHAMPION,
    AliasDecision,
    Holder,
    decide_aliases,
)
from taxi_pipeline.month import Month
from taxi_pipeline.tracking.ledger import History, Ledger, NumberTaken, alias_version
from taxi_pipeline.tracking.lookup import RegisteredModel
from taxi_pipeline.tracking.records import MONTH_TAG, Candidate
from taxi_pipeline.tracking.server import found
from taxi_pipeline.tracking.tags import DECISION_TAG
from taxi_pipeline.tracking.versions import has_model, registered_model

Answer = TypeVar("Answer")

MAX_ATTEMPTS = 100
"""How often a change is tried while other processes change the same ledger."""


def move_aliases(
    client: mlflow.MlflowClient,
    ledger: Ledger,
    candidate: Candidate,
    version: str,
    verdict: Verdict,
) -> tuple[AliasDecision, tuple[str, ...]]:
    """Move the aliases that a candidate has earned to its version.

    Args:
        client: of the registry.
        ledger: of the registered model.
        candidate: whose version it is.
        version: its version.
        verdict: of the gate.

    Returns:
        The decision, and all aliases that the version holds afterwards, in order.
    """
    is_resumed = any(
        (change.action, change.to_version) == (PROMOTED, version) for change in ledger.interrupted()
    )

    def move(history: History) -> AliasDecision:
        decision = decide_aliases(
            candidate.month,
            version,
            promote=verdict.promote,
            reason=verdict.reason,
            holders=_holders(client, candidate.model_name, history),
        )
        for alias in decision.moves:
            if alias == CHAMPION:
                move_champion(
                    client,
                    ledger,
                    history,
                    PROMOTED,
                    version,
                    pinned=False,
                    why=verdict.reason,
                    candidate_key=candidate.key,
                    training_month=str(candidate.month),
                    rmse=candidate.metrics.get("rmse"),
                    gate_record=verdict.record,
                )
            else:
                client.set_registered_model_alias(candidate.model_name, alias, version)
        if is_resumed and history.version == version:
            return dataclasses.replace(decision, moves=(*decision.moves, CHAMPION))
        return decision

    decision = with_history(client, ledger, move)
    client.set_model_version_tag(candidate.model_name, version, DECISION_TAG, decision.text)
    held = client.get_registered_model(candidate.model_name).aliases
    return decision, tuple(sorted(name for name in held if str(held[name]) == version))


def with_history(
    client: mlflow.MlflowClient, ledger: Ledger, act: Callable[[History], Answer]
) -> Answer:
    """What a function answers that may change the champion.

    Args:
        client: of the registry.
        ledger: of the registered model.
        act: is given what the ledger holds, once that is what the registry says; again if another
            process has changed the ledger meanwhile.

    Raises:
        TrackingError: others have changed it each time.
    """
    for _ in range(MAX_ATTEMPTS):
        with contextlib.suppress(NumberTaken):
            return act(_reconcile(client, ledger))
    raise _changing(ledger)


def move_champion(
    client: mlflow.MlflowClient,
    ledger: Ledger,
    history: History,
    action: str,
    version: str,
    **facts: Any,
) -> Change:
    """Change the ledger, and have the alias follow.

    Args:
        client: of the registry.
        ledger: of the registered model.
        history: what the ledger holds.
        action: what is done.
        version: that serves afterwards.
        facts: as :meth:`Ledger.append` takes them.

    Returns:
        The change.

    Raises:
        NumberTaken: another process has changed the ledger meanwhile; nothing is changed.
    """
    change = ledger.append(history, action, version, **facts)
    if version != history.version:
        client.set_registered_model_alias(ledger.model_name, CHAMPION, version)
    ledger.confirm(change)
    return change


def _reconcile(client: mlflow.MlflowClient, ledger: Ledger) -> History:
    """What the ledger holds, once it and the registry agree.

    A change whose process was ended is completed. What a person did in the registry since is
    written down, and respected.
    """
    for _ in range(MAX_ATTEMPTS):
        history = ledger.read()
        registered = registered_model(client, ledger.model_name)
        if not history.is_confirmed:
            _complete(client, ledger, history.changes[-1], registered)
        elif ledger.notice(history, registered) is None:
            return history
    raise _changing(ledger)


def _changing(ledger: Ledger) -> TrackingError:
    return TrackingError(
        f"other processes change the champion of {ledger.model_name} all the time: run the same "
        "command again once they have ended"
    )


def _complete(
    client: mlflow.MlflowClient,
    ledger: Ledger,
    change: Change,
    registered: RegisteredModel | None,
) -> None:
    """Have the alias follow a change, unless a person has moved it elsewhere since."""
    if (
        change.action in MOVES
        and registered is not None
        and change.to_version in registered.versions
        and alias_version(registered) == change.from_version
    ):
        client.set_registered_model_alias(ledger.model_name, CHAMPION, change.to_version)
    ledger.confirm(change)


def _holders(client: mlflow.MlflowClient, model_name: str, history: History) -> dict[str, Holder]:
    """The versions that challenger and champion point to, with its training month.

    An alias may be left pointing to a version that was deleted, or whose model was: that holds
    nothing.
    """
    holders = {}
    held = client.get_registered_model(model_name).aliases
    for alias in {CHALLENGER, CHAMPION} & set(held):
        version = found(functools.partial(client.get_model_version_by_alias, model_name, alias))
        if version is None or not has_model(client, version):
            continue
        month = version.tags.get(MONTH_TAG)
        pin = history.pin_text if alias == CHAMPION else ""
        holders[alias] = Holder(str(version.version), Month.parse(month) if month else None, pin)
    return holders
