"""What a person decides about the champion: which version it is, and that it stays."""

from __future__ import annotations

from typing import Any

import mlflow

from taxi_pipeline import commands
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.evaluation.champions import (
    PINNED,
    PROMOTED,
    ROLLED_BACK,
    UNPINNED,
    Change,
    predecessors,
)
from taxi_pipeline.tracking.aliases import move_champion, with_history
from taxi_pipeline.tracking.ledger import History, Ledger, user_and_host, version_facts
from taxi_pipeline.tracking.server import TrackingServer, found
from taxi_pipeline.tracking.tags import DECISION_TAG
from taxi_pipeline.tracking.versions import has_model, registered_model


def promote_version(server: TrackingServer, ledger: Ledger, version: str, reason: str) -> Change:
    """Make a version the champion, and pin it: what a person decides holds until it is lifted.

    A version that is champion already stays as it is.

    Args:
        server: of the registry.
        ledger: of the registered model.
        version: the version's number.
        reason: why.

    Returns:
        The change that made it champion.

    Raises:
        TrackingError: there is no such version, or the server cannot be reached or refuses.
    """
    name = ledger.model_name

    def promote(history: History) -> Change:
        if history.champion and history.version == version:
            return history.champion.since
        is_older = int(version) < int(history.version or 0)
        goes_back = is_older or version in predecessors(history.changes)
        action = ROLLED_BACK if goes_back else PROMOTED
        # Before the move, after which nothing is left to be done.
        decision = f"champion: {action} by {user_and_host()} ({reason})"
        client.set_model_version_tag(name, version, DECISION_TAG, decision)
        facts = _facts(client, name, version)
        return move_champion(
            client, ledger, history, action, version, pinned=True, why=reason, **facts
        )

    with server.client() as client, server.lock(name):
        _check_version(client, name, version)
        return with_history(client, ledger, promote)


def set_pin(server: TrackingServer, ledger: Ledger, *, pinned: bool, reason: str) -> bool:
    """Pin the champion, so that no registration replaces it, or lift that.

    Args:
        server: of the registry.
        ledger: of the registered model.
        pinned: whether it is to be pinned.
        reason: why.

    Returns:
        Whether that was not so before.

    Raises:
        TrackingError: there is no champion, or the server cannot be reached or refuses.
    """

    def change(history: History) -> bool:
        champion = history.champion
        if champion is None:
            command = commands.write("champion", "rollback", "--model", ledger.model_name)
            raise TrackingError(
                f"{ledger.model_name} has no champion: {command} --to N --reason WHY makes version "
                "N the champion"
            )
        if (champion.pin is not None) is pinned:
            return False
        since = champion.since
        move_champion(
            client,
            ledger,
            history,
            PINNED if pinned else UNPINNED,
            champion.version,
            pinned=pinned,
            why=reason,
            candidate_key=since.candidate_key,
            training_month=since.training_month,
            rmse=since.rmse,
        )
        return True

    with server.client() as client, server.lock(ledger.model_name):
        return with_history(client, ledger, change)


def _check_version(client: mlflow.MlflowClient, name: str, version: str) -> None:
    registered = registered_model(client, name)
    if registered is None:
        raise TrackingError(
            f"there is no registered model {name}: the task RegisterModel registers a version of it"
        )
    if version not in registered.versions:
        there = ", ".join(sorted(registered.versions, key=int)) or "none"
        raise TrackingError(f"{name} has no version {version}: there are {there}")
    if not has_model(client, client.get_model_version(name, version)):
        raise TrackingError(
            f"version {version} of {name} cannot serve: its logged model was deleted in MLflow; "
            "take another version"
        )


def _facts(client: mlflow.MlflowClient, name: str, version: str) -> dict[str, Any]:
    """What is known of a version, with the RMSE of its run."""
    registered = registered_model(client, name)
    facts = version_facts(registered, version)
    run_id = registered.versions[version].run_id if registered else ""
    run = found(lambda: client.get_run(run_id))
    return {**facts, "rmse": run.data.metrics.get("rmse") if run else None}
